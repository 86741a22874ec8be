"""Secrets of the environment, from Secret Manager, with the identity that the job runs as."""

import base64
import json
import os
import urllib.request
from typing import Any

from medallion.errors import MedallionError

# Names that Google's own tools know these settings by.
METADATA = "GCE_METADATA_HOST"
ENDPOINT = "CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER"
SECONDS = 30


def read_secret(name: str) -> bytes:
    """The payload of a secret's version, projects/<project>/secrets/<secret>/versions/<version>.

    By HTTP alone, because the machines of Dataproc have no client for it. Raises MedallionError when the
    version is not there, or not for this identity.
    """
    metadata = os.environ.get(METADATA, "metadata.google.internal")
    account = f"http://{metadata}/computeMetadata/v1/instance/service-accounts/default"
    api = os.environ.get(ENDPOINT, "https://secretmanager.googleapis.com/")
    try:
        token = _get(f"{account}/token", {"Metadata-Flavor": "Google"})["access_token"]
        answer = _get(f"{api}v1/{name}:access", {"Authorization": f"Bearer {token}"})
    except OSError as error:
        raise MedallionError(
            f"secret {name}: expected a version that this job may read, got {error}. "
            "Next: make the version, and let the job's service account access it."
        ) from error
    return base64.b64decode(answer["payload"]["data"])


def _get(url: str, headers: dict[str, str]) -> Any:
    request = urllib.request.Request(url, headers=headers)
    with urllib.request.urlopen(request, timeout=SECONDS) as reply:  # nosec B310: its addresses are Google's
        return json.load(reply)
