"""Reads conf/products/: feeds, and what is made of them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medallion.alerts import NOBODY, Alert, Audience, parse_alert, parse_notify
from medallion.documents import CONF, read_named, read_yaml, validate
from medallion.errors import ConfigError
from medallion.sources import Source, parse_source

ASKED = ("replay", "backfill", "forget")  # what a run may be asked to do instead of taking what is new


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


def load_product(name: str, conf: Path = CONF) -> Product:
    """Reads conf/products/<name>.yaml.

    Raises ConfigError, or ProblemsError for several, when the file is missing or does not fit
    conf/product.schema.json.
    """
    data = read_named("product", name, conf)
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
        notify_failure=parse_notify(data, "on_failure"),
        notify_success=parse_notify(data, "on_success"),
        access={role: tuple(rights) for role, rights in data.get("access", {}).items()},
        steps=tuple(
            CustomStep(step["name"], step["after"], step.get("with", {})) for step in data.get("steps", ())
        ),
    )


def changed_source(name: str, changes: Any, variable: str) -> Source:
    """The source of a product with values of an Airflow variable in place of the file's.

    Raises ConfigError, or ProblemsError for several, where they don't fit conf/product.schema.json.
    """
    told_by, mend = f"Airflow's variable {variable}", "mend the variable"
    if not isinstance(changes, dict) or "type" in changes:
        raise ConfigError(told_by, "", "an object of a source's keys without type", changes, mend)
    data = read_yaml(CONF / "products" / f"{name}.yaml")
    data["source"] |= changes
    validate(data, CONF / "product.schema.json", told_by, mend)
    return parse_source(data["source"])


def product_names(conf: Path = CONF) -> tuple[str, ...]:
    """Names of the product files, sorted."""
    return tuple(sorted(path.stem for path in (conf / "products").glob("*.yaml")))


def _documents(data: dict[str, Any]) -> Documents | None:
    wanted = data.get("serve", {}).get("firestore")
    return Documents(**{**wanted, "key": tuple(wanted["key"])}) if wanted else None


def _gold(data: dict[str, Any]) -> GoldTable:
    return GoldTable(
        table=data["table"],
        rebuild=data["rebuild"],
        partition_by=data.get("partition_by"),
        cluster_by=tuple(data.get("cluster_by", ())),
        after=tuple(data.get("after", ())),
    )
