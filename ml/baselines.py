"""What a model has to beat: predictions that need no network."""

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from ml.examples import labels
from ml.features import RFM
from ml.metrics import Floats


def base_rate(training: pd.DataFrame, rows: pd.DataFrame) -> Floats:
    """The same probability for everyone: the share of inactive customers in the training rows."""
    return np.full(len(rows), labels(training).mean())


def rfm_logistic(training: pd.DataFrame, rows: pd.DataFrame) -> Floats:
    """Probabilities by logistic regression on the logarithms of recency, frequency and monetary value.

    Where the training rows are all alike, there is nothing to learn but that.
    """
    if labels(training).mean() in (0, 1):
        return base_rate(training, rows)
    regression: Pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    regression.fit(_rfm(training), labels(training))
    return np.asarray(regression.predict_proba(_rfm(rows))[:, 1], np.float64)


def _rfm(rows: pd.DataFrame) -> Floats:
    # Returns can make sales negative.
    return np.log1p(rows[list(RFM)].to_numpy(np.float64).clip(min=0))
