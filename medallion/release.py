"""A release: the jobs' code as content-addressed objects, so that no running job's is overwritten."""

import hashlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

PACKAGES = ("medallion", "ml", "spark_jobs")
ENTRIES = ("ml/evaluate.py", "ml/score.py", "ml/train.py", "spark_jobs/clean.py")
LIBRARY = "library.zip"


def build_release(root: Path) -> tuple[str, dict[str, bytes]]:
    """The release's id, and its objects by their names below the id: the library and the jobs' entries."""
    sources = list(_sources(root))
    digest = hashlib.sha256()
    for name, data in sources:
        digest.update(f"{name}\0{len(data)}\0".encode() + data)
    entries = {name: data for name, data in sources if name in ENTRIES}
    return digest.hexdigest()[:16], {LIBRARY: _zip(sources), **entries}


def _sources(root: Path) -> Iterator[tuple[str, bytes]]:
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            yield path.relative_to(root).as_posix(), path.read_bytes()


def _zip(sources: list[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sources:
            # ZipInfo's fixed date keeps the archive the same for the same sources.
            archive.writestr(zipfile.ZipInfo(name), data)
    return buffer.getvalue()
