"""What starts a run when a file lands: an asset whose events are Cloud Storage's announcements."""

from airflow.providers.google.cloud.triggers.pubsub import PubsubPullTrigger
from airflow.sdk import Asset, AssetWatcher

from medallion.arrival import subscription_of
from medallion.environments import Environment
from medallion.products import Product

POLL_SECONDS = 10
MOST_MESSAGES = 1000  # that one pull may bring, all of which become one event


def landed_files(product: Product, environment: Environment) -> Asset:
    """A product's part of bronze. The triggerer watches it, so that waiting takes no worker.

    An event starts a run, and says nothing that the run relies on: discover lists the bucket. Announcements
    that come twice or in another order change nothing, and the trigger acknowledges before it tells, so that
    one may be lost: then the next run, at the latest that of the clock, finds the file. Those that come while
    a run is active wait, and become one run together.
    """
    subscription = subscription_of(product.name)
    trigger = PubsubPullTrigger(
        project_id=environment.project,
        subscription=subscription,
        max_messages=MOST_MESSAGES,
        ack_messages=True,
        gcp_conn_id="google_cloud_default",
        poke_interval=POLL_SECONDS,
    )
    watcher = AssetWatcher(name=subscription, trigger=trigger)
    return Asset(f"gs://{environment.buckets['bronze']}/{product.name}/", watchers=[watcher])
