"""Quality of predicted probabilities, in plain numpy; labels are 0 or 1, and both occur."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# A float32 probability can be exactly 0 or 1, whose log loss is infinite.
_SMALLEST = 1e-7


def auc(labels: Floats, scores: Floats) -> float:
    """Area under the ROC curve by the Mann-Whitney statistic; tied scores count half."""
    positives = labels > 0
    n_positive = int(positives.sum())
    n_negative = len(labels) - n_positive
    rank_sum = _average_ranks(scores)[positives].sum()
    return float((rank_sum - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def average_precision(labels: Floats, scores: Floats) -> float:
    """Area under the precision-recall curve as a step function, without interpolation."""
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(labels[order])
    # Tied scores share one threshold: only the last of them is a point of the curve.
    points = np.append(np.flatnonzero(np.diff(scores[order])), len(labels) - 1)
    precision, recall = hits[points] / (points + 1), hits[points] / hits[-1]
    return float(np.sum(precision * np.diff(recall, prepend=0.0)))


def log_loss(labels: Floats, probabilities: Floats) -> float:
    """Mean negative log-likelihood, in nats."""
    clipped = np.clip(probabilities, _SMALLEST, 1 - _SMALLEST)
    return float(-np.mean(labels * np.log(clipped) + (1 - labels) * np.log1p(-clipped)))


def base_log_loss(labels: Floats) -> float:
    """Log loss of predicting the base rate for everyone."""
    return log_loss(labels, np.full(len(labels), labels.mean()))


def calibration_error(labels: Floats, probabilities: Floats, bins: int = 10) -> float:
    """Expected calibration error: |mean prediction - base rate| of equal-count bins, averaged by count."""
    parts = np.array_split(np.argsort(probabilities, kind="stable"), bins)
    return float(sum(abs(np.sum(probabilities[part] - labels[part])) for part in parts) / len(labels))


def summarize(labels: Floats, probabilities: Floats) -> dict[str, float]:
    """One model's figures by their names in metrics.json; skill is 1 - log loss / base log loss."""
    loss = log_loss(labels, probabilities)
    return {
        "auc": auc(labels, probabilities),
        "pr_auc": average_precision(labels, probabilities),
        "log_loss": loss,
        "skill": 1 - loss / base_log_loss(labels),
        "ece": calibration_error(labels, probabilities),
        "mean_prediction": float(probabilities.mean()),
    }


def _average_ranks(values: Floats) -> Floats:
    """Ranks from 1; tied values share the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[inverse]
