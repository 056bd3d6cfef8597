"""What Airflow shows on its first page: the way to the page for marketers, for those who did not come for DAGs.

Airflow reads a module of this name by itself. One in `config/` of an Airflow home of your own has to take this over.
"""

from __future__ import annotations

from airflow.api_fastapi.common.types import UIAlert

DASHBOARD_UIALERTS = [
    UIAlert(
        text="[Who gets which message, why, and the lists as files](plugin/customers/crm/): "
        "*Customers*, in the navigation on the left.",
        category="info",
    )
]
