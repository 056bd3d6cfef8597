// The theme that was chosen in Airflow's own pages; they keep it under this name. Without a choice: that of the system.
(function () {
  var dark = matchMedia("(prefers-color-scheme: dark)");
  function show() {
    var chosen = null;
    try { chosen = localStorage.getItem("theme"); } catch (refused) { /* no storage: the system's theme */ }
    var isDark = chosen === "dark" || (chosen !== "light" && dark.matches);
    document.documentElement.dataset.theme = isDark ? "dark" : "light";
  }
  show();
  addEventListener("storage", show);
  dark.addEventListener("change", show);
})();
