"""Brings a release and Airflow's files into their buckets; a release's objects are never overwritten."""

import base64
import hashlib
import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from google.api_core.exceptions import PreconditionFailed
from google.cloud.storage import Blob, Bucket

from deploy.plan import DAGS, is_dag_file, upload_order

# What the last deployment put there: Composer and people keep files of their own in the same folder.
RECORD = "deployments/medallion.json"
UPLOADS = 8


@dataclass(frozen=True)
class Changes:
    """Names of what a deployment put, and of what it deleted."""

    put: tuple[str, ...]
    deleted: tuple[str, ...]


def upload_release(bucket: Bucket, release: str, objects: dict[str, bytes]) -> list[str]:
    """Creates a release's objects that are not there; returns their names.

    An object is never written again: a running job may be about to read it, and its name says what it holds.
    """
    there = {blob.name for blob in bucket.list_blobs(prefix=f"{release}/")}

    def create(name: str) -> bool:
        try:
            bucket.blob(name).upload_from_string(
                objects[name.removeprefix(f"{release}/")], if_generation_match=0
            )
        except PreconditionFailed:  # another deployment was faster
            return False
        return True

    missing = sorted({f"{release}/{name}" for name in objects} - there)
    with ThreadPoolExecutor(UPLOADS) as pool:
        created = list(pool.map(create, missing))
    return [name for name, done in zip(missing, created, strict=True) if done]


def sync(bucket: Bucket, files: dict[str, bytes]) -> Changes:
    """Puts the files that are missing or differ, then deletes those that only an earlier deployment had."""
    there = _hashes(bucket, set(files))
    recorded = _recorded(bucket)
    if (
        new := set(files) - recorded
    ):  # before they are put, so that those of a broken-off deployment are known
        _record(bucket, recorded | new)
    changed = [name for name in upload_order(files) if there.get(name) != _md5(files[name])]
    _put(bucket, files, [name for name in changed if not is_dag_file(name)])
    _put(bucket, files, [name for name in changed if is_dag_file(name)])
    gone = sorted((recorded - set(files)) & set(there))
    for name in gone:
        bucket.blob(name).delete()
    if recorded - set(files):
        _record(bucket, set(files))
    return Changes(tuple(changed), tuple(gone))


def _hashes(bucket: Bucket, wanted: set[str]) -> dict[str, str | None]:
    """MD5 hashes of what is under dags/, by name; of those that are not wanted it may be missing.

    A listing of objects that are encrypted with our own key has none: each object is asked for its own.
    """
    blobs = list(bucket.list_blobs(prefix=DAGS))
    with ThreadPoolExecutor(UPLOADS) as pool:
        list(pool.map(Blob.reload, (blob for blob in blobs if blob.name in wanted and not blob.md5_hash)))
    return {blob.name: blob.md5_hash for blob in blobs}


def _put(bucket: Bucket, files: dict[str, bytes], names: Iterable[str]) -> None:
    with ThreadPoolExecutor(UPLOADS) as pool:
        list(pool.map(lambda name: bucket.blob(name).upload_from_string(files[name]), names))


def _record(bucket: Bucket, names: set[str]) -> None:
    bucket.blob(RECORD).upload_from_string(json.dumps(sorted(names)), "application/json")


def _recorded(bucket: Bucket) -> set[str]:
    blob = bucket.get_blob(RECORD)
    return set(json.loads(blob.download_as_bytes())) if blob else set()


def _md5(data: bytes) -> str:
    """As Cloud Storage tells it."""
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
