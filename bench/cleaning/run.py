"""`make bench`: cleaning beside its alternatives, in turns, each measurement in a process of its own.

A figure is the wall time of the work once the session is up, on a JVM whose code is still cold; the start,
which is the same for all on Spark, is left out. The input is in the page cache.
"""

import argparse
import json
import os
import shutil
import sys
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from bench.cleaning import data, machine, processes, report
from bench.cleaning.agreement import Case
from bench.cleaning.paths import BENCH, DATA, OUTPUT, ROOT, WORK
from bench.cleaning.plan import NAMES, SCALES, Contender, Plan, plans
from bench.cleaning.report import Measurement, Scale
from local.services import hold
from medallion.errors import MedallionError


def main(argv: list[str] | None = None) -> int:
    arguments = _arguments(argv)
    console = Console(width=None if sys.stdout.isatty() else 200, highlight=False)
    scales: list[Scale] = []
    try:
        hold(DATA / "lock")
        for plan in plans(arguments.scales, arguments.rounds, arguments.only):
            scales.append(measure_scale(plan, console))
            report.print_scale(console, scales[-1])
            _write(scales)
    except MedallionError as error:
        console.print(str(error), style="red", markup=False)
        return 1
    _clear()
    console.print(f"Written: cleaning.json and cleaning.md in {BENCH.relative_to(ROOT)}")
    return 0


def measure_scale(plan: Plan, console: Console) -> Scale:
    """Measures a plan's contenders in turns, round by round, and checks what each leaves, every time."""
    _clear()
    console.print(f"{plan.years}x: making the input that isn't there yet")
    files, expected = data.prepare(DATA, plan.years)
    reference = OUTPUT / "clean" if any(c.name == "clean" for c in plan.contenders) else None
    case = Case(expected, reference)
    measurements: list[Measurement] = []
    for number in range(1, plan.rounds + 1):
        failed = {measurement.contender for measurement in measurements if measurement.failure}
        for contender in plan.contenders:
            if contender.name in failed:
                continue
            measured = measure(contender, files, case)
            measurements.append(measured)
            told = measured.failure or f"{measured.seconds:.1f} s; {measured.said}"
            console.print(f"{plan.years}x, round {number} of {plan.rounds}: {contender.name}: {told}")
    size = sum(file.stat().st_size for file in files)
    return Scale(plan.years, len(files), case.read, size, tuple(measurements))


def measure(contender: Contender, files: list[Path], case: Case) -> Measurement:
    """Measures a contender once. Raises ProcessError where it fails and may not."""
    output = OUTPUT / contender.name
    shutil.rmtree(output, ignore_errors=True)
    _settle(files)
    try:
        told = processes.run(contender, files, output)
    except processes.ProcessError as error:
        if not contender.may_fail:
            raise
        return Measurement(contender.name, contender.title, failure=str(error))
    said = contender.check(output, case)
    return Measurement(contender.name, contender.title, said=said, **told)


def _settle(files: list[Path]) -> None:
    """Puts the input into the page cache, and onto the disk what still waits to be written."""
    for file in files:
        with file.open("rb") as stream:
            while stream.read(1 << 24):
                pass
    os.sync()


def _clear() -> None:
    for folder in (OUTPUT, WORK):
        shutil.rmtree(folder, ignore_errors=True)


def _write(scales: list[Scale]) -> None:
    described = machine.describe()
    document = {"machine": described, "scales": [asdict(scale) for scale in scales]}
    (BENCH / "cleaning.json").write_text(json.dumps(document, indent=1))
    (BENCH / "cleaning.md").write_text(report.markdown(scales, described))


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--scales", type=int, nargs="+", default=SCALES, help="numbers of years")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--only", nargs="+", choices=NAMES, default=())
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
