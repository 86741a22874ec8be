"""Forgetting a person: rows, files, scores and snapshots without them, and a note of it that names nobody."""

import hashlib
import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from airflow.exceptions import AirflowFailException, AirflowSkipException
from airflow.providers.google.cloud.hooks.gcs import GCSHook
from airflow.sdk import Param, Variable
from google.api_core.exceptions import Forbidden, NotFound
from google.cloud.bigquery import Row
from google.cloud.storage import Client

from medallion.environments import Environment
from medallion.gold import identifier
from medallion.odcs import load_contract, parse_contract
from medallion.products import Product
from medallion.snapshots import taught_by, written_plans
from pipeline.bronze import landed
from pipeline.object_versions import delete_older, place_of, rewrite, source_of, versions_of
from pipeline.person import Person, read_request
from pipeline.rewriting import row_test
from pipeline.scripts import query, table_columns
from pipeline.work import staging_table

PARAM = Param(
    None,
    type=["null", "object"],
    description="Instead of new files, takes one person out of everything. request: the gs:// URI of a JSON "
    "object with `column` and `value`, which is deleted in the end: no log and no table names the person.",
    properties={"request": {"type": "string", "pattern": "^gs://[^/]+/.+"}},
    required=["request"],
    additionalProperties=False,
)
MODEL_TABLES = ("customer_features", "customer_scores")  # of gold, which a model's runs write
COPIES = ("rows", "exports", "scratch")  # of a run: what its job has written, was given and has unpacked
ACTIVE = ["queued", "running"]  # states of a DAG run that has not ended
PART = 500  # rows of what was found in one query, which may be a megabyte long; names have up to a kilobyte
NOTHING = dict.fromkeys(("uri", "known", "generation", "size", "checksum", "reason", "rejected"))

log = logging.getLogger(__name__)


def forget(product: Product, environment: Environment, request: str, context: Mapping[str, Any]) -> None:
    """Takes a person out of a product; gold owes the dates that it touches. Done again, it changes nothing.

    Raises AirflowSkipException where nothing was published yet, and AirflowFailException for a request that
    is not there, has the name of an earlier one, or names no column that silver shows as it came, and while
    files wait for a run or the product's model is being trained or scores.
    """
    contract = parse_contract(load_contract(product.contract), f"conf/contracts/{product.contract}.yaml")
    run = f"forget-{identifier(request.rpartition('/')[2].removesuffix('.json'))}"
    storage = GCSHook().get_conn()
    try:
        person = read_request(contract, request)
    except NotFound:
        _require_done(product, environment, request, run)
        _delete_request(storage, request)  # the try that deleted it may have left older versions
        return
    _require_no_training(product, context)
    if not _is_done(storage, product, environment, request, run):
        _require_processed(storage, product, environment)
        if not table_columns(environment, "silver", product.name, product.partition_by):
            raise AirflowSkipException(f"Nothing of {product.name} has been published yet.")
        _erase(storage, product, environment, person, run)
    _erase_copies(storage, product, environment, person)
    _delete_request(storage, request)


def _is_done(storage: Client, product: Product, environment: Environment, request: str, run: str) -> bool:
    """Whether an erasure whose request is still left was done: what came later is no part of it.

    Raises AirflowFailException for a request under the name of one that was done before it was left: its
    erasure would be taken for that one's.
    """
    bucket, name = place_of(storage, request)
    left, done = bucket.get_blob(name), query(environment, "erasure/done.sql", product=product.name, run=run)
    if left and any(row["erased_at"] < left.time_created for row in done):
        raise AirflowFailException(
            f"{request}: expected a name that no request had before, got that of {run}, which was done. "
            "Next: leave the request under another name, and ask again with its URI."
        )
    return bool(done)


def _require_processed(storage: Client, product: Product, environment: Environment) -> None:
    """Raises AirflowFailException while bronze has files that the ledger lacks.

    Nobody knows whose rows they hold, and the next run would bring the person back.
    """
    rows = query(environment, "pipeline/ledger.sql", product=product.name)
    known = {(row["uri"], str(row["generation"])) for row in rows}
    files = landed(product, environment)
    new = sorted(uri for uri, generation in files if (uri, str(generation)) not in known)
    waiting = next((uri for uri in new if _is_unread(storage, uri, known)), None)
    if waiting:
        raise AirflowFailException(
            f"{waiting}: expected the ledger to hold every file of {product.name}, got {len(new)} of "
            f"{len(files)} that it lacks. Next: run the DAG first, or take the file away, and ask again."
        )


def _require_no_training(product: Product, context: Mapping[str, Any]) -> None:
    """Raises AirflowFailException while the DAG of the product's model has a run that has not ended.

    It may have read the person already, and would write them anew behind what is taken out.
    """
    active = context["ti"].get_dr_count(dag_id=product.train, states=ACTIVE) if product.train else 0
    if active:
        raise AirflowFailException(
            f"{product.train}: expected no run that is queued or running, got {active}, which may have read "
            "the person's rows. Next: wait until it has ended, and ask again with the same request."
        )


def _is_unread(storage: Client, uri: str, known: set[tuple[str, str]]) -> bool:
    """Whether a file that the ledger lacks is new; a try before this one may have written it."""
    bucket, name = place_of(storage, uri)
    blob = bucket.get_blob(name)
    return blob is not None and (uri, source_of(blob)) not in known


def _require_done(product: Product, environment: Environment, request: str, run: str) -> None:
    """Raises AirflowFailException where an erasure whose request is gone was not done."""
    if not query(environment, "erasure/done.sql", product=product.name, run=run):
        raise AirflowFailException(
            f"{request}: expected a request, got no object, and no erasure {run} of {product.name} in "
            "ops.erasures. Next: leave a request, and ask again with its URI."
        )
    log.info("product=%s run=%s was done already", product.name, run)


def _erase(storage: Client, product: Product, environment: Environment, person: Person, run: str) -> None:
    """Takes a person out of files and tables, and notes it."""
    asked = {
        **{"product": product.name, "contract": person.contract, "partition_by": product.partition_by},
        **{"column": person.column.name, "value": person.value, "pattern": person.pattern},
        **{"run": run, "release": Variable.get("medallion_release")},
    }
    rejected = _rejected_rows(environment, asked, person)
    mentioned = {row["uri"] for row in rejected}
    files = query(environment, "erasure/files.sql", **asked, mentioned=bool(mentioned))
    files = [row for row in files if row["is_held"] or row["state"] == "rejected" or row["uri"] in mentioned]
    rewritten, kept = _rewrite_bronze(storage, files, person)
    table = staging_table(product.name, f"{run.replace('-', '_')}__found")
    hashes = {hashlib.md5(row["raw"].encode(), usedforsecurity=False).hexdigest() for row in rejected}
    _keep_found(environment, table, rewritten, kept, hashes)
    dates = [dict(row) for row in query(environment, "erasure/dates.sql", **asked)]
    found = {
        "found_table": table,
        "dates": dates,
        "models": _learned(storage, product, environment, [row["partition_date"] for row in dates]),
        "model_tables": _model_tables(product, environment, person),
        "checked": [name for name in (product.name, product.train) if name],
    }
    query(environment, "erasure/erase.sql", **asked, **found)
    log.info("product=%s run=%s rewritten=%d kept=%d", product.name, run, len(rewritten), len(kept))


def _keep_found(
    environment: Environment,
    table: str,
    rewritten: list[dict[str, Any]],
    kept: dict[str, str],
    hashes: Iterable[str],
) -> None:
    """Keeps in a staging table which files were rewritten or kept, and the MD5 of the rejected rows."""
    stay = ({"uri": uri, "reason": reason} for uri, reason in kept.items())
    rows = [NOTHING | row for row in (*rewritten, *stay, *({"rejected": text} for text in hashes))]
    for first in range(0, max(len(rows), 1), PART):  # made anew even where nothing was found
        parts = {"anew": first == 0, "part": rows[first : first + PART]}
        query(environment, "erasure/found.sql", found_table=table, days=environment.staging_days, **parts)


def _rejected_rows(environment: Environment, asked: dict[str, Any], person: Person) -> list[Row]:
    """The rejected rows that are the person's, which the layout of their file tells."""
    if not table_columns(environment, "quarantine", str(asked["product"])):
        return []
    rows = query(environment, "erasure/rejected.sql", **asked)
    return [
        row for row in rows if row["is_broken"] or row_test(row["format"], row["header"], person)(row["raw"])
    ]


def _rewrite_bronze(
    storage: Client, files: Iterable[Row], person: Person
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Writes files anew without the person; returns those, and the reasons of those that stay."""
    rewritten, kept = [], {}
    for row in files:
        uri, known, state, file_format = (row[name] for name in ("uri", "generation", "state", "format"))
        bucket, name = place_of(storage, uri)
        versions, blob = versions_of(bucket, name), bucket.get_blob(name)
        if not versions:
            continue  # gone, and the person's rows in it with it
        if state == "rejected":
            kept[uri] = "rejected as a whole: nobody has read whose rows it holds"
            continue
        if person.contract.records is not None:
            # Its lines are no rows: taken for JSON Lines, it would lose other people's, or keep the person.
            kept[uri] = "a JSON document, out of which no rows can be taken"
            continue
        try:
            if blob is None:
                delete_older(versions)
                continue
            rewrite(blob, file_format, person)
        except Forbidden as error:
            kept[uri] = f"bronze retains it: {error.message}"
            continue
        except UnicodeError:
            kept[uri] = f"not {person.contract.encoding}, the encoding of its contract"
            continue
        # A try before this one may have written it. Any other generation is a new file, still to be read.
        if source_of(blob) == str(known):
            told = {"generation": blob.generation, "size": blob.size, "checksum": blob.crc32c or ""}
            rewritten.append({"uri": uri, "known": known, **told})
    return rewritten, kept


def _delete_request(storage: Client, request: str) -> None:
    """Deletes every version of a request: deleted by its name alone, a bucket with versions would keep it."""
    for version in versions_of(*place_of(storage, request)):
        version.delete()


def _learned(storage: Client, product: Product, environment: Environment, dates: list[date]) -> list[str]:
    """The versions of the product's model that a row of one of these dates has taught."""
    if product.train is None:
        return []
    lake = storage.bucket(environment.buckets["lake"])
    plans = written_plans(lake, product.train)
    return sorted(version for version, _, plan in plans if any(taught_by(plan, day) for day in dates))


def _model_tables(product: Product, environment: Environment, person: Person) -> list[str]:
    """The gold tables of the product's model that may have rows of the person."""
    if product.train is None:
        return []  # a column of that name is another product's
    return [
        table for table in MODEL_TABLES if person.column.name in table_columns(environment, "gold", table)
    ]


def _erase_copies(storage: Client, product: Product, environment: Environment, person: Person) -> None:
    """Deletes the rows that runs have left in the lake; writes what models read and said anew.

    Of all runs, published or not: as a product has one at a time, none is under way beside this one.
    """
    lake = storage.bucket(environment.buckets["lake"])
    for part in COPIES:
        for blob in lake.list_blobs(match_glob=f"runs/{product.name}/*/{part}/**", versions=True):
            blob.delete()
    if product.train:
        named = replace(person, column=replace(person.column, sources=(person.column.name,)))
        for folder in ("training", "scores"):
            copies = f"{folder}/{product.train}/**.parquet"
            for blob in lake.list_blobs(match_glob=copies):
                rewrite(blob, "parquet", named)
            delete_older(lake.list_blobs(match_glob=copies, versions=True))  # also of those that are gone
