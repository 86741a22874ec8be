"""What .ci/run installs on a clean machine, and as whom."""

import shutil
import subprocess
from pathlib import Path

import pytest

from medallion.documents import ROOT

TOLD = '#!/bin/sh\necho "$(basename "$0") $*"\n'
DATABASE = [] if Path("/usr/sbin/mariadbd").exists() else ["mariadb-server"]


def run(folder: Path, user: int, *installed: str) -> list[str]:
    """The commands that .ci/run gives on a machine that has these programs."""
    for name in ("bash", "basename", "dirname", "env", "sh"):
        (folder / name).symlink_to(shutil.which(name) or name)
    for name in ("apt-get", "sudo", *installed):
        (folder / name).write_text(TOLD)
    (folder / "id").write_text(f"#!/bin/sh\necho {user}\n")
    for name in ("apt-get", "sudo", "id", *installed):
        (folder / name).chmod(0o755)
    done = subprocess.run(
        [ROOT / ".ci" / "run"], env={"PATH": str(folder)}, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize(("user", "sudo"), [(0, ""), (1000, "sudo --preserve-env=DEBIAN_FRONTEND ")])
def test_what_is_missing_is_installed_as_root(tmp_path: Path, user: int, sudo: str) -> None:
    told = run(tmp_path, user, "make")
    packages = " ".join(["chromium", *DATABASE])
    options = "-y -qq --no-install-recommends"
    assert told == [
        f"{sudo}apt-get update -qq",
        f"{sudo}apt-get install {options} {packages}",
        "make setup",
        "make check",
        "make test",
    ]


@pytest.mark.skipif(bool(DATABASE), reason="MariaDB is not installed. Next: apt-get install mariadb-server.")
@pytest.mark.parametrize("browser", ["chromium", "google-chrome"])
def test_nothing_is_installed_twice(tmp_path: Path, browser: str) -> None:
    assert run(tmp_path, 1000, "make", browser) == ["make setup", "make check", "make test"]
