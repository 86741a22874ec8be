"""What a run says of itself: a ledger line for each file, and the metrics."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any

from medallion.contracts import Contract
from medallion.errors import MedallionError
from medallion.manifest import Manifest
from spark_jobs.cleaning.files import Inspection, missing_columns
from spark_jobs.cleaning.metrics import STATUSES, Counts
from spark_jobs.cleaning.new_columns import new_columns

Json = dict[str, Any]
MISTYPED_RATIO = 0.5  # of a file's rows, from which a column has changed its type rather than its luck
MAX_NOTES = 100


def require_balance(found: list[Inspection], counts: list[Counts]) -> None:
    """A job that is not sure of its counts fails, so that it is tried again; see Counts."""
    for file, count in zip(found, counts, strict=True):
        if count.read != count.valid + count.rejected + count.duplicate:
            raise MedallionError(
                f"{file.file.uri}: expected read = valid + rejected + duplicate, got {count}. "
                "Next: run the job again; a lost executor can count a task's rows twice."
            )


def ledger_line(found: Inspection, counts: Counts, contract: Contract, keys: Collection[str]) -> Json:
    """What the ledger says of a file; `keys` are the new columns that its rows name themselves."""
    new = () if found.reason else {*new_columns(found.columns, contract), *keys}
    return {
        "uri": found.file.uri,
        "generation": found.file.generation,
        "size": found.file.size,
        "checksum": found.file.checksum,
        "state": "rejected" if found.reason else "accepted",
        "reason": found.reason,
        # Needed to read the file's rejected rows again. Of an unusable file it may be a customer.
        "format": None if found.reason else found.format,
        "header": None if found.reason else found.header,
        "new_columns": sorted(new),
        "missing_columns": missing_columns(found, contract),
        **{f"rows_{status}": rows for status, rows in asdict(counts).items()},
    }


def metrics(
    manifest: Manifest,
    contract: Contract,
    files: list[Json],
    rules: list[Json],
    mistyped: Mapping[tuple[int, str], int],
) -> Json:
    """The metrics of a run: rows by status, rule and file, and how the files differ from the contract."""
    return {
        "product": manifest.product,
        "run": manifest.run,
        "contract_version": contract.version,
        "rows": {status: sum(line[f"rows_{status}"] for line in files) for status in ("read", *STATUSES)},
        "rules": rules,
        "drift": {
            "new_columns": Counter(name for line in files for name in line["new_columns"]),
            "missing_columns": Counter(name for line in files for name in line["missing_columns"]),
            "notes": _type_changes(files, mistyped)[:MAX_NOTES],
        },
        "files": files,
    }


def _type_changes(files: list[Json], mistyped: Mapping[tuple[int, str], int]) -> list[str]:
    return [
        f"{files[number]['uri']}: {column}: {rows} of {files[number]['rows_read']} rows are of another type"
        for (number, column), rows in sorted(mistyped.items())
        if rows >= MISTYPED_RATIO * files[number]["rows_read"]
    ]
