// Airflow shows the page in a frame that may not lead the window elsewhere, so that a link to one of its own pages would
// open a second Airflow within the first. The window's router is told instead, as by the browser's buttons. Without a
// frame, or without this, it is a link like any other.
addEventListener("click", function (event) {
  var link = event.target.closest("a[data-airflow]");
  if (!link || parent === window || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  var before = parent.history.state;
  parent.history.pushState({ idx: ((before && before.idx) || 0) + 1 }, "", link.href);
  parent.dispatchEvent(new PopStateEvent("popstate", { state: parent.history.state }));
});
