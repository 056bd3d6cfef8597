"""Who uses the page in the tests: user -> role, for each of Airflow's auth managers. Mina has FAB's User and the role
that docs/page.md gives marketers besides."""

from __future__ import annotations

from tangga.local import airflow_home

FAB = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
ROLES = {
    "simple": airflow_home.USERS,
    "fab": {"paul": "Public", "vera": "Viewer", "mark": "User", "mina": "User", "otto": "Op", "admin": "Admin"},
}
MORE = {"mina": {"Customers": ("can_read", "Plugins")}}
EVERYBODY = [(manager, user) for manager, roles in ROLES.items() for user in roles]
