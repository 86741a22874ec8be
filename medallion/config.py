"""Reads conf/: environments, products and models, each held to its JSON Schema."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from medallion.errors import ConfigError
from medallion.sources import Source, parse_source

# On Composer this package, conf/ and sql/ lie side by side under dags/; in the repository, at its root.
ROOT = Path(__file__).parent.parent
CONF = ROOT / "conf"


@dataclass(frozen=True)
class Spark:
    """How Spark jobs are run."""

    runner: str
    poll_seconds: int
    cluster: str | None = None
    runtime_version: str | None = None
    properties: dict[str, str] = field(default_factory=dict)


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
    hash_key: str | None = None


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
    """When a product runs by itself."""

    cron: str
    timezone: str


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

    @property
    def timezone(self) -> str:
        """The timezone of its business dates."""
        return self.schedule.timezone if self.schedule else "UTC"


@dataclass(frozen=True)
class Model:
    """A model; `document` is the whole file, for the training job."""

    name: str
    description: str
    owner: str
    snapshots: dict[str, int]
    gate: dict[str, float]
    document: dict[str, Any]


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
    return Environment(**{**data, "spark": Spark(**data["spark"])})


def load_product(name: str, conf: Path = CONF) -> Product:
    """Reads conf/products/<name>.yaml.

    Raises ConfigError when the file is missing or does not fit conf/product.schema.json.
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
    )


def load_model(name: str, conf: Path = CONF) -> Model:
    """Reads conf/models/<name>.yaml.

    Raises ConfigError when the file is missing or does not fit conf/model.schema.json.
    """
    data = _load(conf, "models", name, "model")
    return Model(name, data["description"], data["owner"], data["snapshots"], data["gate"], data)


def product_names(conf: Path = CONF) -> tuple[str, ...]:
    """Names of the product files, sorted."""
    return tuple(sorted(path.stem for path in (conf / "products").glob("*.yaml")))


def model_names(conf: Path = CONF) -> tuple[str, ...]:
    """Names of the model files, sorted."""
    return tuple(sorted(path.stem for path in (conf / "models").glob("*.yaml")))


def read_yaml(path: Path) -> Any:
    """The YAML document in a file.

    Raises ConfigError when the file is missing or is no YAML.
    """
    file = _shown(path)
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(file, "", "a file", "no such file", f"write {file}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(file, "", "one YAML document", str(error)) from None


def validate(data: Any, schema: dict[str, Any], file: str) -> None:
    """Holds data to a JSON Schema; raises ConfigError for the first, most telling violation."""
    # Spark jobs read contracts that were validated before them, on machines without jsonschema.
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    error = best_match(Draft202012Validator(schema).iter_errors(data))
    if error is not None:
        key = ".".join(str(part) for part in error.absolute_path)
        raise ConfigError(file, key, _expected(error), error.instance)


def _expected(error: Any) -> str:
    if error.validator == "required":
        return f"the keys {', '.join(error.validator_value)}"
    if error.validator == "additionalProperties":
        return f"only the keys {', '.join(error.schema.get('properties', {}))}"
    if error.validator == "enum":
        return f"one of {', '.join(map(str, error.validator_value))}"
    return f"{error.validator} {error.validator_value}"


def _load(conf: Path, folder: str, name: str, schema: str) -> dict[str, Any]:
    path = conf / folder / f"{name}.yaml"
    data = read_yaml(path)
    validate(data, json.loads((conf / f"{schema}.schema.json").read_text(encoding="utf-8")), _shown(path))
    if data["name"] != name:
        raise ConfigError(_shown(path), "name", f"{name}, the file's own name", data["name"])
    return data


def _gold(data: dict[str, Any]) -> GoldTable:
    return GoldTable(
        table=data["table"],
        rebuild=data["rebuild"],
        partition_by=data.get("partition_by"),
        cluster_by=tuple(data.get("cluster_by", ())),
        after=tuple(data.get("after", ())),
    )


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
