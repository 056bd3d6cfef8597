"""The marketer's page inside Airflow: server-rendered, read-only, of the published version only.

Who is asking, and what they may see, is Airflow's to say: `access` asks it. `published` opens the version, `look`
renders; each of the other modules is a page with what it reads.
"""
