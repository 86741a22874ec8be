"""A release is named after its content."""

import io
import zipfile
from pathlib import Path

import pytest

from medallion.documents import ROOT
from medallion.release import LIBRARY, build_release


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("medallion/a.py", "spark_jobs/clean.py", "ml/train.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"# {name}\n")
    return tmp_path


def test_the_same_sources_make_the_same_release(root: Path) -> None:
    assert build_release(root) == build_release(root)


def test_a_changed_source_changes_the_release(root: Path) -> None:
    before, _ = build_release(root)
    (root / "medallion" / "a.py").write_text("# mended\n")
    assert build_release(root)[0] != before


def test_entries_lie_beside_the_library(root: Path) -> None:
    _, objects = build_release(root)
    assert set(objects) == {LIBRARY, "spark_jobs/clean.py", "ml/train.py"}


def test_the_projects_library_holds_every_package() -> None:
    _, objects = build_release(ROOT)
    names = zipfile.ZipFile(io.BytesIO(objects[LIBRARY])).namelist()
    assert {name.split("/")[0] for name in names} == {"medallion", "ml", "spark_jobs"}
    assert "spark_jobs/cleaning/rows.py" in names
