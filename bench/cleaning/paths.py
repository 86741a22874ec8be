"""Where the benchmark keeps its things: under .local/bench/."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = ROOT / ".local" / "venv"

BENCH = ROOT / ".local" / "bench"
DATA = BENCH / "data"
LOGS = BENCH / "logs"
OUTPUT = BENCH / "output"
WORK = BENCH / "work"  # what engines put on disk meanwhile
