"""Uploads to the Cloud Storage API: in one request (media, multipart) or in chunks (resumable)."""

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local.gcs_folder import GcsFolder, Preconditions, StorageError
from local.gcs_messages import multipart, object_resource, preconditions, writable

CONTENT_RANGE = re.compile(r"bytes (?:(?P<first>\d+)-\d+|\*)/(?P<total>\d+|\*)")


@dataclass(frozen=True)
class Upload:
    """What an upload promised when it began; its bytes gather in `spooled`."""

    bucket: str
    name: str
    fields: Mapping[str, Any]
    preconditions: Preconditions
    spooled: Path


class Uploads:
    """The uploads under way; those that a restart cuts off begin again, as their clients know to do."""

    def __init__(self, folder: GcsFolder) -> None:
        self._folder = folder
        self._resumable: dict[str, Upload] = {}

    async def begin(self, request: Request) -> Response:
        """Takes a whole object, or opens a resumable upload and answers where its chunks go."""
        kind = request.query_params.get("uploadType")
        if kind == "resumable":
            return await self._begin_resumable(request)
        if kind == "multipart":
            resource, content = multipart(request.headers.get("content-type", ""), await request.body())
            upload = self._promised(request, json.loads(resource))
            upload.spooled.write_bytes(content)
        else:
            upload = self._promised(request, {"contentType": request.headers.get("content-type")})
            await _receive(request, upload.spooled, first=0)
        return await run_in_threadpool(self._finish, upload)

    async def resume(self, request: Request) -> Response:
        """Takes one chunk of a resumable upload, or only says how many bytes have come."""
        upload_id = request.query_params.get("upload_id", "")
        upload = self._resumable.get(upload_id)
        if upload is None:
            raise StorageError(404, f"No such upload: {upload_id}")
        chunk = CONTENT_RANGE.fullmatch(request.headers.get("content-range", ""))
        size = upload.spooled.stat().st_size
        first = int(chunk["first"] or size) if chunk else 0
        if first > size:
            raise StorageError(400, f"The chunk starts at byte {first}, but only {size} have come.")
        size = await _receive(request, upload.spooled, first)
        if chunk and (chunk["total"] == "*" or size < int(chunk["total"])):
            return Response(status_code=308, headers={"Range": f"bytes=0-{size - 1}"} if size else {})
        del self._resumable[upload_id]
        return await run_in_threadpool(self._finish, upload)

    async def _begin_resumable(self, request: Request) -> Response:
        resource = json.loads(await request.body() or b"{}")
        resource.setdefault("contentType", request.headers.get("x-upload-content-type"))
        upload_id = uuid.uuid4().hex
        self._resumable[upload_id] = self._promised(request, resource)
        location = request.url.include_query_params(upload_id=upload_id)
        return JSONResponse({}, headers={"Location": str(location)})

    def _promised(self, request: Request, resource: Mapping[str, Any]) -> Upload:
        name = request.query_params.get("name") or resource.get("name")
        if not name:
            raise StorageError(400, "Required parameter: name")
        return Upload(
            bucket=self._folder.bucket(request.path_params["bucket"]).name,
            name=name,
            fields=writable(resource),
            preconditions=preconditions(request),
            spooled=self._folder.spool(),
        )

    def _finish(self, upload: Upload) -> Response:
        stored = self._folder.commit(
            upload.bucket, upload.name, upload.spooled, upload.fields, upload.preconditions
        )
        return JSONResponse(object_resource(stored))


async def _receive(request: Request, spooled: Path, first: int) -> int:
    """Writes the request's body at byte `first`; returns the size that the file then has."""
    with spooled.open("r+b") as file:
        file.seek(first)
        async for piece in request.stream():
            file.write(piece)
        return file.seek(0, 2)
