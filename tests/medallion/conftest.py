"""A copy of conf/ that a test may spoil."""

import shutil
from pathlib import Path

import pytest
import yaml

from medallion.documents import CONF


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    shutil.copytree(CONF, tmp_path / "conf")
    return tmp_path / "conf"


def edit(file: Path, **changes: object) -> None:
    """Gives keys of a YAML file other values."""
    file.write_text(yaml.safe_dump({**yaml.safe_load(file.read_text()), **changes}))
