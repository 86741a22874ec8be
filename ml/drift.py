"""Whether today's customers look like those that a model was trained on: the population stability index."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.metrics import Floats

_BINS = 10
# An empty bin would make the index infinite.
_LEAST_SHARE = 1e-4


def reference(values: NDArray[Any]) -> dict[str, list[float]]:
    """What the index needs of training values: `edges` between bins, at deciles, and the `shares` of bins.

    A value that more than a tenth of the rows have makes a bin of its own.
    """
    tenths = np.linspace(0, 1, _BINS + 1)[1:-1]
    edges = np.unique(np.quantile(values, tenths, method="lower"))
    return {
        "edges": [float(edge) for edge in edges],
        "shares": [float(share) for share in _shares(values, edges)],
    }


def stability_index(trained: dict[str, list[float]], values: NDArray[Any]) -> float:
    """PSI of values against a reference: sum of (share - trained) * ln(share / trained) over the bins."""
    found = np.maximum(_shares(values, np.array(trained["edges"])), _LEAST_SHARE)
    expected = np.maximum(np.array(trained["shares"]), _LEAST_SHARE)
    return float(np.sum((found - expected) * np.log(found / expected)))


def _shares(values: NDArray[Any], edges: Floats) -> Floats:
    # A value that is an edge belongs to the bin that ends with it.
    return np.bincount(np.searchsorted(edges, values), minlength=len(edges) + 1) / len(values)
