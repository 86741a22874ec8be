from types import SimpleNamespace

import pytest

from local import rollback
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
