"""What a person has mistyped, or a file's mistake, is told in words, and not by a traceback."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local import airflow, backfill, forget, replay
from local.airflow import AirflowApi
from local.services import ServiceError

DATES = ["2017-01-01", "2017-01-02"]


@pytest.mark.parametrize(
    ("command", "rest"), [(replay.main, []), (backfill.main, DATES), (forget.main, ["1071"])]
)
def test_a_product_that_nobody_knows_is_named(
    capsys: pytest.CaptureFixture[str], command: Callable[[list[str]], int], rest: list[str]
) -> None:
    assert command(["typo", *rest]) == 1
    assert "conf/products/typo.yaml: the file: expected a file" in capsys.readouterr().err


class Nothing:
    """A session of an Airflow without DAGs."""

    def get(self, *_: Any, **__: Any) -> Any:
        return type("Answer", (), {"status_code": 404})


@pytest.mark.parametrize(
    ("errors", "told"),
    [
        (["SyntaxError: invalid syntax"], "SyntaxError: invalid syntax\nNext: mend the file."),
        ([], r"no import error. Next: read .*airflow-dag-processor.log."),
    ],
)
def test_a_dag_that_airflow_cannot_import_is_told(
    monkeypatch: pytest.MonkeyPatch, errors: list[str], told: str
) -> None:
    api = AirflowApi.__new__(AirflowApi)
    monkeypatch.setattr(api, "_url", "", raising=False)
    monkeypatch.setattr(api, "_session", Nothing(), raising=False)
    found = {"import_errors": [{"stack_trace": error} for error in errors]}
    monkeypatch.setattr(api, "get", lambda _: found)
    with pytest.raises(ServiceError, match=rf"(?s)^sales: expected a DAG within 0 s, got .*{told}$"):
        api.wait_for_dag("sales", seconds=0)


def test_a_database_that_airflow_cannot_make_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(airflow, "AIRFLOW", tmp_path)
    monkeypatch.setattr(airflow, "CACHE", tmp_path)
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(ServiceError, match=r"expected a migrated database, got code 1"):
        airflow.prepare_database({}, "3")
