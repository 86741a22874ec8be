"""A model version in its folder: one archive, and beside it its files, of which training.json is the last."""

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

ARCHIVE = "version.zip"
MODEL = "model.keras"
SAVED_MODEL = "saved_model"
REQUIREMENTS = "requirements.txt"
TRAINING = "training.json"

# The packages of training.json's libraries that a model is loaded with.
_PACKAGES = {"keras": "keras", "tensorflow": "tensorflow-cpu", "numpy": "numpy"}

_STAMPS = ("date_saved", "shared_object_id")


@dataclass(frozen=True)
class Version:
    """A trained model, the features that it takes in their order, its name, and its training.json."""

    name: str
    features: tuple[str, ...]
    model: keras.Model
    training: dict[str, Any]


def is_archived(spark: SparkSession, uri: str) -> bool:
    """Whether the version was trained before: what may be missing beside its archive is in it."""
    return exists(spark, f"{uri}/{ARCHIVE}")


def archive_version(spark: SparkSession, uri: str, model: keras.Model, training: dict[str, Any]) -> None:
    """Writes a version as one object; training holds at least `version`, `features`, `libraries`.

    Another processor fits other weights, TensorFlow exports other bytes each time, and who trains may replace
    nothing. An object is there as a whole or not at all, and where it is, a retry only unpacks it.
    """
    lines = [f"{package}=={training['libraries'][name]}\n" for name, package in _PACKAGES.items()]
    files = {
        MODEL: model_bytes(model),
        **{f"{SAVED_MODEL}/{name}": data for name, data in _export(model).items()},
        REQUIREMENTS: "".join(lines).encode(),
        TRAINING: to_json(training),  # the last: where it is, the others are
    }
    write_bytes(spark, f"{uri}/{ARCHIVE}", _zipped(files))


def unpack_version(spark: SparkSession, uri: str) -> None:
    """Writes the files of a version's archive beside it, create-only.

    Raises MedallionError when the folder holds a file with other content.
    """
    for name, data in _unzipped(read_bytes(spark, f"{uri}/{ARCHIVE}")).items():
        write_bytes(spark, f"{uri}/{name}", data)


def load_version(spark: SparkSession, uri: str) -> Version:
    """Reads a version back, for prediction."""
    training = json.loads(read_bytes(spark, f"{uri}/{TRAINING}"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, MODEL)
        path.write_bytes(read_bytes(spark, f"{uri}/{MODEL}"))
        model = keras.saving.load_model(path, compile=False)
    return Version(training["version"], tuple(training["features"]), model, training)


def _export(model: keras.Model) -> dict[str, bytes]:
    """The files of the model as TensorFlow's SavedModel, for servers that know nothing of Keras."""
    with tempfile.TemporaryDirectory() as folder:
        model.export(folder, verbose=False)
        files = [path for path in Path(folder).rglob("*") if path.is_file()]
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def model_bytes(model: keras.Model) -> bytes:
    """The model in Keras's own format, the same bytes for the same weights.

    Keras stamps the file with the time of saving and with memory addresses, which are left out.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, MODEL)
        model.save(path)
        members = _unzipped(path.read_bytes())
    return _zipped(
        {name: _stable(data) if name.endswith(".json") else data for name, data in sorted(members.items())}
    )


def _zipped(files: dict[str, bytes]) -> bytes:
    """An archive without times: the same bytes for the same files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return buffer.getvalue()


def _unzipped(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def to_json(document: dict[str, Any]) -> bytes:
    """JSON for people and programs."""
    return json.dumps(document, indent=1, allow_nan=False).encode()


def _stable(document: bytes) -> bytes:
    def without_stamps(node: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in node.items() if key not in _STAMPS}

    return json.dumps(json.loads(document, object_hook=without_stamps)).encode()
