"""What Tangga adds to Airflow: the marketer's page, in its navigation."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin


class TanggaPlugin(AirflowPlugin):
    name = "tangga"
    external_views = [
        {"name": "Customers", "href": "crm/", "destination": "nav", "url_route": "customers", "nav_top_level": True}
    ]

    @property
    def fastapi_apps(self) -> list[dict]:
        """Asked for by the API server only: the other parts load plugins too, and need not import a web application."""
        from tangga.web import app

        return [{"app": app.create(), "url_prefix": "/crm", "name": "tangga"}]
