"""When the daily run starts: read by the DAG files, and therefore without reading tangga.yml."""

from __future__ import annotations

import os

DAILY_AT = os.environ.get("TANGGA_DAILY_AT", "0 4 * * *")
TIME_ZONE = os.environ.get("TANGGA_TIME_ZONE", "UTC")
