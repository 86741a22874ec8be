"""The Cloud Storage JSON API over a plain folder: `python -m local.gcs --root DIR --port N`."""

import argparse
import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from local.gcs_folder import GcsFolder, StorageError, StoredObject
from local.gcs_listing import Listing
from local.gcs_messages import (
    bucket_and_name,
    bucket_resource,
    check_generation,
    object_resource,
    preconditions,
    writable,
)
from local.gcs_notifications import AnnouncingFolder, Notifications
from local.gcs_uploads import Uploads

# What Cloud Storage leaves out of listings of objects that a key of the customer's own encrypts.
HASHES = ("crc32c", "md5Hash")
REASONS = {
    400: "invalid",
    404: "notFound",
    405: "methodNotAllowed",
    409: "conflict",
    412: "conditionNotMet",
    507: "diskFull",
}


def create_app(root: Path, pubsub: str | None = None) -> Starlette:
    """The API over `root`, which is created if need be; `pubsub` is where announcements go, host and port."""
    notifications = Notifications(pubsub)
    folder = AnnouncingFolder(root, notifications)
    buckets = Buckets(folder)
    objects = Objects(folder, buckets.with_key)
    return Starlette(
        routes=_routes(buckets, objects, Uploads(folder), notifications),
        exception_handlers={StorageError: _refused, HTTPException: _refused, OSError: _refused},
    )


def _routes(
    buckets: "Buckets", objects: "Objects", uploads: Uploads, notifications: Notifications
) -> list[Route]:
    every, one = "/storage/v1/b", "/storage/v1/b/{bucket}"
    name = one + "/o/{name:path}"
    return [
        Route(every, buckets.list_page),
        Route(every, buckets.create, methods=["POST"]),
        Route(one, buckets.get),
        Route(one, buckets.delete, methods=["DELETE"]),
        Route(one + "/notificationConfigs", notifications.list_all),
        Route(one + "/notificationConfigs", notifications.create, methods=["POST"]),
        Route(one + "/o", objects.list_page),
        Route("/upload" + one + "/o", uploads.begin, methods=["POST"]),
        Route("/upload" + one + "/o", uploads.resume, methods=["PUT"]),
        Route(name, objects.get),
        Route(name, objects.patch, methods=["PATCH"]),
        Route(name, objects.delete, methods=["DELETE"]),
        Route("/download" + name, objects.download),
    ]


class Buckets:
    """The `buckets` methods; of a bucket's settings its name is kept, and in memory whether it has a key."""

    def __init__(self, folder: GcsFolder) -> None:
        self._folder = folder
        self.with_key: set[str] = set()

    def list_page(self, request: Request) -> Response:
        items = [bucket_resource(name) for name in self._folder.buckets()]
        return JSONResponse({"kind": "storage#buckets", "items": items})

    async def create(self, request: Request) -> Response:
        settings = await request.json()
        name = settings["name"]
        self._folder.create_bucket(name)
        if "encryption" in settings:
            self.with_key.add(name)
        return JSONResponse(bucket_resource(name))

    def get(self, request: Request) -> Response:
        return JSONResponse(bucket_resource(self._folder.bucket(request.path_params["bucket"]).name))

    def delete(self, request: Request) -> Response:
        name = request.path_params["bucket"]
        self._folder.delete_bucket(name)
        self.with_key.discard(name)
        return Response(status_code=204)


class Objects:
    """The `objects` methods, but for the uploads."""

    def __init__(self, folder: GcsFolder, with_key: set[str]) -> None:
        self._folder = folder
        self._with_key = with_key

    def list_page(self, request: Request) -> Response:
        bucket, listing = request.path_params["bucket"], Listing.from_query(request.query_params)
        page = listing.page(self._folder.names(bucket, listing.prefix))
        hidden = HASHES if bucket in self._with_key else ()
        resources = self._resources(bucket, page.names)
        items = [{key: item[key] for key in item if key not in hidden} for item in resources]
        answer = {"kind": "storage#objects", "prefixes": page.prefixes, "items": items}
        return JSONResponse(answer | ({"nextPageToken": page.next_token} if page.next_token else {}))

    def get(self, request: Request) -> Response:
        if request.query_params.get("alt") == "media":
            return self.download(request)
        return JSONResponse(object_resource(self._current(request)))

    def download(self, request: Request) -> Response:
        stored = self._current(request)
        checksums = stored.checksums()
        headers = {
            "Content-Type": stored.content_type,
            "X-Goog-Generation": str(stored.generation),
            "X-Goog-Metageneration": str(stored.metageneration),
            "X-Goog-Hash": f"crc32c={checksums['crc32c']},md5={checksums['md5Hash']}",
        }
        return FileResponse(stored.path, headers=headers)

    async def patch(self, request: Request) -> Response:
        changes = writable(await request.json())
        stored = self._folder.update(*bucket_and_name(request), changes, preconditions(request))
        return JSONResponse(await run_in_threadpool(object_resource, stored))

    def delete(self, request: Request) -> Response:
        self._current(request)
        self._folder.delete(*bucket_and_name(request), preconditions(request))
        return Response(status_code=204)

    def _current(self, request: Request) -> StoredObject:
        stored = self._folder.stat(*bucket_and_name(request))
        check_generation(stored, request.query_params.get("generation"))
        preconditions(request).check(stored)
        return stored

    def _resources(self, bucket: str, names: list[str]) -> Iterator[dict[str, Any]]:
        for name in names:
            try:
                yield object_resource(self._folder.stat(bucket, name))
            except StorageError:
                continue  # deleted since the folder was read


def _refused(request: Request, refusal: Exception) -> Response:
    match refusal:
        case StorageError(status=status):
            message = str(refusal)
        case HTTPException(status_code=status, detail=message):  # Starlette's own: no such route
            pass
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):  # no use to ask again, as clients do for a 500
            status, message = 507, str(refusal)
        case _:
            raise refusal
    detail = {"message": message, "domain": "global", "reason": REASONS[status]}
    return JSONResponse({"error": {"code": status, "message": message, "errors": [detail]}}, status)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.gcs", description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="folder of the buckets")
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1")
    parser.add_argument("--pubsub", help="host and port of Pub/Sub, which is told of new objects")
    arguments = parser.parse_args()
    app = create_app(arguments.root, arguments.pubsub)
    uvicorn.run(app, host="127.0.0.1", port=arguments.port, log_level="warning")


if __name__ == "__main__":
    main()
