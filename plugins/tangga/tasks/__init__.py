"""What the tasks of the DAGs do, as plain functions, one module a DAG: the DAG files only wire them.

Heavy libraries are imported inside, so that parsing a DAG file stays quick. Arguments and results go
through Airflow's database: they are names, counts and paths, never data.
"""
