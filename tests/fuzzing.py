"""How many cases a target gets: few in `make test`, as many as one likes in `make fuzz CASES=10000`."""

import os

from hypothesis import HealthCheck, settings

CASES = int(os.environ.get("FUZZ_CASES", "100"))
LONG = "FUZZ_CASES" in os.environ
fuzzed = settings(
    max_examples=CASES,
    deadline=None,
    derandomize=not LONG,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def in_batches(size: int) -> settings:
    """The same number of cases where an example has so many of them, for what is dear to begin."""
    return settings(fuzzed, max_examples=max(CASES // size, 1))
