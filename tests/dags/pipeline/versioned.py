"""A bucket in memory that keeps what its objects were before, which the stand-in does not."""

from collections.abc import Iterator
from copy import copy
from datetime import UTC, datetime
from fnmatch import fnmatch
from itertools import count
from typing import Any


class Version:
    """One generation of an object; `time_deleted` says since when it is live no more."""

    def __init__(self, bucket: "VersionedBucket", name: str, data: bytes) -> None:
        self.bucket, self.name, self.data = bucket, name, data
        self.generation = next(bucket.generations)
        self.size, self.crc32c, self.content_type = len(data), "checksum", "text/csv"
        self.metadata: dict[str, str] = {}
        self.time_deleted: datetime | None = None

    def download_as_bytes(self) -> bytes:
        return self.data

    def upload_from_string(self, data: bytes, content_type: str, if_generation_match: int) -> None:
        assert self.generation == if_generation_match
        self.bucket.land(self.name, data).metadata = self.metadata
        if self.bucket.landing is not None:
            self.bucket.land(self.name, self.bucket.landing)

    def reload(self) -> None:
        live = self.bucket.get_blob(self.name)
        assert live is not None
        self.generation, self.metadata = live.generation, live.metadata

    def delete(self) -> None:
        self.bucket.versions = [each for each in self.bucket.versions if each.generation != self.generation]


class VersionedBucket:
    """Also the client, whose only bucket it is."""

    def __init__(self) -> None:
        self.generations = count(1)
        self.versions: list[Version] = []
        self.landing: bytes | None = None  # lands in the moment after an object was written anew

    def bucket(self, name: str) -> "VersionedBucket":
        return self

    def land(self, name: str, data: bytes) -> Version:
        self.remove(name)
        self.versions.append(Version(self, name, data))
        return self.versions[-1]

    def remove(self, name: str) -> None:
        """Deletes an object by its name alone."""
        for each in self.versions:
            if each.name == name and each.time_deleted is None:
                each.time_deleted = datetime(2017, 1, 2, tzinfo=UTC)

    def get_blob(self, name: str) -> Version | None:
        return next((each for each in self.list_blobs(name) if each.name == name), None)

    def list_blobs(
        self, prefix: str = "", match_glob: str = "*", versions: bool = False
    ) -> Iterator[Version]:
        for each in list(self.versions):
            shown = versions or each.time_deleted is None
            if shown and each.name.startswith(prefix) and fnmatch(each.name, match_glob):
                yield copy(each)  # a client knows what it was told, not what has become of it

    def held(self) -> list[tuple[str, bytes]]:
        """Name and content of every version."""
        return [(each.name, each.data) for each in self.versions]


def row(uri: str, known: int, state: str = "accepted") -> dict[str, Any]:
    """A file as the ledger knows it (sql/erasure/files.sql)."""
    return {"uri": uri, "generation": known, "state": state, "format": "csv"}
