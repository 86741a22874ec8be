"""A place for histories."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dags.certificate.place import Place


@pytest.fixture(scope="module")
def place(
    bigquery_url: str, gcs_url: str, buckets: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    place = Place(tmp_path_factory.mktemp("certificate"), bigquery_url, gcs_url, buckets)
    yield place
    place.stop()
