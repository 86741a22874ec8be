"""Jobs that Dataproc runs with Spark."""
