"""Backfill: files that were processed before take the way of the data again, by today's contract and code."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from airflow.exceptions import AirflowFailException, AirflowSkipException
from airflow.sdk import Param

from medallion.environments import Environment
from medallion.manifest import SourceFile
from medallion.products import Product
from pipeline.scripts import query

PARAM = Param(
    None,
    type=["null", "object"],
    description="Instead of new files, processes those again that have rows of the business dates first to "
    "last (yyyy-mm-dd). Without apply nothing is published: the log of publish says what would change.",
    properties={
        "first": {"type": "string", "format": "date"},
        "last": {"type": "string", "format": "date"},
        "apply": {"type": "boolean"},
    },
    required=["first", "last"],
    additionalProperties=False,
)


def select_processed(
    product: Product,
    environment: Environment,
    asked: dict[str, Any],
    landed: dict[tuple[str, int], SourceFile],
) -> tuple[SourceFile, ...]:
    """The files with rows of the span of dates that is asked for, as they lie in bronze.

    A file that has meanwhile come again is left to the next run, which takes the newer version. One that was
    rejected whole and is gone is left out, for it brought no rows. Raises AirflowSkipException when there are
    none, and AirflowFailException for a span that is none or a file with rows of it that is gone.
    """
    first, last = date.fromisoformat(asked["first"]), date.fromisoformat(asked["last"])
    if last < first:
        raise AirflowFailException(
            f"backfill.last: expected a date from {first} on, got {last}. Next: mend the dates."
        )
    rows = query(environment, "pipeline/backfill.sql", product=product.name, first=first, last=last)
    known = [(row["uri"], row["generation"]) for row in rows]
    lying = {uri for uri, _ in landed}
    gone = [row["uri"] for row in rows if row["has_rows"] and row["uri"] not in lying]
    if gone:
        raise AirflowFailException(
            f"{gone[0]}: expected the file in bronze, got none, as for {len(gone)} of {len(known)} files. "
            "Next: restore them, or take a span of dates without them."
        )
    files = tuple(landed[version] for version in known if version in landed)
    if not files:
        raise AirflowSkipException(f"No file of {product.name} has rows from {first} to {last}.")
    return files


def backfill_outcome(changes: Sequence[Mapping[str, Any]]) -> str:
    """What publishing a backfill changes in silver, in words; `changes` has a row for each business date."""
    added, changed, removed = (
        sum(change[kind] for change in changes) for kind in ("added", "changed", "removed")
    )
    return (
        f"{len(changes)} business dates change, by {added} rows added, {changed} changed, {removed} removed."
    )
