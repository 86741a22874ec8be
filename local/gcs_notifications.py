"""Cloud Storage's announcements: what is committed to a bucket is told to the topics that asked for it."""

import datetime as dt
import itertools
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local.gcs_folder import GcsFolder, Preconditions, StorageError, StoredObject

PUBSUB = "//pubsub.googleapis.com/"
FINALIZE = "OBJECT_FINALIZE"
PUBLISH_SECONDS = 5

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Notification:
    """That a topic is told of the objects of a bucket whose names begin in one way."""

    id: str
    bucket: str
    topic: str
    prefix: str

    def resource(self) -> dict[str, Any]:
        return {
            "kind": "storage#notification",
            "id": self.id,
            "topic": self.topic,
            "event_types": [FINALIZE],
            "object_name_prefix": self.prefix,
            "payload_format": "NONE",
        }

    def attributes(self, stored: StoredObject) -> dict[str, str]:
        """A message, which says all in its attributes."""
        return {
            "notificationConfig": f"projects/_/buckets/{self.bucket}/notificationConfigs/{self.id}",
            "eventType": FINALIZE,
            "payloadFormat": "NONE",
            "bucketId": stored.bucket,
            "objectId": stored.name,
            "objectGeneration": str(stored.generation),
            "eventTime": dt.datetime.fromtimestamp(stored.modified_ns / 1e9, dt.UTC).isoformat(),
        }


class Notifications:
    """The `notifications` methods, for new objects and messages without a payload, as the platform has them.

    `pubsub` is host and port of the emulator. It forgets its topics when it ends, as this does who asked.
    """

    def __init__(self, pubsub: str | None) -> None:
        self._pubsub = pubsub
        self._numbers = itertools.count(1)
        self._asked: list[Notification] = []

    async def create(self, request: Request) -> Response:
        body = await request.json()
        if self._pubsub is None:
            raise StorageError(400, "This Cloud Storage was started without --pubsub, and can tell nobody.")
        if body.get("event_types") != [FINALIZE] or body.get("payload_format") != "NONE":
            raise StorageError(400, f"Only event_types [{FINALIZE}] and payload_format NONE are known here.")
        bucket, prefix = request.path_params["bucket"], body.get("object_name_prefix", "")
        notification = Notification(str(next(self._numbers)), bucket, body["topic"], prefix)
        self._asked.append(notification)
        return JSONResponse(notification.resource())

    def list_all(self, request: Request) -> Response:
        asked = [item for item in self._asked if item.bucket == request.path_params["bucket"]]
        items = [item.resource() for item in asked]
        return JSONResponse({"kind": "storage#notifications", "items": items})

    def tell(self, stored: StoredObject) -> None:
        """Tells those that asked. That nobody can be told is no reason to refuse an object."""
        for asked in self._asked:
            if asked.bucket == stored.bucket and stored.name.startswith(asked.prefix):
                url = f"http://{self._pubsub}/v1/{asked.topic.removeprefix(PUBSUB)}:publish"
                message = {"attributes": asked.attributes(stored)}
                try:
                    answer = requests.post(url, json={"messages": [message]}, timeout=PUBLISH_SECONDS)
                    answer.raise_for_status()
                except requests.RequestException as error:
                    log.warning("object=%s/%s unannounced: %s", stored.bucket, stored.name, error)


class AnnouncingFolder(GcsFolder):
    """Buckets that announce what is committed to them."""

    def __init__(self, root: Path, notifications: Notifications) -> None:
        super().__init__(root)
        self._notifications = notifications

    def commit(
        self,
        bucket: str,
        name: str,
        spooled: Path,
        fields: Mapping[str, Any],
        preconditions: Preconditions,
    ) -> StoredObject:
        stored = super().commit(bucket, name, spooled, fields, preconditions)
        self._notifications.tell(stored)
        return stored
