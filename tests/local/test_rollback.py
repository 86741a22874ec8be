from types import SimpleNamespace

import pytest

from local import rollback
from local.cloud import Cloud
from medallion.environments import load_environment
from medallion.pointer import Pointer


def test_a_model_that_nobody_knows_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert rollback.main(["nobody"]) == 1
    assert "conf/models/nobody.yaml: the file: expected a file" in capsys.readouterr().err


def test_it_tells_from_where_to_where(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(rollback, "roll_back", lambda *_: Pointer("v2", ("v1",)))
    monkeypatch.setattr(rollback, "read_pointer", lambda *_: Pointer("v1", (), ("v2",)))
    rollback.point_back(SimpleNamespace(), "churn")
    assert capsys.readouterr().out == "churn: v1 is live again; v2 will not be promoted again.\n"


def test_on_a_laptop_it_needs_no_airflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked of kept data starts storage and the warehouse alone."""
    moved: list[str] = []
    cloud = Cloud(load_environment("local"), {"gcs": 1})
    monkeypatch.setattr(rollback, "on_kept_data", lambda ask: ask(cloud))
    monkeypatch.setattr(rollback, "point_back", lambda bucket, model: moved.append(f"{bucket.name} {model}"))
    assert rollback.main(["customer_churn"]) == 0
    assert moved == [f"{cloud.environment.buckets['models']} customer_churn"]
