"""LightGBM on the same rows, in an environment of its own: python -m bench.model.lightgbm_fit IN OUT."""

import sys
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd

from ml.features import FEATURES, LABEL

# Shallow and slow to learn, which suits some 60,000 rows that overlap from week to week.
SETTINGS = {
    "objective": "binary",
    "learning_rate": 0.02,
    "num_leaves": 15,
    "min_data_in_leaf": 200,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "lambda_l2": 10.0,
    "seed": 20170101,
    "num_threads": 2,
    "verbose": -1,
}
ROUNDS, PATIENCE = 2000, 100


def main() -> None:
    rows = pd.read_parquet(sys.argv[1])
    split = dict(list(rows.groupby("split")))
    training = _data(split["train"])
    booster = lightgbm.train(
        SETTINGS,
        training,
        ROUNDS,
        valid_sets=[_data(split["validation"], training)],
        callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)],
    )
    test = split["test"].sort_values("customer_id")
    said = booster.predict(_values(test), num_iteration=booster.best_iteration)
    np.save(Path(sys.argv[2]), said)


def _data(rows: pd.DataFrame, like: lightgbm.Dataset | None = None) -> lightgbm.Dataset:
    return lightgbm.Dataset(_values(rows), rows[LABEL].to_numpy(np.float64), reference=like)


def _values(rows: pd.DataFrame) -> np.ndarray:
    return rows[list(FEATURES)].to_numpy(np.float64)


if __name__ == "__main__":
    main()
