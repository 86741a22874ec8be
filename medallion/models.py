"""Reads conf/models/: what is trained, on what, and when it may take its predecessor's place."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medallion.alerts import NOBODY, Audience, parse_notify
from medallion.documents import CONF, read_named


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


def load_model(name: str, conf: Path = CONF) -> Model:
    """Reads conf/models/<name>.yaml.

    Raises ConfigError, or ProblemsError for several, when the file is missing or does not fit
    conf/model.schema.json.
    """
    data = read_named("model", name, conf)
    return Model(
        name=name,
        description=data["description"],
        owner=data["owner"],
        snapshots=data["snapshots"],
        gate=data["gate"],
        drift=data["drift"],
        image=data.get("image"),
        document=data,
        notify_failure=parse_notify(data, "on_failure"),
    )


def model_names(conf: Path = CONF) -> tuple[str, ...]:
    """Names of the model files, sorted."""
    return tuple(sorted(path.stem for path in (conf / "models").glob("*.yaml")))
