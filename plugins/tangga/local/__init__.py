"""Airflow on this machine: `make run` (the DAGs in one process) and `make up` (all of Airflow)."""
