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
from spark_jobs.cleaning.rules import Rule

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


def ledger_line(
    number: int, found: Inspection, counts: Counts, contract: Contract, keys: Collection[str]
) -> Json:
    """What the ledger says of a file, to which rows refer by its number; `keys` are the new columns that its
    rows name themselves.
    """
    new = () if found.reason else {*new_columns(found.columns, contract), *keys}
    return {
        "file": number,
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
    rules: list[Rule],
    files: list[Json],
    broken: Mapping[int, Counter[int]],
) -> Json:
    """The metrics of a run: rows by status, rule and file, and how the files differ from the contract.

    `broken` are rows by the number of their file and that of the rule that they break.
    """
    by_file = [_broken_rules(rules, broken.get(number, Counter())) for number in range(len(files))]
    return {
        "product": manifest.product,
        "run": manifest.run,
        "contract_version": contract.version,
        "rows": {status: sum(line[f"rows_{status}"] for line in files) for status in ("read", *STATUSES)},
        "rules": _broken_rules(rules, sum(broken.values(), Counter())),
        "drift": {
            "new_columns": Counter(name for line in files for name in line["new_columns"]),
            "missing_columns": Counter(name for line in files for name in line["missing_columns"]),
            "notes": _type_changes(files, by_file)[:MAX_NOTES],
        },
        "files": [{**line, "rules": found} for line, found in zip(files, by_file, strict=True)],
    }


def _broken_rules(rules: list[Rule], broken: Counter[int]) -> list[Json]:
    return [
        {"column": rule.column, "rule": rule.name, "severity": rule.severity, "rows": broken[number]}
        for number, rule in enumerate(rules)
        if broken[number]
    ]


def _type_changes(files: list[Json], by_file: list[list[Json]]) -> list[str]:
    return [
        f"{line['uri']}: {rule['column']}: {rule['rows']} of {line['rows_read']} rows are of another type"
        for line, found in zip(files, by_file, strict=True)
        for rule in found
        if rule["rule"] == "type" and rule["rows"] >= MISTYPED_RATIO * line["rows_read"]
    ]
