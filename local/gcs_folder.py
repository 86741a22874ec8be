"""Cloud Storage objects as plain files, `<root>/<bucket>/<object>`: no index, the disk is the truth."""

import base64
import functools
import hashlib
import mimetypes
import os
import re
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import google_crc32c

from local.gcs_attributes import Attributes, AttributeStore

MAX_NAME_BYTES, MAX_PART_BYTES = 1024, 255  # Cloud Storage's of a whole name, the disk's of a part
UNMET = "At least one of the pre-conditions you specified did not hold."
BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]")
# What Spark leaves beside its data while it writes; the real service has no .crc, and shows the others.
WORK_IN_PROGRESS = re.compile(r"(^|/)(\.[^/]*\.crc|_temporary/.*|\.spark-staging.*)$")


class StorageError(Exception):
    """A refusal, with the HTTP status that Cloud Storage answers in its place."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Preconditions:
    """What must hold of an object before it is touched; generation 0 means that it does not exist."""

    generation_match: int | None = None
    generation_not_match: int | None = None
    metageneration_match: int | None = None

    def check(self, current: "StoredObject | None") -> None:
        generation = current.generation if current else 0
        metageneration = current.metageneration if current else 0
        if (
            self.generation_match not in (None, generation)
            or self.generation_not_match == generation
            or self.metageneration_match not in (None, metageneration)
        ):
            raise StorageError(412, UNMET)


@dataclass(frozen=True)
class StoredObject:
    """One generation of an object."""

    bucket: str
    name: str
    path: Path
    size: int
    modified_ns: int
    attributes: Attributes

    @property
    def generation(self) -> int:
        return self.attributes.generation

    @property
    def metageneration(self) -> int:
        return self.attributes.metageneration

    @property
    def content_type(self) -> str:
        guess = mimetypes.guess_type(self.name)[0]
        return self.attributes.fields.get("contentType") or guess or "application/octet-stream"

    def checksums(self) -> dict[str, str]:
        """Returns `crc32c` and `md5Hash`, base64; the whole file is read once a generation."""
        try:
            return {} if self.path.is_dir() else _checksums(self.path, self.modified_ns, self.size)
        except FileNotFoundError:
            raise StorageError(404, f"Deleted meanwhile: {self.bucket}/{self.name}") from None


@functools.lru_cache(maxsize=100_000)
def _checksums(path: Path, modified_ns: int, size: int) -> dict[str, str]:
    crc32c, md5 = google_crc32c.Checksum(), hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            crc32c.update(chunk)
            md5.update(chunk)
    digests = {"crc32c": crc32c.digest(), "md5Hash": md5.digest()}
    return {name: base64.b64encode(digest).decode() for name, digest in digests.items()}


class GcsFolder:
    """The buckets below one folder; other programs may read and write the same files at any time."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        # Dot folders are no buckets. They are below the root so that a move into a bucket is atomic.
        self._uploads = self.root / ".uploads"
        self._uploads.mkdir(parents=True, exist_ok=True)
        self._attributes = AttributeStore(self.root / ".attributes")
        for abandoned in self._uploads.iterdir():
            abandoned.unlink()
        self._lock = threading.Lock()
        self._last_generation = 0

    def buckets(self) -> list[str]:
        folders = (path.name for path in self.root.iterdir() if path.is_dir())
        return sorted(name for name in folders if BUCKET_NAME.fullmatch(name))

    def bucket(self, name: str) -> Path:
        path = self.root / name
        if not BUCKET_NAME.fullmatch(name) or not path.is_dir():
            raise StorageError(404, f"The specified bucket does not exist: {name}")
        return path

    def create_bucket(self, name: str) -> None:
        if not BUCKET_NAME.fullmatch(name):
            raise StorageError(400, f"Invalid bucket name: {name!r}")
        try:
            (self.root / name).mkdir()
        except FileExistsError:
            raise StorageError(409, f"You already own this bucket: {name}") from None

    def delete_bucket(self, name: str) -> None:
        folders = list(os.walk(self.bucket(name), topdown=False))
        if any(files for _, _, files in folders):
            raise StorageError(409, f"The bucket you tried to delete is not empty: {name}")
        for folder, _, _ in folders:
            Path(folder).rmdir()

    def names(self, bucket: str, prefix: str = "") -> Iterator[str]:
        """The names of all objects that start with `prefix`, in no order."""
        base = self.bucket(bucket)
        folder, _, _ = prefix.rpartition("/")
        if folder and not _is_plain(folder):
            return
        for parent, _, files in os.walk(base / folder):
            inside = Path(parent).relative_to(base)
            for file in files:
                name = (inside / file).as_posix()
                if name.startswith(prefix) and not WORK_IN_PROGRESS.search(name):
                    yield name

    def stat(self, bucket: str, name: str) -> StoredObject:
        stored = self.find(bucket, name)
        if stored is None:
            raise StorageError(404, f"No such object: {bucket}/{name}")
        return stored

    def find(self, bucket: str, name: str) -> StoredObject | None:
        path = self._path(bucket, name)
        if name.endswith("/") or not path.is_file():
            return None
        try:
            return self._describe(bucket, name)
        except FileNotFoundError:  # deleted since the line above
            return None

    def spool(self) -> Path:
        """An empty file for bytes that are still coming; `commit` moves it into place."""
        path = self._uploads / uuid.uuid4().hex
        path.touch()
        return path

    def commit(
        self,
        bucket: str,
        name: str,
        spooled: Path,
        fields: Mapping[str, Any],
        preconditions: Preconditions,
    ) -> StoredObject:
        """Makes the spooled bytes the object's next generation, whole or not at all.

        A name that ends in `/` only makes the folder: folders are no objects and are listed nowhere.
        """
        try:
            target = self._path(bucket, name)
            with self._lock:
                preconditions.check(self.find(bucket, name))
                if name.endswith("/"):
                    target.mkdir(parents=True, exist_ok=True)
                else:
                    self._place(spooled, target, create_only=preconditions.generation_match == 0)
                generation = _generation(target)
                self._attributes.write(bucket, name, Attributes(generation, fields=fields))
                return self._describe(bucket, name)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            raise StorageError(409, f"{name}: a folder and an object cannot have one name on disk") from None
        finally:
            spooled.unlink(missing_ok=True)

    def update(
        self, bucket: str, name: str, changes: Mapping[str, Any], preconditions: Preconditions
    ) -> StoredObject:
        """Changes what is said about the object, as a JSON merge patch; the bytes and the generation stay."""
        with self._lock:
            current = self.stat(bucket, name)
            preconditions.check(current)
            self._attributes.write(bucket, name, current.attributes.merged(changes))
            return self._describe(bucket, name)

    def delete(self, bucket: str, name: str, preconditions: Preconditions) -> None:
        with self._lock:
            current = self.stat(bucket, name)
            preconditions.check(current)
            current.path.unlink()
            self._attributes.delete(bucket, name)

    def _path(self, bucket: str, name: str) -> Path:
        if not _is_plain(name.removesuffix("/")):
            raise StorageError(400, f"Invalid object name for a file store: {name!r}")
        return self.bucket(bucket) / name

    def _place(self, spooled: Path, target: Path, create_only: bool) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        generation = self._next_generation(target)
        os.utime(spooled, ns=(generation * 1000, generation * 1000))
        if not create_only:
            spooled.replace(target)
            return
        try:
            # Unlike a rename, a link fails if another program has just written the file.
            target.hardlink_to(spooled)
        except FileExistsError:
            raise StorageError(412, UNMET) from None

    def _next_generation(self, target: Path) -> int:
        """Strictly larger than any before it, also when the clock stands still or goes back."""
        current = _generation(target) if target.exists() else 0
        self._last_generation = max(time.time_ns() // 1000, current + 1, self._last_generation + 1)
        return self._last_generation

    def _describe(self, bucket: str, name: str) -> StoredObject:
        path = self._path(bucket, name)
        status = path.stat()
        size = 0 if path.is_dir() else status.st_size
        attributes = self._attributes.read(bucket, name, status.st_mtime_ns // 1000)
        return StoredObject(bucket, name, path, size, status.st_mtime_ns, attributes)


def _generation(path: Path) -> int:
    """The time of the last write in microseconds, which is what the real service's generations look like."""
    return path.stat().st_mtime_ns // 1000


def _is_plain(name: str) -> bool:
    """Whether Cloud Storage takes a name, and it is one path below its bucket.

    That is Unicode without line ends, no longer than it may be; nothing empty, and no dots that climb.
    """
    try:
        encoded = name.encode()
    except UnicodeEncodeError:
        return False
    return (
        len(encoded) <= MAX_NAME_BYTES
        and not set(b"\0\r\n") & set(encoded)
        and all(
            part not in (b"", b".", b"..") and len(part) <= MAX_PART_BYTES for part in encoded.split(b"/")
        )
    )
