"""Both contenders of the parsing benchmark have the same DAGs."""

import os
from pathlib import Path

import pytest
import yaml

from bench.dag_parsing.run import lay_out
from medallion.environments import load_environment
from medallion.errors import ConfigError
from medallion.products import load_product


def test_both_have_the_same_tasks_and_one_broken_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_HOME", os.environ.get("AIRFLOW_HOME", str(tmp_path)))
    ours, start, theirs, named = lay_out(tmp_path, 9)
    from pipeline.product import product_dag  # which loads Airflow

    assert start.dag == "product_000"
    assert named.file.read_text().endswith(theirs.file.read_text())
    conf, environment = ours.file.parents[1] / "conf", load_environment("local")
    for index in range(9):
        name = f"product_{index:03}"
        told = yaml.safe_load((theirs.file.parent / f"{name}.yaml").read_text())[name]
        if index == 7:
            with pytest.raises(ConfigError, match="only the keys"):
                load_product(name, conf)
            assert told["tasks"][0]["operator"] == "nowhere.Operator"
            continue
        tasks = product_dag(load_product(name, conf), environment).tasks
        spelled_out = {
            f"{task['task_group_name']}.{task['task_id']}" if "task_group_name" in task else task["task_id"]
            for task in told["tasks"]
        }
        assert spelled_out == {task.task_id for task in tasks}
        upstream = sum(len(task.upstream_task_ids) for task in tasks)
        assert sum(len(task["dependencies"]) for task in told["tasks"]) == upstream > 10
