"""The curves of a model card, as points."""

import numpy as np

from ml.metrics import Floats

Points = list[list[float]]

_ROC_POINTS = 101
_PARTS = 10


def reliability(labels: Floats, probabilities: Floats) -> Points:
    """Mean prediction and share of positives of equal-count bins, ascending; none of them is empty."""
    parts = np.array_split(np.argsort(probabilities, kind="stable"), min(_PARTS, len(labels)))
    return [[float(probabilities[part].mean()), float(labels[part].mean())] for part in parts]


def roc(labels: Floats, scores: Floats) -> Points:
    """False and true positive rate from (0, 0) to (1, 1), at no more than 101 false positive rates."""
    order = np.argsort(-scores, kind="stable")
    # Tied scores share one threshold: only the last of them is a point of the curve.
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    true = np.append(0, np.cumsum(labels[order])[last] / labels.sum())
    false = np.append(0, np.cumsum(1 - labels[order])[last] / (1 - labels).sum())
    grid = np.linspace(0, 1, _ROC_POINTS)
    return [[float(x), float(y)] for x, y in zip(grid, np.interp(grid, false, true), strict=True)]


def lift(labels: Floats, scores: Floats) -> Points:
    """For each tenth more of the customers, likeliest first: their share, and their rate by the base rate.

    Fewer than ten customers are taken one by one.
    """
    parts = min(_PARTS, len(labels))
    hits = np.cumsum(labels[np.argsort(-scores, kind="stable")])
    ends = [round(len(labels) * part / parts) for part in range(1, parts + 1)]
    return [[end / len(labels), float(hits[end - 1] / end / labels.mean())] for end in ends]
