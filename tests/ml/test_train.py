import json
from importlib import metadata
from pathlib import Path

import keras
import pandas as pd
import pytest
import tensorflow as tf
from pyspark.sql import SparkSession

from medallion.errors import MedallionError
from medallion.hadoop_files import read_bytes
from ml import train, versions
from ml.examples import inputs
from ml.features import FEATURES
from ml.model import predict
from ml.versions import ARCHIVE, MODEL, TRAINING, load_version
from tests.ml.conftest import write_examples


def _train(examples: str, output: Path, config: str) -> None:
    train.main(["--examples", examples, "--output", str(output), "--model-config", config, "--version", "v1"])


def test_a_version_tells_how_it_came_about(version: str) -> None:
    training = json.loads(Path(version, TRAINING).read_text())
    assert training["version"] == "v1"
    assert training["seed"] == 7
    assert training["features"] == list(FEATURES)
    assert training["rows"] == {"train": 400, "validation": 400}
    assert len(training["history"]["val_loss"]) == 3
    assert training["libraries"].keys() == {"python", "keras", "tensorflow", "numpy"}
    assert training["trained_until"] == "2017-08-31"
    assert training["origin"]["fingerprint"] == "f1"


def test_a_version_keeps_the_ranges_and_quantiles_of_its_training_rows(
    version: str, extract: pd.DataFrame
) -> None:
    training = json.loads(Path(version, TRAINING).read_text())
    recency = extract.loc[extract["split"] == "train", "recency_days"]
    assert training["ranges"].keys() == set(FEATURES)
    assert training["ranges"]["recency_days"]["least"] == recency.min()
    assert training["ranges"]["recency_days"]["most"] == recency.max()
    assert training["reference"].keys() == {*FEATURES, "p_inactive_30d"}
    assert sum(training["reference"]["recency_days"]["shares"]) == pytest.approx(1)


def test_a_version_is_exported_for_servers_without_keras(version: str, extract: pd.DataFrame) -> None:
    test = inputs(extract[extract["split"] == "test"])
    served = tf.saved_model.load(str(Path(version, "saved_model")))
    kept = keras.saving.load_model(Path(version, MODEL), compile=False)
    assert served.serve(test).numpy()[:, 0] == pytest.approx(predict(kept, test), abs=1e-6)


def test_a_version_names_the_packages_that_it_needs(version: str) -> None:
    required = Path(version, "requirements.txt").read_text().splitlines()
    assert required == [f"{name}=={metadata.version(name)}" for name in ("keras", "tensorflow-cpu", "numpy")]


def test_the_same_rows_in_another_order_give_the_same_bytes(
    extract: pd.DataFrame, version: str, config: str, tmp_path: Path
) -> None:
    folder = tmp_path / "examples"
    write_examples(folder, extract.sample(frac=1, random_state=3))
    _train(str(folder), tmp_path / "again", config)
    for name in (MODEL, TRAINING):
        assert (tmp_path / "again" / name).read_bytes() == Path(version, name).read_bytes()


def test_another_seed_gives_other_weights_and_every_epoch_is_told(
    examples: str, version: str, config: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", "ml.model"):
        _train(examples, tmp_path, config.replace('"seed": 7', '"seed": 8'))
    told = [message.split() for message in caplog.messages if "val_loss=" in message]
    assert [words[1] for words in told] == ["epoch=1", "epoch=2", "epoch=3"]
    assert (tmp_path / MODEL).read_bytes() != Path(version, MODEL).read_bytes()


def test_a_complete_version_is_not_trained_again(version: str, config: str) -> None:
    before = _files(Path(version))
    _train("/no/such/extract", Path(version), config)
    assert {ARCHIVE, MODEL, TRAINING} <= before.keys()
    assert _files(Path(version)) == before


@pytest.mark.parametrize("killed_at", [MODEL, "saved_model/variables/variables.index", TRAINING])
def test_a_retry_completes_what_a_killed_try_trained_and_does_not_train_again(
    examples: str,
    extract: pd.DataFrame,
    config: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    killed_at: str,
) -> None:
    """On another processor the same training gives other weights, and who trains may replace nothing."""
    written = versions.write_bytes

    def write(spark: SparkSession, uri: str, data: bytes, overwrite: bool = False) -> None:
        if uri.endswith(killed_at):
            raise KeyboardInterrupt
        written(spark, uri, data, overwrite)

    monkeypatch.setattr(versions, "write_bytes", write)
    with pytest.raises(KeyboardInterrupt):
        _train(examples, tmp_path, config)
    monkeypatch.undo()
    before = _files(tmp_path)
    assert ARCHIVE in before
    assert not {killed_at, TRAINING} & before.keys()
    _train(examples, tmp_path, config.replace('"seed": 7', '"seed": 8'))
    after = _files(tmp_path)
    assert json.loads(after[TRAINING][1])["seed"] == 7
    assert {name: after[name] for name in before} == before
    test = inputs(extract[extract["split"] == "test"])
    served = tf.saved_model.load(str(tmp_path / "saved_model"))
    kept = keras.saving.load_model(tmp_path / MODEL, compile=False)
    assert served.serve(test).numpy()[:, 0] == pytest.approx(predict(kept, test), abs=1e-6)


def _files(folder: Path) -> dict[str, tuple[int, bytes]]:
    """When each file was written, and its content."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_mtime_ns, path.read_bytes()) for path in files
    }


def test_a_folder_with_another_model_is_refused(examples: str, config: str, tmp_path: Path) -> None:
    (tmp_path / MODEL).write_bytes(b"another")
    with pytest.raises(MedallionError, match="got other content"):
        _train(examples, tmp_path, config)


def test_a_missing_split_is_named(extract: pd.DataFrame, config: str, tmp_path: Path) -> None:
    folder = tmp_path / "examples"
    write_examples(folder, extract[extract["split"] != "validation"])
    with pytest.raises(MedallionError, match="got none of validation"):
        _train(str(folder), tmp_path / "model", config)


def test_a_loaded_model_takes_raw_features(spark: SparkSession, extract: pd.DataFrame, version: str) -> None:
    test = extract[extract["split"] == "test"]
    loaded = load_version(spark, version)
    probabilities = predict(loaded.model, inputs(test, loaded.features))
    assert loaded.features == FEATURES
    assert probabilities.shape == (400,)
    assert ((probabilities > 0) & (probabilities < 1)).all()
    # Trained on a base rate of a quarter, which is kept.
    assert 0.15 < probabilities.mean() < 0.4


def test_the_model_file_is_read_from_its_uri(spark: SparkSession) -> None:
    path = Path(__file__).resolve().parents[2] / "conf/models/customer_churn.yaml"
    spec = train.read_spec(spark, str(path))
    assert spec.hidden_units == (32, 16)
    assert read_bytes(spark, str(path)) == path.read_bytes()
