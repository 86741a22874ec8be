"""A deployment puts what is missing, changes what differs, and never touches a running job's code."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from google.cloud import storage

from deploy import storage as deploy_storage
from deploy.composer import Composer
from deploy.errors import DeployError
from deploy.plan import VARIABLE, make_plan
from deploy.steps import SETTLE_SECONDS, deploy
from deploy.storage import RECORD
from medallion.environments import load_environment
from tests.deploy.conftest import DEV, StandIn

assert DEV.composer
CODE, DAGS = DEV.buckets["code"], DEV.composer.bucket
Ship = Callable[[], list[str]]


@pytest.fixture
def ran() -> list[str]:
    """SQL that was run."""
    return []


@pytest.fixture
def ship(checkout: Path, cloud: storage.Client, composer: Composer, ran: list[str]) -> Ship:
    """Deploys the checkout as it is."""
    return lambda: deploy(make_plan(DEV, checkout), cloud, composer, ran.append, sleep=lambda seconds: None)


def content(cloud: storage.Client, bucket: str) -> dict[str, int]:
    """Generations of the objects in a bucket, by name: another one says that the object was written again."""
    return {blob.name: blob.generation for blob in cloud.list_blobs(bucket)}


def test_an_empty_environment_gets_everything(
    ship: Ship, cloud: storage.Client, standin: StandIn, checkout: Path, ran: list[str]
) -> None:
    plan = make_plan(DEV, checkout)
    changes = ship()
    assert set(content(cloud, CODE)) == {f"{plan.release}/{name}" for name in plan.objects}
    assert set(content(cloud, DAGS)) == {*plan.files, RECORD}
    assert standin.variables == {VARIABLE: plan.release}
    assert len(changes) == len(plan.objects) + len(plan.files) + 1
    assert ran == [plan.tables]
    assert "CREATE TABLE IF NOT EXISTS `ops.files`" in plan.tables


def test_the_second_deployment_changes_nothing(ship: Ship, cloud: storage.Client) -> None:
    ship()
    before = content(cloud, CODE), content(cloud, DAGS)
    assert ship() == []
    assert (content(cloud, CODE), content(cloud, DAGS)) == before


def test_a_changed_query_is_all_that_is_put(ship: Ship, cloud: storage.Client, checkout: Path) -> None:
    ship()
    before = content(cloud, DAGS)
    changed = checkout / "sql" / "gold" / "daily_sales.sql"
    changed.write_text(f"-- mended\n{changed.read_text()}")
    assert ship() == ["put dags/sql/gold/daily_sales.sql"]
    after = content(cloud, DAGS)
    assert {name for name in after if after[name] != before.get(name)} == {"dags/sql/gold/daily_sales.sql"}


def test_changed_code_is_a_new_release_beside_the_running_ones(
    ship: Ship, cloud: storage.Client, checkout: Path, standin: StandIn
) -> None:
    ship()
    running, first = content(cloud, CODE), standin.variables[VARIABLE]
    (checkout / "spark_jobs" / "clean.py").open("a").write("# mended\n")
    ship()
    after = content(cloud, CODE)
    assert {name: after[name] for name in running} == running
    assert {name.partition("/")[0] for name in after} == {first, standin.variables[VARIABLE]}
    assert len(after) == 2 * len(running)


def test_deploying_the_earlier_files_rolls_back(
    ship: Ship, cloud: storage.Client, checkout: Path, standin: StandIn
) -> None:
    ship()
    first, job = standin.variables[VARIABLE], checkout / "spark_jobs" / "clean.py"
    earlier = job.read_text()
    job.write_text(f"{earlier}# worse\n")
    (checkout / "dags" / "pipeline" / "worse.py").write_text('"""Worse."""\n')
    ship()
    second, code = standin.variables[VARIABLE], content(cloud, CODE)
    job.write_text(earlier)
    (checkout / "dags" / "pipeline" / "worse.py").unlink()
    assert ship() == ["deleted dags/pipeline/worse.py", f"{VARIABLE} {second} -> {first}"]
    assert content(cloud, CODE) == code


def test_files_of_a_broken_off_deployment_go_with_the_next(
    ship: Ship, cloud: storage.Client, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ship()
    (checkout / "dags" / "pipeline" / "worse.py").write_text('"""Worse."""\n')
    whole = deploy_storage._put

    def broken_off(*arguments: Any) -> None:
        whole(*arguments)
        raise ConnectionError("gone")

    monkeypatch.setattr(deploy_storage, "_put", broken_off)
    with pytest.raises(ConnectionError, match="gone"):
        ship()
    monkeypatch.undo()
    (checkout / "dags" / "pipeline" / "worse.py").unlink()
    assert ship() == ["deleted dags/pipeline/worse.py"]
    assert "dags/pipeline/worse.py" not in content(cloud, DAGS)


def test_files_of_others_stay(ship: Ship, cloud: storage.Client) -> None:
    cloud.bucket(DAGS).blob("dags/airflow_monitoring.py").upload_from_string("# Composer's own")
    ship()
    ship()
    assert "dags/airflow_monitoring.py" in content(cloud, DAGS)


def test_an_interrupted_release_is_completed(ship: Ship, cloud: storage.Client, checkout: Path) -> None:
    ship()
    release = make_plan(DEV, checkout).release
    cloud.bucket(CODE).blob(f"{release}/library.zip").delete()
    assert ship() == [f"created gs://{CODE}/{release}/library.zip"]
    library = cloud.bucket(CODE).blob(f"{release}/library.zip").download_as_bytes()
    assert "medallion/products.py" in zipfile.ZipFile(io.BytesIO(library)).namelist()


def test_packages_are_installed_only_when_they_changed(ship: Ship, checkout: Path, standin: StandIn) -> None:
    ship()
    assert standin.packages == {}
    (checkout / "requirements.txt").write_text("pendulum[test]>=3,<4  # a reason\n")
    assert ship() == ["packages none -> {'pendulum': '[test]<4,>=3'}"]
    assert standin.packages == {"pendulum": "[test]<4,>=3"}
    assert ship() == []


def test_a_file_that_airflow_cannot_import_fails_the_deployment(ship: Ship, standin: StandIn) -> None:
    standin.broken = [{"filepath": "dags/data_products.py", "error": "no such module"}]
    with pytest.raises(DeployError, match=r"1 files:\ndags/data_products\.py: no such module\nNext: mend"):
        ship()


def test_airflow_is_given_time_only_after_a_change(
    checkout: Path, cloud: storage.Client, composer: Composer
) -> None:
    slept: list[float] = []
    for expected in ([SETTLE_SECONDS], [SETTLE_SECONDS]):
        deploy(make_plan(DEV, checkout), cloud, composer, lambda sql: None, sleep=slept.append)
        assert slept == expected


def test_a_laptop_is_nothing_to_deploy_to(checkout: Path, cloud: storage.Client, composer: Composer) -> None:
    with pytest.raises(DeployError, match=r"local.yaml: composer: expected an environment and its bucket"):
        deploy(make_plan(load_environment("local"), checkout), cloud, composer, lambda sql: None)


def test_a_command_that_airflow_refuses_fails_the_deployment(composer: Composer, standin: StandIn) -> None:
    standin._run = lambda command: (1, ["no database"])  # type: ignore[method-assign]
    with pytest.raises(DeployError, match="variables set medallion_release ended with 1: no database"):
        composer.set_variable(VARIABLE, "r")
    with pytest.raises(DeployError, match="list-import-errors ended with 1: no database"):
        composer.import_errors()
