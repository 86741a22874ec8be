"""Versions trained on the sample year, each once a session, as the DAG would have trained them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from bench.model.data import MODEL
from medallion.promotion import Decision, decide
from ml.evaluate import Forecast, evaluate
from ml.examples import inputs, labels
from ml.features import FEATURES
from ml.metrics import Floats
from ml.model import Split, TrainingSpec, predict, train
from ml.train import trained_until, training_spec

# Newest business dates of runs; their test snapshots are 30 days before.
NOW, A_MONTH_AGO, FOUR_MONTHS_AGO = date(2017, 12, 31), date(2017, 12, 1), date(2017, 9, 2)

Change = Callable[[pd.DataFrame], pd.DataFrame]


def unchanged(rows: pd.DataFrame) -> pd.DataFrame:
    return rows


class Year:
    """The sample's examples by the newest date of a run, and models fitted on them."""

    def __init__(self, take: Callable[[date], Path], customer_daily: pd.DataFrame) -> None:
        self._take = take
        self._daily = customer_daily
        self.examples = cache(self._examples)
        self.fit = cache(self._fit)

    def _examples(self, last: date) -> pd.DataFrame:
        rows = pd.read_parquet(self._take(last))
        return rows.sort_values(["snapshot_date", "customer_id"], ignore_index=True)

    def split(self, last: date, name: str) -> pd.DataFrame:
        rows = self.examples(last)
        return rows[rows["split"] == name]

    def _fit(self, last: date, seed: int = 0, change: Change = unchanged) -> keras.Model:
        """The model of a run, with its seed moved; `change` is what befell its training rows."""
        spec = spec_of_the_model_file()
        training = change(self.split(last, "train"))
        validation = self.split(last, "validation")
        splits = [Split(inputs(rows), labels(rows)) for rows in (training, validation)]
        return train(replace(spec, seed=spec.seed + seed), FEATURES, *splits)[0]

    def forecast(self, last: date, seed: int = 0, change: Change = unchanged) -> Forecast:
        """What the model of a run says of the newest test snapshot."""
        learned = self.examples(last)
        learned = learned[learned["split"].isin(["train", "validation"])]
        until = trained_until(learned).isoformat()
        return Forecast(f"{last}+{seed}", self.predictions(last, seed, change), until)

    def predictions(
        self, last: date, seed: int = 0, change: Change = unchanged, scored: Change = unchanged
    ) -> Floats:
        test = scored(self.split(NOW, "test"))
        return predict(self.fit(last, seed, change), inputs(test))

    def leaked(self, last: date = NOW) -> Forecast:
        """What a version says that counts a week too late: its newest visits come after the snapshot."""
        training, validation, test = (
            self._a_week_late(self.split(last, name)) for name in ("train", "validation", "test")
        )
        splits = [Split(inputs(rows), labels(rows)) for rows in (training, validation)]
        model, _ = train(spec_of_the_model_file(), FEATURES, *splits)
        until = trained_until(validation).isoformat()
        return Forecast("leaked", predict(model, inputs(test)), until)

    def _a_week_late(self, rows: pd.DataFrame) -> pd.DataFrame:
        visits = self._daily[["customer_id", "order_date"]]
        ahead = rows[["customer_id", "snapshot_date"]].merge(visits, on="customer_id")
        days = (pd.to_datetime(ahead["order_date"]) - pd.to_datetime(ahead["snapshot_date"])).dt.days
        counts = ahead[days.between(1, 7)].groupby(["snapshot_date", "customer_id"]).size()
        keys = pd.MultiIndex.from_frame(rows[["snapshot_date", "customer_id"]])
        return rows.assign(active_days_7=counts.reindex(keys, fill_value=0).to_numpy())

    def decide(self, challenger: Forecast, champion: Forecast | None) -> Decision:
        """What the gate of the model file says of a challenger on the newest test snapshot."""
        training, test = self.split(NOW, "train"), self.split(NOW, "test")
        return decide(evaluate(training, test, challenger, champion), MODEL.gate)


def spec_of_the_model_file() -> TrainingSpec:
    return training_spec(MODEL.document["training"])


def shuffled(share: float) -> Change:
    """Labels of a share of the rows, dealt out anew among them."""

    def change(rows: pd.DataFrame) -> pd.DataFrame:
        random = np.random.default_rng(5)
        chosen = rows.index[random.random(len(rows)) < share]
        dealt = rows.copy()
        dealt.loc[chosen, "inactive_30d"] = random.permutation(rows.loc[chosen, "inactive_30d"].to_numpy())
        return dealt

    return change
