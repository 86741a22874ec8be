"""One measurement, in a process of its own: makes a contender's session, and times what comes after.

Writes one line of JSON, the last one on stdout: `seconds`, the wall time of the work without the start of
the session; `peak_bytes`, the peak resident memory of this process and its children, the JVM among them,
added up; `versions` of the engines that took part.
"""

import argparse
import importlib
import json
import logging
import re
import sys
import time
from importlib.metadata import version
from pathlib import Path

import psutil

ENGINES = {
    "databricks.labs.dqx": "databricks-labs-dqx",
    "duckdb": "duckdb",
    "pyspark": "pyspark",
    "velox_spark": "velox-spark",
}


def main(argv: list[str] | None = None) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    arguments = _arguments(argv)
    contender = importlib.import_module(f"bench.cleaning.contenders.{arguments.contender}")
    with contender.session() as session:
        start = time.perf_counter()
        contender.clean(session, [str(file) for file in arguments.files], str(arguments.output))
        seconds = time.perf_counter() - start
        peak = _peak_bytes()
    versions = {package: version(package) for module, package in ENGINES.items() if module in sys.modules}
    measured = {"seconds": round(seconds, 3), "peak_bytes": peak, "versions": versions}
    sys.stdout.write(json.dumps(measured) + "\n")


def _peak_bytes() -> int:
    this = psutil.Process()
    return sum(_high_water_mark(process.pid) for process in [this, *this.children(recursive=True)])


def _high_water_mark(pid: int) -> int:
    """The most memory that a process had at any time, as the kernel keeps it, in KiB, in its status."""
    status = Path(f"/proc/{pid}/status").read_text()
    match = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    return int(match[1]) * 1024 if match else 0


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.cleaning.measure")
    parser.add_argument("contender", help="name of a module in bench/cleaning/contenders/")
    parser.add_argument("--output", type=Path, required=True, help="folder that isn't there yet")
    parser.add_argument("files", type=Path, nargs="+")
    return parser.parse_args(argv)


if __name__ == "__main__":
    main()
