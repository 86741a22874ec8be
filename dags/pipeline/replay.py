"""Replay: rejected rows take the way of the data once more, after their contract was mended."""

from dataclasses import dataclass

from airflow.exceptions import AirflowFailException, AirflowSkipException
from airflow.sdk import Context, Param
from google.api_core.exceptions import BadRequest

from medallion.environments import Environment
from medallion.manifest import SourceFile
from medallion.products import Product
from pipeline.scripts import dry_run, query, table_columns
from pipeline.work import metrics_of

PARAM = Param(
    None,
    type=["null", "object"],
    description="Instead of new files, takes up rejected rows again. "
    "where: a GoogleSQL condition over quarantine's columns; without it, every row that is not resolved. "
    "dry_run: stops after the audit and says how many rows would pass.",
    properties={"where": {"type": "string", "minLength": 1}, "dry_run": {"type": "boolean"}},
    additionalProperties=False,
)


@dataclass(frozen=True)
class Selection:
    """Rejected rows to replay: how many, a fingerprint of them, and the files that they are from."""

    where: str
    rows: int
    fingerprint: str
    files: tuple[SourceFile, ...]


def select_rejected(product: Product, environment: Environment, where: str) -> Selection:
    """The rejected rows that no run has brought yet and that meet a condition.

    Raises AirflowSkipException when there are none, and AirflowFailException when `where` is no condition
    or rows can't be read again.
    """
    if table_columns(environment, "quarantine", product.name):
        _require_condition(product, environment, where)
        files = query(environment, "pipeline/replay.sql", product=product.name, where=where, uri=None)
    else:
        files = []
    if not files:
        raise AirflowSkipException(f"Nothing to replay for {product.name}: no such row is unresolved.")
    unread = [file["uri"] for file in files if file["format"] is None]
    if unread:
        raise AirflowFailException(
            f"{unread[0]}: expected its format in the ledger, got none, as for {len(unread)} of {len(files)} "
            "files. Next: land them again, or leave them out with where."
        )
    return Selection(
        where,
        sum(file["selected_rows"] for file in files),
        str(sum(int(file["fingerprint"]) for file in files)),
        tuple(
            SourceFile(*(file[key] for key in ("uri", "generation", "size", "checksum", "format", "header")))
            for file in files
        ),
    )


def export_rejected(product: Product, environment: Environment, selected: Selection, folder: str) -> str:
    """Writes the rows as JSON lines: the place of their file among the selection's, and their text."""
    values = {"product": product.name, "where": selected.where, "uri": f"{folder}/*.json"}
    query(environment, "pipeline/replay.sql", **values)
    return folder


def replay_outcome(context: Context) -> str:
    """What publishing a replay brings, in words."""
    rows = metrics_of(context)["rows"]
    return (
        f"of {rows['read']} rejected rows {rows['valid'] + rows['duplicate']} would now pass, "
        f"{rows['rejected']} would not."
    )


def _require_condition(product: Product, environment: Environment, where: str) -> None:
    """Holds a text to be one condition and nothing else, before it becomes part of a script.

    Alone it can't close a bracket that it hasn't opened; in brackets it can't go on with another clause or
    statement. BigQuery plans both and runs neither.
    """
    table = f"{environment.datasets['quarantine']}.{product.name}"
    for text in (where, f"({where}\n)"):
        try:
            dry_run(environment, f"SELECT 1 FROM `{table}` WHERE {text}")
        except BadRequest as error:
            reason = error.errors[0]["message"] if error.errors else error.message
            raise AirflowFailException(
                f"replay.where: expected a GoogleSQL condition over quarantine's columns, got: {reason}. "
                "Next: mend the condition."
            ) from error
