"""Where the local cloud keeps its things: all of it under .local/, or under $MEDALLION_LOCAL."""

import os
from pathlib import Path

ROOT = Path(__file__).parent.parent
EMULATORS = ROOT / ".local" / "venv" / "emulators" / "bin"

LOCAL = Path(os.environ.get("MEDALLION_LOCAL", ROOT / ".local"))
AIRFLOW = LOCAL / "airflow"
BIGQUERY = LOCAL / "bigquery"
CACHE = LOCAL / "cache"
DATABASE = LOCAL / "database"
DATAPROC = LOCAL / "dataproc"
GCS = LOCAL / "gcs"
LOCK = LOCAL / "lock"
LOGS = LOCAL / "logs"
MAIL = LOCAL / "mail"
PORTS = LOCAL / "ports.json"  # of the cloud that is up
RUN = LOCAL / "run"
SAMPLE = LOCAL / "sample"
SECRETS = LOCAL / "secrets"
STATE = LOCAL / "services.json"
