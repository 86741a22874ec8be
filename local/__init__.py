"""The laptop's cloud: stand-ins on loopback, a real Airflow, and the commands of the Makefile."""
