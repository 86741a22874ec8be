"""Points Google clients that know no emulator variable at the stand-ins, in the laptop's Airflow alone."""

import asyncio
import importlib
import os
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

from airflow.plugins_manager import AirflowPlugin

PROVIDER_MODULES = (
    "airflow.providers.google.cloud.hooks.bigquery",
    "airflow.providers.google.cloud.operators.bigquery",
    "airflow.providers.google.cloud.operators.dataproc",
    "airflow.providers.google.cloud.triggers.pubsub",
    "airflow.providers.http.hooks.http",
    "airflow.providers.standard.operators.trigger_dagrun",
    "airflow.sdk.execution_time.supervisor",
    "airflow.sdk.execution_time.task_runner",
)


def redirect_dataproc(address: str) -> None:
    """Every gRPC channel to Dataproc, sync and async, goes to the stand-in: the hook's endpoint is fixed."""
    import grpc
    import grpc.aio
    from google.api_core import grpc_helpers, grpc_helpers_async

    def redirect(module: Any, insecure_channel: Callable[[str], Any]) -> None:
        create = module.create_channel

        def create_channel(target: str, *arguments: Any, **options: Any) -> Any:
            if "dataproc.googleapis.com" in target:
                return insecure_channel(address)
            return create(target, *arguments, **options)

        module.create_channel = create_channel

    redirect(grpc_helpers, grpc.insecure_channel)
    redirect(grpc_helpers_async, grpc.aio.insecure_channel)


def redirect_bigquery(url: str) -> None:
    """The asynchronous client behind deferrable operators builds its URL without the emulator's scheme."""
    from gcloud.aio.bigquery import bigquery

    def init_api_root(api_root: str | None) -> tuple[bool, str]:
        return True, f"{url}/bigquery/v2"

    bigquery.init_api_root = init_api_root


def expect_no_announcements() -> None:
    """Where Pub/Sub was not started, what waits for announcements waits on, and asks Google's for none."""
    from airflow.providers.google.cloud.triggers.pubsub import PubsubPullTrigger
    from airflow.triggers.base import TriggerEvent

    async def run(self: PubsubPullTrigger) -> AsyncIterator[TriggerEvent]:
        await asyncio.Event().wait()
        yield TriggerEvent({})

    PubsubPullTrigger.run = run  # type: ignore[method-assign]


def redirect_firestore(address: str) -> None:
    """The hook's client goes to the emulator, as its owner: rules, which others are held to, are slow.

    Without an address, because the emulator is not installed, tasks that ask for a client are skipped.
    """
    from airflow.exceptions import AirflowSkipException
    from airflow.providers.google.firebase.hooks import firestore
    from google.oauth2.credentials import Credentials

    build, owner = firestore.build_from_document, Credentials("owner")

    def describe(*arguments: Any, **options: Any) -> Any:
        if not address:
            raise AirflowSkipException("Google's Firestore emulator was not started: no document is written.")
        return discovery.build(*arguments, **options, credentials=owner)

    def connect(document: Any, **_: Any) -> Any:
        return build(document, credentials=owner, client_options={"api_endpoint": f"http://{address}"})

    discovery = importlib.import_module("googleapiclient.discovery")
    firestore.build, firestore.build_from_document = describe, connect


def import_providers_once() -> None:
    """Workers fork from the scheduler: what it has imported, no task has to import again."""
    for module in PROVIDER_MODULES:
        importlib.import_module(module)


class LocalGooglePlugin(AirflowPlugin):
    """Registers nothing: being loaded is what this plugin is for."""

    name = "local_google"


component = sys.argv[1] if len(sys.argv) > 1 else ""
if component in ("scheduler", "triggerer"):
    redirect_dataproc(os.environ["DATAPROC_EMULATOR_HOST"])
    redirect_bigquery(os.environ["BIGQUERY_EMULATOR_HOST"])
    redirect_firestore(os.environ["FIRESTORE_EMULATOR_HOST"])
if component == "triggerer" and not os.environ["PUBSUB_EMULATOR_HOST"]:
    expect_no_announcements()
if component == "scheduler":
    import_providers_once()
