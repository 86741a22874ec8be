"""What `make deploy` says before it reaches Google Cloud."""

import pytest

from deploy.__main__ import main
from local import rollback

NOBODY = r"Google Cloud: expected credentials, got: File /nowhere.json was not found."
NEXT = "Next: gcloud auth application-default login.\n"


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere.json")
    # Whoever works on the project has files that are not committed.
    monkeypatch.setattr("deploy.__main__.require_committed", lambda root: None)


def test_a_laptop_is_refused_before_anybody_signs_in(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["local"]) == 1
    expected = "conf/environments/local.yaml: composer: expected an environment and its bucket, got none."
    assert capsys.readouterr().err.startswith(expected)


def test_who_has_not_signed_in_is_told_how(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dev"]) == 1
    assert capsys.readouterr().err == f"{NOBODY}\n{NEXT}"


def test_a_rollback_in_the_cloud_asks_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert rollback.main(["customer_churn", "--environment", "dev"]) == 1
    assert capsys.readouterr().err == f"\n{NOBODY}\n{NEXT}"
