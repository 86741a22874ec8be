"""Reads conf/: environments, products and models, each held to its JSON Schema."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medallion.alerts import NOBODY, Alert, Audience, parse_alert, parse_audience
from medallion.documents import ROOT, read_yaml, shown, validate
from medallion.errors import ConfigError
from medallion.sources import Source, parse_source

CONF = ROOT / "conf"


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


@dataclass(frozen=True)
class GoldTable:
    """One gold table of a product; its SELECT is sql/gold/<table>.sql."""

    table: str
    rebuild: str
    partition_by: str | None = None
    cluster_by: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class Schedule:
    """When a product runs by itself, also as files land, and when it has to be published: a time of day."""

    cron: str
    timezone: str
    on_arrival: bool = False
    deadline: str | None = None


@dataclass(frozen=True)
class Webhook:
    """Where a dashboard is told that there is something new; the connection is Airflow's."""

    connection: str
    path: str = "/"


@dataclass(frozen=True)
class Documents:
    """A Firestore collection that shows a gold table, a document for each row, named by its `key` columns."""

    collection: str
    table: str
    key: tuple[str, ...]


@dataclass(frozen=True)
class CustomStep:
    """A function registered with @step that a product runs after one of the platform's steps."""

    name: str
    after: str
    parameters: dict[str, Any]


@dataclass(frozen=True)
class Product:
    """A feed and what is made of it."""

    name: str
    description: str
    owner: str
    contract: str
    source: Source
    partition_by: str
    cluster_by: tuple[str, ...]
    max_rejected_ratio: float
    gold: tuple[GoldTable, ...]
    report: bool
    schedule: Schedule | None
    train: str | None
    labels: dict[str, str] = field(default_factory=dict)
    access: dict[str, tuple[str, ...]] = field(default_factory=dict)
    steps: tuple[CustomStep, ...] = ()
    alerts: tuple[Alert, ...] = ()
    notify_failure: Audience = NOBODY
    notify_success: Audience = NOBODY
    webhook: Webhook | None = None
    documents: Documents | None = None

    @property
    def timezone(self) -> str:
        """The timezone of its business dates."""
        return self.schedule.timezone if self.schedule else "UTC"

    @property
    def deadline(self) -> str | None:
        """The time of day by which it has to be published, in its timezone."""
        return self.schedule.deadline if self.schedule else None

    @property
    def on_arrival(self) -> bool:
        """Whether a file that lands starts a run."""
        return self.schedule is not None and self.schedule.on_arrival


@dataclass(frozen=True)
class Model:
    """A model; `document` is the whole file, for the training job."""

    name: str
    description: str
    owner: str
    snapshots: dict[str, int]
    gate: dict[str, float]
    drift: dict[str, float]
    image: str | None
    document: dict[str, Any]
    notify_failure: Audience = NOBODY

    @property
    def timezone(self) -> str:
        """The timezone of the days on which its incidents are told again."""
        return "UTC"


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

    Raises ConfigError when the file is missing or does not fit conf/environment.schema.json.
    """
    data = _load(conf, "environments", name, "environment")
    spark, composer = data["spark"], data.get("composer")
    execution = Execution(**spark["execution"]) if "execution" in spark else None
    built = {
        "spark": Spark(**{**spark, "execution": execution}),
        "composer": composer and Composer(**composer),
    }
    return Environment(**{**data, **built})


def load_product(name: str, conf: Path = CONF) -> Product:
    """Reads conf/products/<name>.yaml.

    Raises ConfigError, or ProblemsError for several, when the file is missing or does not fit
    conf/product.schema.json.
    """
    data = _load(conf, "products", name, "product")
    return Product(
        name=data["name"],
        description=data["description"],
        owner=data["owner"],
        contract=data["contract"],
        source=parse_source(data["source"]),
        partition_by=data["silver"]["partition_by"],
        cluster_by=tuple(data["silver"].get("cluster_by", ())),
        max_rejected_ratio=data.get("audit", {}).get("max_rejected_ratio", 0.0),
        gold=tuple(_gold(table) for table in data.get("gold", ())),
        report=data.get("serve", {}).get("report", False),
        schedule=Schedule(**data["schedule"]) if "schedule" in data else None,
        train=data.get("train"),
        labels=data.get("labels", {}),
        webhook=Webhook(**data["serve"]["webhook"]) if "webhook" in data.get("serve", {}) else None,
        documents=_documents(data),
        alerts=tuple(parse_alert(alert) for alert in data.get("alerts", ())),
        notify_failure=_audience(data, "on_failure"),
        notify_success=_audience(data, "on_success"),
        access={role: tuple(rights) for role, rights in data.get("access", {}).items()},
        steps=tuple(
            CustomStep(step["name"], step["after"], step.get("with", {})) for step in data.get("steps", ())
        ),
    )


def changed_source(name: str, changes: Any, variable: str, conf: Path = CONF) -> Source:
    """The source of a product with values of an Airflow variable in place of the file's.

    Raises ConfigError, or ProblemsError for several, where they don't fit conf/product.schema.json.
    """
    told_by, mend = f"Airflow's variable {variable}", "mend the variable"
    if not isinstance(changes, dict) or "type" in changes:
        raise ConfigError(told_by, "", "an object of a source's keys without type", changes, mend)
    data = read_yaml(conf / "products" / f"{name}.yaml")
    data["source"] |= changes
    validate(data, conf / "product.schema.json", told_by, mend)
    return parse_source(data["source"])


def load_model(name: str, conf: Path = CONF) -> Model:
    """Reads conf/models/<name>.yaml.

    Raises ConfigError when the file is missing or does not fit conf/model.schema.json.
    """
    data = _load(conf, "models", name, "model")
    return Model(
        name=name,
        description=data["description"],
        owner=data["owner"],
        snapshots=data["snapshots"],
        gate=data["gate"],
        drift=data["drift"],
        image=data.get("image"),
        document=data,
        notify_failure=_audience(data, "on_failure"),
    )


def product_names(conf: Path = CONF) -> tuple[str, ...]:
    """Names of the product files, sorted."""
    return tuple(sorted(path.stem for path in (conf / "products").glob("*.yaml")))


def model_names(conf: Path = CONF) -> tuple[str, ...]:
    """Names of the model files, sorted."""
    return tuple(sorted(path.stem for path in (conf / "models").glob("*.yaml")))


def _load(conf: Path, folder: str, name: str, schema: str) -> dict[str, Any]:
    path = conf / folder / f"{name}.yaml"
    data = read_yaml(path)
    file = shown(path)
    validate(data, conf / f"{schema}.schema.json", file)
    if data["name"] != name:
        raise ConfigError(file, "name", f"{name}, the file's own name", data["name"])
    return data


def _documents(data: dict[str, Any]) -> Documents | None:
    wanted = data.get("serve", {}).get("firestore")
    return Documents(**{**wanted, "key": tuple(wanted["key"])}) if wanted else None


def _audience(data: dict[str, Any], event: str) -> Audience:
    return parse_audience(data.get("notify", {}).get(event, {}))


def _gold(data: dict[str, Any]) -> GoldTable:
    return GoldTable(
        table=data["table"],
        rebuild=data["rebuild"],
        partition_by=data.get("partition_by"),
        cluster_by=tuple(data.get("cluster_by", ())),
        after=tuple(data.get("after", ())),
    )
