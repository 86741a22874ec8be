"""Where the local cloud keeps its things, all of it under .local/."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
LOCAL = ROOT / ".local"
AIRFLOW = LOCAL / "airflow"
BIGQUERY = LOCAL / "bigquery"
DATAPROC = LOCAL / "dataproc"
EMULATORS = LOCAL / "venv" / "emulators" / "bin"
GCS = LOCAL / "gcs"
LOGS = LOCAL / "logs"
PORTS = LOCAL / "ports.json"  # of the cloud that is up
RUN = LOCAL / "run"
SAMPLE = LOCAL / "sample"
STATE = LOCAL / "services.json"
