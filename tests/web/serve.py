"""Airflow's API server of a home, for tests: `python serve.py <home> <port> <simple or fab>`. First it writes down the
routes of the page, as `routes.json` in the home."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from tangga import settings
from tangga.local import airflow_home
from tests.web.people import FAB, MORE, ROLES


def main(home: Path, port: int, manager: str) -> None:
    config = settings.load(home=home)
    airflow_home.activate(config)
    os.environ.update(airflow_home.environment(config, port))  # FAB leads to the address that Airflow says it has
    if manager == "fab":
        os.environ["AIRFLOW__CORE__AUTH_MANAGER"] = FAB
    import uvicorn
    from airflow.api_fastapi.app import create_app
    from airflow.utils.db import initdb

    initdb()
    app = create_app(apps="core")
    if manager == "fab":
        _add_people(airflow_home.logins(config)["admin"])
    page = next(route.app for route in app.routes if getattr(route, "path", None) == "/crm")
    routes = [(method, route.path) for route in page.routes for method in sorted(route.methods)]
    (home / "routes.json").write_text(json.dumps(routes), encoding="utf-8")
    uvicorn.run(app, host=airflow_home.HOST, port=port, log_level="warning")


def _add_people(password: str) -> None:
    from airflow.api_fastapi.app import get_auth_manager

    manager = get_auth_manager()
    with manager.flask_app.app_context():
        security = manager.security_manager
        for user, role in ROLES["fab"].items():
            roles = [security.find_role(role)]
            for name, permission in MORE.get(user, {}).items():
                roles.append(security.add_role(name))
                security.add_permission_to_role(roles[-1], security.create_permission(*permission))
            given = {"first_name": user, "last_name": "", "email": f"{user}@staff.example", "password": password}
            security.add_user(username=user, role=roles, **given)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
