"""A run's manifest: which files it cleans, by which contract and code, and where it leaves the rows."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class SourceFile:
    """A version of an object in bronze; `size` is in bytes, `checksum` the object's CRC32C.

    `format` and `header` are known beforehand only of a file whose rejected rows are replayed.
    """

    uri: str
    generation: int
    size: int
    checksum: str
    format: str | None = None
    header: str | None = None


@dataclass(frozen=True)
class Manifest:
    """The inputs of a run. `contract` is the whole document, so that a later edit can't change the run.

    `references` maps a dataset to the folder with Parquet files of its key. Where `replay` is given, rows
    come from its JSON lines, {"file": index into files, "raw": the row's text}, and not from the files.
    `hash_key` names the secret that personal columns are hashed with.
    """

    product: str
    run: str
    release: str
    contract: dict[str, Any]
    files: tuple[SourceFile, ...]
    output: str
    references: dict[str, str] = field(default_factory=dict)
    replay: str | None = None
    hash_key: str | None = None

    def to_json(self) -> str:
        """The manifest as a JSON document, the same for the same manifest."""
        return json.dumps(asdict(self), sort_keys=True, indent=1)

    @classmethod
    def from_json(cls, text: str | bytes) -> "Manifest":
        """Reads what to_json wrote."""
        data = json.loads(text)
        return cls(**{**data, "files": tuple(SourceFile(**item) for item in data["files"])})


def run_id(
    product: str, contract_fingerprint: str, release: str, files: tuple[SourceFile, ...], extra: str = ""
) -> str:
    """The identity of a run, from what it processes and by what: a retry finds its own work.

    `extra` is whatever the run processes beside whole files.
    """
    versions = sorted(f"{file.uri}#{file.generation}" for file in files)
    parts = [product, contract_fingerprint, release, *versions, *([extra] if extra else [])]
    return f"r{hashlib.sha256(chr(10).join(parts).encode()).hexdigest()[:16]}"
