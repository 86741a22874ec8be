"""Which version of a model is live: one small object, moved only by who has seen where it pointed."""

import json
from dataclasses import dataclass, replace
from typing import Any

from medallion.errors import MedallionError

NAME = "live.json"


class PointerMovedError(MedallionError):
    """Somebody else moved the pointer meanwhile."""


class NothingEarlierError(MedallionError):
    """There is no earlier version to point back to."""


@dataclass(frozen=True)
class Pointer:
    """The live version, those before it, newest first, and those that a rollback took back.

    `generation` is that of the object as it was read; 0 where there is none yet.
    """

    version: str | None = None
    earlier: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()
    generation: int = 0


def read_pointer(bucket: Any, model: str) -> Pointer:
    """The pointer of a model, in a bucket of google.cloud.storage."""
    blob = bucket.get_blob(f"{model}/{NAME}")
    if blob is None:
        return Pointer()
    held = json.loads(blob.download_as_bytes(if_generation_match=blob.generation))
    return Pointer(held["version"], tuple(held["earlier"]), tuple(held["withdrawn"]), blob.generation)


def promote(bucket: Any, model: str, pointer: Pointer, version: str) -> None:
    """Lets a version follow the one that the pointer named when it was read; raises PointerMovedError."""
    earlier = (pointer.version, *pointer.earlier) if pointer.version else ()
    _move(bucket, model, replace(pointer, version=version, earlier=earlier))


def roll_back(bucket: Any, model: str) -> Pointer:
    """Points back to the version before the live one, which is not promoted again; returns where it pointed.

    Raises NothingEarlierError, and PointerMovedError.
    """
    pointer = read_pointer(bucket, model)
    if not pointer.earlier or pointer.version is None:
        raise NothingEarlierError(
            f"{model}: expected a version before the live one, got {pointer.version or 'none live'} alone. "
            "Next: train a better one; a version that passes the gate replaces it."
        )
    version, *earlier = pointer.earlier
    withdrawn = (pointer.version, *pointer.withdrawn)
    _move(bucket, model, replace(pointer, version=version, earlier=tuple(earlier), withdrawn=withdrawn))
    return pointer


def _move(bucket: Any, model: str, pointer: Pointer) -> None:
    from google.api_core.exceptions import PreconditionFailed  # jobs on Dataproc do without it

    held = {"version": pointer.version, "earlier": pointer.earlier, "withdrawn": pointer.withdrawn}
    try:
        bucket.blob(f"{model}/{NAME}").upload_from_string(
            json.dumps(held), "application/json", if_generation_match=pointer.generation
        )
    except PreconditionFailed:
        found = read_pointer(bucket, model)
        if replace(found, generation=pointer.generation) == pointer:
            return  # moved already, by a try whose reply was lost
        raise PointerMovedError(
            f"{model}: {NAME} was moved while {pointer.version} was to go live. Next: run it again."
        ) from None
