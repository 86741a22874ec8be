"""The same DAGs for both: product files for ours, and for dag-factory YAML that spells their tasks out."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from airflow.sdk import DAG, TaskGroup, TriggerRule

from medallion.documents import CONF, ROOT
from medallion.environments import load_environment
from medallion.products import load_product, product_names
from pipeline.deadline import SUFFIX, deadline_dag
from pipeline.product import product_dag

BROKEN = 7  # the number of the file that is broken
GOOGLE = "airflow.providers.google.cloud.operators"
OPERATORS = {
    "BigQueryJobOperator": f"{GOOGLE}.bigquery.BigQueryInsertJobOperator",
    "DataprocCreateBatchOperator": f"{GOOGLE}.dataproc.DataprocCreateBatchOperator",
    "TriggerDagRunOperator": "airflow.providers.standard.operators.trigger_dagrun.TriggerDagRunOperator",
}
PYTHON = "airflow.providers.standard.operators.python.PythonOperator"
FACTORY = """from pathlib import Path

from airflow.sdk import DAG
from dagfactory import load_yaml_dags

load_yaml_dags(globals_dict=globals(), dags_folder=str(Path(__file__).parent))
"""
NAMED = "".join(f"import {GOOGLE}.{module}\n" for module in ("bigquery", "dataproc"))


def product_files(folder: Path, number: int) -> Path:
    """Lays a deployment with so many products, the real ones in turn; returns the file of their DAGs."""
    for part in ("dags", "medallion", "sql"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(CONF, folder / "conf", ignore=shutil.ignore_patterns("products"))
    (folder / "conf" / "products").mkdir()
    for name, product in _copies(number):
        text = (CONF / "products" / f"{product}.yaml").read_text(encoding="utf-8")
        text = text.replace(f"name: {product}\n", f"name: {name}\n", 1)
        text += "colour: red\n" if name == _name(BROKEN) else ""
        (folder / "conf" / "products" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder / "dags" / "data_products.py"


def factory_files(folder: Path, number: int) -> tuple[Path, Path]:
    """Writes the same DAGs, task by task, as dag-factory wants them.

    Returns the file that loads them as its documentation says, and one that names the providers as ours does.
    """
    environment = load_environment("local")
    products = {name: load_product(name) for name in product_names()}
    dags = {name: product_dag(product, environment) for name, product in products.items()}
    deadlines = {
        name: deadline_dag(product, environment) for name, product in products.items() if product.deadline
    }
    folder.mkdir(parents=True)
    for name, product in _copies(number):
        told = {name: _spelled_out(dags[product])}
        if product in deadlines:
            told[f"{name}{SUFFIX}"] = _spelled_out(deadlines[product])
        if name == _name(BROKEN):
            told[name]["tasks"][0]["operator"] = "nowhere.Operator"
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(told, sort_keys=False), encoding="utf-8")
    files = folder / "load.py", folder / "load_named.py"
    for file, named in zip(files, ("", NAMED), strict=True):
        file.write_text(named + FACTORY, encoding="utf-8")
    return files


def _copies(number: int) -> Iterator[tuple[str, str]]:
    products = product_names()
    return ((_name(index), products[index % len(products)]) for index in range(number))


def _name(index: int) -> str:
    return f"product_{index:03}"


def _spelled_out(dag: DAG) -> dict[str, Any]:
    """A DAG with its tasks, groups and dependencies in dag-factory's words."""
    groups = [group for group in dag.task_group.children.values() if isinstance(group, TaskGroup)]
    return {
        "default_args": {
            **{"owner": dag.owner, "start_date": "2026-01-01", "retries": 3, "retry_delay_sec": 10},
            "retry_exponential_backoff": True,
        },
        "description": dag.description,
        "schedule": "0 0 * * *",
        "catchup": False,
        "max_active_runs": 1,
        "tags": sorted(dag.tags),
        "task_groups": [{"group_name": group.group_id, "tooltip": ""} for group in groups],
        "tasks": [_task(task) for task in dag.tasks],
    }


def _task(task: Any) -> dict[str, Any]:
    group, _, name = task.task_id.rpartition(".")
    operator = OPERATORS.get(type(task).__name__, PYTHON)
    told: dict[str, Any] = {
        "task_id": name,
        "operator": operator,
        "trigger_rule": TriggerRule(task.trigger_rule).value,
        "dependencies": [before.rpartition(".")[2] for before in sorted(task.upstream_task_ids)],
    }
    if group:
        told["task_group_name"] = group
    match operator.rpartition(".")[2]:
        case "BigQueryInsertJobOperator":
            told |= {"configuration": {"query": {"query": "SELECT 1", "useLegacySql": False}}}
            told |= {"deferrable": True, "force_rerun": False, "project_id": "p", "location": "US"}
        case "DataprocCreateBatchOperator":
            told |= {"batch": json.loads(json.dumps(task.batch)), "batch_id": "b", "deferrable": True}
            told |= {"project_id": "p", "region": "us-east1"}
        case "TriggerDagRunOperator":
            told |= {"trigger_dag_id": "model", "skip_when_already_exists": True}
        case _:
            told |= {"python_callable": "time.time"}
    return told
