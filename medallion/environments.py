"""Reads conf/environments/: the values that differ between the places where the platform runs."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from medallion.documents import CONF, read_named
from medallion.errors import ConfigError


@dataclass(frozen=True)
class Execution:
    """As whom and where serverless batches run."""

    service_account: str
    training_service_account: str
    subnetwork: str
    network_tags: list[str]
    kms_key: str
    staging_bucket: str
    ttl_hours: int


@dataclass(frozen=True)
class Spark:
    """How Spark jobs are run; a serverless runner has an execution, a cluster brings its own."""

    runner: str
    poll_seconds: int
    cluster: str | None = None
    runtime_version: str | None = None
    images: str | None = None
    properties: dict[str, str] = field(default_factory=dict)
    execution: Execution | None = None


@dataclass(frozen=True)
class Composer:
    """The Composer environment that is deployed to, and its bucket."""

    environment: str
    bucket: str


@dataclass(frozen=True)
class Environment:
    """The values that differ between the places where the platform runs."""

    name: str
    project: str
    region: str
    bigquery_location: str
    buckets: dict[str, str]
    datasets: dict[str, str]
    staging_days: int
    max_bytes_billed: int
    spark: Spark
    firestore: str
    hash_key: str | None = None
    composer: Composer | None = None


def environment_name() -> str:
    """The environment that this process runs in, set by whoever deployed it."""
    name = os.environ.get("MEDALLION_ENVIRONMENT")
    if not name:
        raise ConfigError(
            "environment", "MEDALLION_ENVIRONMENT", "the name of a file in conf/environments", name
        )
    return name


def load_environment(name: str, conf: Path = CONF) -> Environment:
    """Reads conf/environments/<name>.yaml.

    Raises ConfigError, or ProblemsError for several, when the file is missing or does not fit
    conf/environment.schema.json.
    """
    data = read_named("environment", name, conf)
    spark, composer = data["spark"], data.get("composer")
    execution = Execution(**spark["execution"]) if "execution" in spark else None
    built = {
        "spark": Spark(**{**spark, "execution": execution}),
        "composer": composer and Composer(**composer),
    }
    return Environment(**{**data, **built})
