"""A late row: what it costs gold, beside the whole year."""

import tempfile
from pathlib import Path

from bench.cleaning import data
from bench.cleaning.layout import HEADER
from bench.cleaning.paths import DATA
from bench.growth.place import Place, Run, place
from bench.growth.table import Figures
from local.sample import PRODUCT
from local.sql_bytes import bytes_read
from medallion.products import load_product
from medallion.sql import literal

LATE = "900,330,99000000001,1082185,1,1.00,0.00,0.00,0.00,11,2017-03-15 17:00:00"


def late() -> Figures:
    """A run over the sample's year, and then one over a row of a day in March."""
    (year, year_dates, year_bytes), (row, row_dates, row_bytes) = measure()
    lines = [
        (name, f"{dates}", f"{size:,}", f"{run.steps['gold']:.1f}", f"{run.seconds:.1f}")
        for name, run, dates, size in (
            ("the year", year, year_dates, year_bytes),
            ("a late row", row, row_dates, row_bytes),
        )
    ]
    notes = [
        f"The late row's refresh takes {row.steps['gold'] / year.steps['gold']:.2f} of the year's time, and "
        f"reads {row_bytes / year_bytes:.4f} of its bytes."
    ]
    headings = ("", "Dates rebuilt", "Bytes that gold reads", "Seconds of gold", "Seconds of the run")
    return Figures("A late row beside the year", headings, lines, notes)


def measure() -> list[tuple[Run, int, int]]:
    """The two runs, each with the dates it touched and the bytes that its refresh of gold reads."""
    files, _ = data.prepare(DATA, 1)
    with tempfile.TemporaryDirectory() as folder, place() as there:
        row = Path(folder) / "late.csv"
        row.write_text(f"{','.join(HEADER)}\n{LATE}\n")
        return [_run(there, files), _run(there, [row])]


def _run(there: Place, files: list[Path]) -> tuple[Run, int, int]:
    run = there.run(files)
    touched = f"SELECT partition_date FROM ops.touched_partitions WHERE run = {literal(run.name)}"
    dates = [row["partition_date"] for row in there.cloud.query(touched)]
    read = bytes_read(there.cloud.bigquery(), load_product(PRODUCT), there.cloud.environment, run.name, dates)
    return run, len(dates), read.total()
