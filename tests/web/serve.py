"""Airflow's API server of a home, for tests: `python serve.py <home> <port>`. First it writes down the routes of the
page, as `routes.json` in the home."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tangga import settings
from tangga.local import airflow_home


def main(home: Path, port: int) -> None:
    config = settings.load(home=home)
    airflow_home.activate(config)
    import uvicorn
    from airflow.api_fastapi.app import create_app
    from airflow.utils.db import initdb

    initdb()
    app = create_app(apps="core")
    page = next(route.app for route in app.routes if getattr(route, "path", None) == "/crm")
    routes = [(method, route.path) for route in page.routes for method in sorted(route.methods)]
    (home / "routes.json").write_text(json.dumps(routes), encoding="utf-8")
    uvicorn.run(app, host=airflow_home.HOST, port=port, log_level="warning")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
