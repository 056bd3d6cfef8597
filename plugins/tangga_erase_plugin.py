"""Lets Airflow's API server take personal data off the form of crm_erase; nothing else."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin


class TanggaErasePlugin(AirflowPlugin):
    name = "tangga_erase"

    @property
    def fastapi_root_middlewares(self) -> list[dict]:
        """Asked for by the API server only: the other parts load plugins too, and need none of it."""
        from tangga.erasure.form import TakenOff

        return [{"middleware": TakenOff, "args": [], "kwargs": {}, "name": "tangga_erase"}]
