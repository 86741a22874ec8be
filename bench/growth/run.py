"""`make bench-growth`: what growth costs on the local cloud, part by part, with the machine named."""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict

from rich.console import Console

from bench.cleaning import machine
from bench.cleaning.paths import BENCH, ROOT
from bench.growth.arrivals import arrivals
from bench.growth.days import days
from bench.growth.failures import failed_part
from bench.growth.files import files
from bench.growth.late import late
from bench.growth.products import products
from bench.growth.scale import scale
from bench.growth.table import Figures
from local.following import run_command

PARTS: dict[str, Callable[[argparse.Namespace], Figures]] = {
    "scale": lambda sizes: scale(sizes.years),
    "days": lambda sizes: days(sizes.days),
    "files": lambda sizes: files(sizes.files),
    "products": lambda sizes: products(sizes.products),
    "arrivals": lambda sizes: arrivals(sizes.messages),
    "late": lambda sizes: late(),
}


def main(argv: list[str] | None = None) -> int:
    arguments = _arguments(argv)
    figures: list[Figures] = []

    def measure() -> None:
        console = Console(width=None if sys.stdout.isatty() else 200, highlight=False)
        for part in arguments.only:
            figures.append(_measured(part, arguments))
            figures[-1].show(console)
            _write(figures)
        console.print(f"Written: growth.json and growth.md in {BENCH.relative_to(ROOT)}")

    return run_command(measure) or int(not all(part.met for part in figures))


def _measured(part: str, arguments: argparse.Namespace) -> Figures:
    try:
        return PARTS[part](arguments)
    except Exception as error:  # whatever it is, the other parts' figures are worth having
        return failed_part(part, error)


def _write(figures: list[Figures]) -> None:
    described = machine.describe()
    BENCH.mkdir(parents=True, exist_ok=True)
    document = {"machine": described, "parts": [asdict(part) for part in figures]}
    (BENCH / "growth.json").write_text(json.dumps(document, indent=1))
    parts = [*(part.markdown() for part in figures), f"{machine.named(described)}.\n"]
    (BENCH / "growth.md").write_text("\n".join(parts))


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-growth", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=tuple(PARTS))
    parser.add_argument("--years", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--days", type=int, default=28)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--products", type=int, default=500)
    parser.add_argument("--messages", type=int, default=1_000)
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
