"""A deployment ships what is committed."""

import subprocess
from pathlib import Path

import pytest

from deploy.__main__ import main
from deploy.commit import require_committed
from deploy.errors import DeployError

FILES = ("conf/a.yaml", "dags/b.py", "ml/c.py", "requirements.txt", "docs/d.md")


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No other repository is looked at than one in the test's folder."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")


@pytest.fixture
def committed(tmp_path: Path) -> Path:
    """A repository of some files, in which all are committed."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("1\n")
    who = ("-c", "user.name=n", "-c", "user.email=n@example.com")
    for command in (("init", "--quiet"), ("add", "."), (*who, "commit", "--quiet", "--message=all")):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    return tmp_path


def test_a_committed_checkout_is_shipped(committed: Path, caplog: pytest.LogCaptureFixture) -> None:
    (committed / "docs/d.md").write_text("2\n")  # is not shipped
    require_committed(committed)
    assert caplog.messages == []


def test_every_file_that_differs_is_named(committed: Path) -> None:
    (committed / "conf/a.yaml").write_text("2\n")
    (committed / "dags/b.py").rename(committed / "dags/new.py")
    (committed / "conf/products").mkdir()
    (committed / "conf/products/é x.yaml").touch()
    (committed / "ml/c.py").write_text("2\n")
    subprocess.run(["git", "add", "ml/c.py"], cwd=committed, check=True)
    names = "conf/a.yaml\n  dags/b.py\n  ml/c.py\n  conf/products/é x.yaml\n  dags/new.py"
    with pytest.raises(DeployError, match=rf"got others:\n  {names}\nNext: commit them"):
        require_committed(committed)


def test_a_tarball_is_shipped_as_it_is(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    require_committed(tmp_path)
    assert "not compared with a commit: fatal: not a git repository" in caplog.text


def test_a_machine_without_git_ships_as_it_is(
    committed: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (committed / "conf/a.yaml").write_text("2\n")
    monkeypatch.setenv("PATH", str(committed))
    require_committed(committed)
    assert caplog.messages == ["There is no git: what is shipped is not compared with a commit"]


def test_the_command_refuses_before_anybody_signs_in_but_for_a_dry_run(
    committed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("deploy.__main__.ROOT", committed)
    (committed / "requirements.txt").write_text("2\n")
    assert main(["dev"]) == 1
    expected = "The checkout: expected files as they are committed, got others:\n  requirements.txt\nNext: "
    assert capsys.readouterr().err.startswith(expected)
    assert main(["dev", "--dry-run"]) == 0
