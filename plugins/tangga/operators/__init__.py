"""What of Tangga is Airflow's own: operators. Nothing else in the package imports it from here."""
