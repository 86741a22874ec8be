"""Bootstrap by customer: how far a figure would move with other customers."""

import numpy as np
from numpy.typing import NDArray

from ml.metrics import Counts, Floats

DRAWS = 1000
# Fixed, so that an evaluation that is tried again says the same.
_SEED = 20170101
_ENDS = (2.5, 97.5)


def resample(customers: NDArray[np.int64], draws: int = DRAWS) -> Counts:
    """How often each row is in each draw, (draws, rows): customers are drawn, with all of their rows.

    Efron and Tibshirani, An Introduction to the Bootstrap (1993); a draw is told by counts, not by its rows.
    """
    distinct, index = np.unique(customers, return_inverse=True)
    even = np.full(len(distinct), 1 / len(distinct))
    drawn = np.random.default_rng(_SEED).multinomial(len(distinct), even, size=draws)
    return drawn.astype(np.uint32)[:, index]


def interval(figures: Floats) -> list[float]:
    """The ends of the 95 % interval of a figure's draws; a draw without one, NaN, doesn't count."""
    return [float(end) for end in np.nanpercentile(figures, _ENDS)]
