"""The churn model: its spec, its graph, its fit."""

import logging
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# TensorFlow reads it on import. What goes wrong reaches Python as an exception; the rest is about GPUs.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf

from ml.features import BOUNDED, SCORE

log = logging.getLogger("ml.model")

# Steps between two looks at Python: the same steps, in the same order, a quarter faster.
_STEPS = 16
# Rows a step when nothing is learned: large, as it only bounds memory.
_PREDICT_BATCH = 65_536


@dataclass(frozen=True)
class TrainingSpec:
    """The `training` section of a model file."""

    seed: int
    hidden_units: tuple[int, ...]
    dropout: float
    epochs: int
    patience: int
    batch_size: int
    learning_rate: float


@dataclass(frozen=True)
class Split:
    """Inputs, float32 (rows, features), and labels of 0 and 1, (rows,)."""

    inputs: NDArray[np.float32]
    labels: NDArray[np.float64]


def train(
    spec: TrainingSpec, features: Sequence[str], training: Split, validation: Split
) -> tuple[keras.Model, dict[str, list[float]]]:
    """The fitted model with the weights of its best epoch, and the losses by epoch.

    The same data, in the same order, and the same seed give the same weights. Classes are left as they
    are: weighting them would break the calibration that the score is used for.
    """
    # Keras numbers the layers of a process; from a fresh count the same graph gets the same names.
    keras.utils.clear_session()
    keras.utils.set_random_seed(spec.seed)
    tf.config.experimental.enable_op_determinism()
    model = _build(spec, features, training.inputs)
    model.compile(
        optimizer=keras.optimizers.Adam(spec.learning_rate),
        loss="binary_crossentropy",
        steps_per_execution=_STEPS,
    )
    history = model.fit(
        training.inputs,
        training.labels,
        validation_data=(validation.inputs, validation.labels),
        batch_size=spec.batch_size,
        epochs=spec.epochs,
        verbose=0,
        callbacks=[
            keras.callbacks.EarlyStopping("val_loss", patience=spec.patience, restore_best_weights=True),
            keras.callbacks.LambdaCallback(on_epoch_end=_log_epoch),
        ],
    )
    return model, {name: [float(loss) for loss in losses] for name, losses in history.history.items()}


def predict(model: keras.Model, inputs: NDArray[np.float32]) -> NDArray[np.float64]:
    """The probability of inactivity of each row, (rows,)."""
    return model.predict(inputs, batch_size=_PREDICT_BATCH, verbose=0)[:, 0].astype(np.float64)


def libraries() -> dict[str, str]:
    """What the weights may depend on beside data and seed."""
    return {
        "python": platform.python_version(),
        "keras": keras.__version__,
        "tensorflow": tf.__version__,
        "numpy": np.__version__,
    }


def _build(spec: TrainingSpec, features: Sequence[str], examples: NDArray[np.float32]) -> keras.Model:
    """The untrained graph: raw features in, probability out, with the examples' mean and variance inside."""
    raw = keras.Input((len(features),), name="features")
    scaled = _scale(raw, features)
    normalization = keras.layers.Normalization()
    normalization.adapt(keras.Model(raw, scaled).predict(examples, batch_size=_PREDICT_BATCH, verbose=0))
    hidden = normalization(scaled)
    for units in spec.hidden_units:
        hidden = keras.layers.Dense(units, activation="relu")(hidden)
        hidden = keras.layers.Dropout(spec.dropout)(hidden)
    return keras.Model(raw, keras.layers.Dense(1, activation="sigmoid", name=SCORE)(hidden))


def _scale(raw: Any, features: Sequence[str]) -> Any:
    """Draws in the long tails; the sign is kept because returns can make sales negative."""
    bounded = [index for index, name in enumerate(features) if name in BOUNDED]
    skewed = [index for index, name in enumerate(features) if name not in BOUNDED]
    tails = keras.ops.take(raw, skewed, axis=1)
    tails = keras.ops.sign(tails) * keras.ops.log1p(keras.ops.absolute(tails))
    return keras.ops.concatenate([tails, keras.ops.take(raw, bounded, axis=1)], axis=1)


def _log_epoch(epoch: int, losses: dict[str, float]) -> None:
    log.info("step=train epoch=%d loss=%.5f val_loss=%.5f", epoch + 1, losses["loss"], losses["val_loss"])
