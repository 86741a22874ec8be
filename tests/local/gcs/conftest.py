"""The stand-in for Cloud Storage, and buckets of it that are empty."""

from itertools import count
from pathlib import Path
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

numbers = count(1)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("a folder with spaces") / "gcs"


@pytest.fixture(scope="module")
def url(servers: Any, root: Path) -> str:
    return f"http://{servers.start('local.gcs', '--root', root).address}"


@pytest.fixture(scope="module")
def client(url: str) -> storage.Client:
    return storage.Client("local", AnonymousCredentials(), client_options={"api_endpoint": url})


@pytest.fixture
def bucket(client: storage.Client) -> storage.Bucket:
    return client.create_bucket(f"bucket-{next(numbers)}")


@pytest.fixture
def folder(root: Path, bucket: storage.Bucket) -> Path:
    return root / bucket.name


def put(bucket: storage.Bucket, *names: str) -> None:
    for name in names:
        bucket.blob(name).upload_from_string(name)


def names(blobs: Any) -> list[str]:
    return [blob.name for blob in blobs]
