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
