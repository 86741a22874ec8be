"""What the Cloud Storage JSON API says: requests read into our terms, objects written in Google's."""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from local.gcs_folder import Preconditions, StorageError, StoredObject

WRITABLE = {"cacheControl", "contentDisposition", "contentLanguage", "contentType", "metadata"}
BOUNDARY = re.compile(r'boundary="?([^";]+)"?')


def bucket_resource(name: str) -> dict[str, Any]:
    return {
        "kind": "storage#bucket",
        "id": name,
        "name": name,
        "location": "LOCAL",
        "storageClass": "STANDARD",
    }


def object_resource(stored: StoredObject) -> dict[str, Any]:
    written = dt.datetime.fromtimestamp(stored.modified_ns / 1e9, dt.UTC).isoformat().replace("+00:00", "Z")
    return {
        **stored.attributes.fields,
        **stored.checksums(),
        "kind": "storage#object",
        "id": f"{stored.bucket}/{stored.name}/{stored.generation}",
        "bucket": stored.bucket,
        "name": stored.name,
        "generation": str(stored.generation),
        "metageneration": str(stored.metageneration),
        "etag": f"{stored.generation}/{stored.metageneration}",
        "size": str(stored.size),
        "contentType": stored.content_type,
        "storageClass": "STANDARD",
        "timeCreated": written,
        "updated": written,
    }


def bucket_and_name(request: Request) -> tuple[str, str]:
    return request.path_params["bucket"], request.path_params["name"]


def preconditions(request: Request) -> Preconditions:
    """The conditions of a query."""

    def number(condition: str) -> int | None:
        value = request.query_params.get(f"if{condition}")
        return None if value is None else int(value)

    return Preconditions(
        generation_match=number("GenerationMatch"),
        generation_not_match=number("GenerationNotMatch"),
        metageneration_match=number("MetagenerationMatch"),
    )


def check_generation(stored: StoredObject, wanted: str | None) -> None:
    """Only the newest generation is kept, so that any other does not exist."""
    if wanted not in (None, str(stored.generation)):
        raise StorageError(404, f"No such object: {stored.bucket}/{stored.name}#{wanted}")


def writable(resource: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an object resource that a client decides."""
    return {key: value for key, value in resource.items() if key in WRITABLE}


def multipart(content_type: str, body: bytes) -> tuple[bytes, bytes]:
    """The JSON and the content of a `multipart/related` upload (RFC 2387)."""
    boundary = BOUNDARY.search(content_type)
    parts = body.split(b"--" + boundary[1].encode()) if boundary else []
    if len(parts) != 4:
        raise StorageError(400, "A multipart upload has two parts: the object's JSON and its content.")
    resource, content = (part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n") for part in parts[1:3])
    return resource, content
