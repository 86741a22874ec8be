"""Quality of predicted probabilities, in plain numpy, over any number of resamples at once.

Labels are 0 or 1, and both occur. `counts`, (draws, rows), tells how often each row is in each resample;
every function returns a figure a draw, or NaN where not both are drawn and it asks for both. `once` makes the
counts of the rows as they are.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[Any]  # whole numbers, of whichever type
Figures = dict[str, Floats]

# Resamples that are measured at a time: each takes a dozen numbers a row, and there may be many rows.
_AT_ONCE = 50

# A float32 probability can be exactly 0 or 1, whose log loss is infinite.
_SMALLEST = 1e-7


def once(labels: Floats) -> Counts:
    """Counts of one draw that holds every row once."""
    return np.ones((1, len(labels)), np.uint32)


def auc(labels: Floats, scores: Floats, counts: Counts) -> Floats:
    """Area under the ROC curve by the Mann-Whitney statistic; tied scores count half."""
    positive, negative = _by_score(labels, scores, counts)
    below = np.cumsum(negative, axis=1) - negative / 2
    return np.sum(positive * below, axis=1) / (positive.sum(axis=1) * negative.sum(axis=1))


def average_precision(labels: Floats, scores: Floats, counts: Counts) -> Floats:
    """Area under the precision-recall curve as a step function, without interpolation."""
    # Tied scores share one threshold, so that they are one step of the curve.
    positive, negative = _by_score(labels, -scores, counts)
    hits = np.cumsum(positive, axis=1)
    taken = np.maximum(np.cumsum(positive + negative, axis=1), 1)
    return np.sum(hits / taken * positive, axis=1) / hits[:, -1]


def log_loss(labels: Floats, probabilities: Floats, counts: Counts) -> Floats:
    """Mean negative log-likelihood, in nats."""
    clipped = np.clip(probabilities, _SMALLEST, 1 - _SMALLEST)
    losses = -(labels * np.log(clipped) + (1 - labels) * np.log1p(-clipped))
    return counts @ losses / counts.sum(axis=1)


def base_log_loss(labels: Floats, counts: Counts) -> Floats:
    """Log loss of predicting each draw's own base rate for everyone."""
    rate = counts @ labels / counts.sum(axis=1)
    return -(rate * np.log(rate) + (1 - rate) * np.log1p(-rate))


def calibration_error(labels: Floats, probabilities: Floats, counts: Counts, bins: int = 10) -> Floats:
    """Expected calibration error: |mean prediction - base rate| of equal-count bins, averaged by count.

    A row at the border of two bins belongs to both by its parts.
    """
    order = np.argsort(probabilities, kind="stable")
    rows = _running(counts[:, order])
    excess = _running(counts[:, order] * (probabilities - labels)[order])
    share = np.linspace(0, 1, bins + 1)
    at_borders = [np.interp(share * drawn[-1], drawn, sums) for drawn, sums in zip(rows, excess, strict=True)]
    return np.abs(np.diff(at_borders, axis=1)).sum(axis=1) / rows[:, -1]


def measure(labels: Floats, probabilities: Floats, counts: Counts) -> Figures:
    """One model's figures by their names in metrics.json; skill is 1 - log loss / base log loss."""

    def figures(drawn: Counts) -> Figures:
        loss = log_loss(labels, probabilities, drawn)
        return {
            **_ranked(labels, probabilities, drawn),
            "log_loss": loss,
            "skill": 1 - loss / base_log_loss(labels, drawn),
            "ece": calibration_error(labels, probabilities, drawn),
            "mean_prediction": drawn @ probabilities / drawn.sum(axis=1),
        }

    return _by_parts(figures, counts)


def ranking(labels: Floats, scores: Floats, counts: Counts) -> Figures:
    """The figures that ask for an order only, not for probabilities."""
    return _by_parts(lambda drawn: _ranked(labels, scores, drawn), counts)


def _by_parts(figures: Callable[[Counts], Figures], counts: Counts) -> Figures:
    parts = [figures(counts[start : start + _AT_ONCE]) for start in range(0, len(counts), _AT_ONCE)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _ranked(labels: Floats, scores: Floats, counts: Counts) -> Figures:
    return {"auc": auc(labels, scores, counts), "pr_auc": average_precision(labels, scores, counts)}


def _by_score(labels: Floats, scores: Floats, counts: Counts) -> tuple[Floats, Floats]:
    """Positives and negatives of each draw by distinct score, ascending."""
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=-np.inf))
    ordered = counts[:, order]
    positive = np.add.reduceat(ordered * labels[order], starts, axis=1)
    return positive, np.add.reduceat(ordered, starts, axis=1) - positive


def _running(values: Floats) -> Floats:
    """Sums along each row, from nothing on."""
    return np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1)
