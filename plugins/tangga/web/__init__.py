"""The marketer's page inside Airflow: server-rendered, read-only, of the published version only.

Beside `local/` and `sources/connections.py` the one part of the library that knows Airflow: who is asking, and what they
may see, is Airflow's to say. `access` asks it, `published` opens the version, `look` renders; each of the other modules
is a page with what it reads.
"""
