"""What is deployed imports where Composer puts it, without Spark, Keras and the rest of the repository."""

import json
import os
import subprocess
import sys
from pathlib import Path

from deploy.plan import make_plan
from medallion.models import model_names
from medallion.products import load_product, product_names
from tests.deploy.conftest import DEV

# What Airflow does with the folder, where nothing of the jobs can be imported.
IMPORT = """
import json, sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("keras", "ml", "pyspark", "spark_jobs", "tensorflow"):
            raise ImportError(f"{name} is not on Airflow's workers")

sys.meta_path.insert(0, Refuse())
from airflow.models.dagbag import DagBag
bag = DagBag(sys.argv[1], include_examples=False, safe_mode=True)
batches = {
    task.batch["environment_config"]["execution_config"]["service_account"]
    for dag in bag.dags.values() for task in dag.tasks if hasattr(task, "batch")
}
print(json.dumps({"dags": sorted(bag.dags), "errors": bag.import_errors, "accounts": sorted(batches)}))
"""


def test_the_deployed_dags_import(tmp_path: Path) -> None:
    bucket = tmp_path / "bucket"
    for name, data in make_plan(DEV).files.items():
        (bucket / name).parent.mkdir(parents=True, exist_ok=True)
        (bucket / name).write_bytes(data)
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(bucket / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "MEDALLION_ENVIRONMENT": "dev",
        "PYTHONPATH": str(bucket / "dags"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-c", IMPORT, str(bucket / "dags")]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    products = {name: load_product(name) for name in product_names()}
    deadlines = [f"{name}__deadline" for name, each in products.items() if each.deadline]
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "dags": sorted((*product_names(), *model_names(), *deadlines)),
        "errors": {},
        "accounts": [
            "spark-jobs@customer-data-dev.iam.gserviceaccount.com",
            "trainer@customer-data-dev.iam.gserviceaccount.com",
        ],
    }
