"""A model version in its folder: model.keras, then training.json, whose presence makes it complete."""

import io
import json
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
from pyspark.sql import SparkSession

from medallion.hadoop_files import exists, read_bytes, write_bytes

MODEL = "model.keras"
TRAINING = "training.json"

_STAMPS = ("date_saved", "shared_object_id")


@dataclass(frozen=True)
class Version:
    """A trained model, the features that it takes in their order, and its name."""

    name: str
    features: tuple[str, ...]
    model: keras.Model


def is_complete(spark: SparkSession, uri: str) -> bool:
    """Whether the version was written to its end."""
    return exists(spark, f"{uri}/{TRAINING}")


def save_version(spark: SparkSession, uri: str, model: keras.Model, training: dict[str, Any]) -> None:
    """Writes both files, create-only; training holds at least `version` and `features`.

    Raises MedallionError when the folder holds other content.
    """
    write_bytes(spark, f"{uri}/{MODEL}", model_bytes(model))
    write_bytes(spark, f"{uri}/{TRAINING}", to_json(training))


def load_version(spark: SparkSession, uri: str) -> Version:
    """Reads a version back, for prediction."""
    training = json.loads(read_bytes(spark, f"{uri}/{TRAINING}"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, MODEL)
        path.write_bytes(read_bytes(spark, f"{uri}/{MODEL}"))
        model = keras.saving.load_model(path, compile=False)
    return Version(training["version"], tuple(training["features"]), model)


def model_bytes(model: keras.Model) -> bytes:
    """The model in Keras's own format, the same bytes for the same weights.

    Keras stamps the archive with the time of saving and with memory addresses; without them, a retry finds
    what it wrote before.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, MODEL)
        model.save(path)
        with zipfile.ZipFile(path) as archive:
            members = {name: archive.read(name) for name in sorted(archive.namelist())}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), _stable(data) if name.endswith(".json") else data)
    return buffer.getvalue()


def to_json(document: dict[str, Any]) -> bytes:
    """JSON for people and programs."""
    return json.dumps(document, indent=1, allow_nan=False).encode()


def _stable(document: bytes) -> bytes:
    def without_stamps(node: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in node.items() if key not in _STAMPS}

    return json.dumps(json.loads(document, object_hook=without_stamps)).encode()
