"""Parses a DAG file as Airflow's DAG processor or a task's start does, on one core; prints what that took."""

import argparse
import importlib
import json
import os
import sys
import time
from pathlib import Path

from airflow.models.dagbag import DagBag  # loaded before the clock runs, as it is where Airflow forks
from airflow.sdk.definitions._internal.dag_parsing_context import _airflow_parsing_context_manager
from airflow.utils.file import iter_airflow_imports


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--dag", help="the DAG of the task that starts")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    for module in [] if arguments.dag else iter_airflow_imports(str(arguments.file)):
        importlib.import_module(module)  # as the DAG processor does before it forks; a task's start doesn't
    cpu, wall = time.process_time(), time.perf_counter()
    with _airflow_parsing_context_manager(dag_id=arguments.dag):
        bag = DagBag(str(arguments.file), include_examples=False, safe_mode=True)
    took = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
    tasks = sum(len(dag.tasks) for dag in bag.dags.values() if "broken" not in dag.tags)
    told = {**took, "dags": len(bag.dags), "tasks": tasks, "errors": bag.import_errors}
    sys.stdout.write(f"\n{json.dumps(told)}\n")


if __name__ == "__main__":
    main()
