"""The fields of objects that a plain file cannot hold, such as `metadata`: one small JSON file an object."""

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Attributes:
    """What the writer of one generation said about it."""

    generation: int
    metageneration: int = 1
    fields: Mapping[str, Any] = field(default_factory=dict)

    def merged(self, changes: Mapping[str, Any]) -> "Attributes":
        """The next metageneration."""
        return Attributes(self.generation, self.metageneration + 1, _merge(self.fields, changes))


class AttributeStore:
    """Attributes belong to a generation: those of a file that another program has replaced do not count."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)

    def read(self, bucket: str, name: str, generation: int) -> Attributes:
        try:
            kept = Attributes(**json.loads(self._file(bucket, name).read_text()))
        except FileNotFoundError:
            return Attributes(generation)
        return kept if kept.generation == generation else Attributes(generation)

    def write(self, bucket: str, name: str, attributes: Attributes) -> None:
        if attributes == Attributes(attributes.generation):
            return self.delete(bucket, name)
        file = self._file(bucket, name)
        spooled = file.with_suffix(f".{uuid.uuid4().hex}")
        spooled.write_text(json.dumps(asdict(attributes)))
        spooled.replace(file)

    def delete(self, bucket: str, name: str) -> None:
        self._file(bucket, name).unlink(missing_ok=True)

    def _file(self, bucket: str, name: str) -> Path:
        # Hashed, because a name's own path could be that of another name's folder.
        return self._folder / hashlib.sha256(f"{bucket}/{name}".encode()).hexdigest()


def _merge(fields: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON merge patch (RFC 7396): None removes a field."""
    merged = dict(fields)
    for key, value in changes.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            merged[key] = _merge(merged.get(key) or {}, value)
        else:
            merged[key] = value
    return merged
