"""The plan of a deployment is made of the checkout alone."""

import socket
from pathlib import Path

import pytest

from deploy.__main__ import main
from deploy.plan import describe, make_plan, packages, upload_order
from medallion.documents import ROOT
from medallion.environments import load_environment
from tests.deploy.conftest import DEV


def test_a_dry_run_prints_the_same_plan_twice_and_asks_nobody(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object) -> None:
        raise AssertionError("a dry run needs no network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    printed = []
    for _ in range(2):
        assert main(["dev", "--dry-run"]) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    release = make_plan(DEV).release
    assert f"Create in gs://customer-data-dev-code/{release}/\n  library.zip" in printed[0]
    assert printed[0].endswith(
        f"Set Airflow's variable medallion_release to {release}\nLook for import errors\n"
    )


def test_the_plan_names_every_file(checkout: Path) -> None:
    plan = make_plan(DEV, checkout)
    lines = "\n".join(describe(plan))
    assert len(plan.files) > 80
    assert [name for name in (*plan.objects, *plan.files) if f"  {name}  " not in lines] == []


def test_files_lie_as_composer_reads_them() -> None:
    files = make_plan(DEV).files
    assert files["dags/data_products.py"] == (ROOT / "dags/data_products.py").read_bytes()
    for name in ("dags/pipeline/clean.py", "dags/medallion/products.py", "dags/conf/environments/dev.yaml"):
        assert name in files
    assert "dags/sql/ops/tables.sql" in files
    assert not [name for name in files if "__pycache__" in name or name.startswith("dags/spark_jobs")]


def test_dag_files_come_after_what_they_import() -> None:
    assert upload_order(dict.fromkeys(["dags/a.py", "dags/pipeline/b.py", "dags/.airflowignore"], b"")) == [
        "dags/.airflowignore",
        "dags/pipeline/b.py",
        "dags/a.py",
    ]


def test_environments_have_plans_of_their_own() -> None:
    dev, prod = make_plan(DEV), make_plan(load_environment("prod"))
    assert (dev.release, dev.files) == (prod.release, prod.files)
    assert "gs://customer-data-prod-composer/" in "\n".join(describe(prod))


def test_composer_installs_what_its_image_lacks_at_the_versions_of_the_laptop() -> None:
    wanted = packages((ROOT / "requirements.txt").read_text())
    assert sorted(wanted) == [
        "apache-airflow-providers-slack",
        "pymysql",
    ]
    locked = (ROOT / "requirements" / "pipeline.txt").read_text().splitlines()
    assert {f"{name}{version} \\" for name, version in wanted.items()} <= set(locked)


def test_an_unknown_environment_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nowhere", "--dry-run"]) == 1
    assert "conf/environments/nowhere.yaml" in capsys.readouterr().err
