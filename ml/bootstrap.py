"""Bootstrap by customer: how far a figure would move with other customers."""

import numpy as np
from numpy.typing import NDArray

from ml.metrics import Counts, Floats

DRAWS = 1000
# Fixed, so that an evaluation that is tried again says the same.
_SEED = 20170101
_ENDS = (2.5, 97.5)
# Draws that numpy makes at a time; they are the same as all at once.
_AT_ONCE = 50


def resample(customers: NDArray[np.int64], draws: int = DRAWS) -> Counts:
    """How often each row is in each draw, (1 + draws, rows): first the rows as they are, each once.

    Customers are drawn, with all of their rows; a draw is told by counts, not by its rows. Efron and
    Tibshirani, An Introduction to the Bootstrap (1993).
    """
    distinct, index = np.unique(customers, return_inverse=True)
    even = np.full(len(distinct), 1 / len(distinct))
    random = np.random.default_rng(_SEED)
    # Most of an evaluation's memory: nobody is drawn more often than two bytes tell; numpy draws in eight.
    counts = np.ones((1 + draws, len(customers)), np.uint16)
    for start in range(1, 1 + draws, _AT_ONCE):
        part = counts[start : start + _AT_ONCE]
        part[:] = random.multinomial(len(distinct), even, size=len(part))[:, index]
    return counts


def interval(figures: Floats) -> list[float]:
    """The ends of the 95 % interval of a figure's draws; a draw without one, NaN, doesn't count."""
    return [float(end) for end in np.nanpercentile(figures, _ENDS)]
