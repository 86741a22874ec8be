"""discover: finds what is to be processed, bronze objects or rejected rows, and writes the run's manifest."""

import logging
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import uuid4

from airflow.exceptions import AirflowFailException, AirflowSkipException
from airflow.providers.google.cloud.hooks.gcs import GCSHook
from airflow.sdk import Variable, task
from google.cloud.storage import Blob

from medallion.environments import Environment
from medallion.gold import gold_definition
from medallion.manifest import Manifest, SourceFile, run_id
from medallion.odcs import load_contract, parse_contract
from medallion.products import Product
from pipeline.backfill import select_processed
from pipeline.bronze import landed
from pipeline.forget import forget
from pipeline.references import export_references, reference_fingerprints
from pipeline.replay import Selection, export_rejected, select_rejected
from pipeline.scripts import query
from pipeline.work import DISCOVER, asked_for

LOOKS = 8  # objects that are asked for at a time

log = logging.getLogger(__name__)


def discover(product: Product, environment: Environment) -> Any:
    """The step's task. Returns run, manifest and release, and of a replay what it selected.

    Skipped where nothing is new or owed to gold, and where there is nothing to replay.
    """

    @task(task_id=DISCOVER)
    def find(**context: Any) -> dict[str, Any]:
        asked = asked_for(context)
        if len(asked) > 1:
            raise AirflowFailException(f"params: expected one, got {', '.join(asked)}. Next: give one.")
        if "replay" in asked:
            return _rejected_rows(product, environment, asked["replay"])
        if "backfill" in asked:
            return _processed_files(product, environment, asked["backfill"])
        if "forget" in asked:
            forget(product, environment, asked["forget"]["request"], context)
            return {}  # what gold shows is owed anew
        return _new_files(product, environment)

    return find()


def _new_files(product: Product, environment: Environment) -> dict[str, Any]:
    files = landed(product, environment)
    known = query(environment, "pipeline/ledger.sql", product=product.name)
    new = sorted(set(files) - {(row["uri"], row["generation"]) for row in known})
    log.info("product=%s step=discover landed=%d new=%d", product.name, len(files), len(new))
    if new:
        return _write_manifest(product, environment, tuple(files[version] for version in new))
    definitions = {
        table.table: gold_definition(table, environment, build="").fingerprint for table in product.gold
    }
    owed = query(environment, "pipeline/owed.sql", product=product.name, definitions=definitions)
    if not owed:
        raise AirflowSkipException(f"Nothing new for {product.name}: {len(files)} files, all in the ledger.")
    log.info("product=%s step=discover owed=%s", product.name, [row["table_name"] for row in owed])
    return {}


def _with_checksums(files: Iterable[SourceFile]) -> tuple[SourceFile, ...]:
    """The files with their checksums, which are asked for one by one where the listing didn't tell them.

    A version that is gone meanwhile stays without: stage ends the run that read another one.
    """
    storage = GCSHook().get_conn()

    def look(file: SourceFile) -> SourceFile:
        if file.checksum:
            return file
        named = Blob.from_uri(file.uri, client=storage)
        blob = named.bucket.get_blob(named.name, generation=file.generation)
        return replace(file, checksum=blob.crc32c) if blob else file

    with ThreadPoolExecutor(LOOKS) as pool:
        return tuple(pool.map(look, files))


def _rejected_rows(product: Product, environment: Environment, asked: dict[str, Any]) -> dict[str, Any]:
    selected = select_rejected(product, environment, asked.get("where", "TRUE"))
    log.info("product=%s step=discover replayed=%d", product.name, selected.rows)
    # After an erasure, what an earlier job left of the same rows is gone.
    erasures = query(environment, "erasure/noted.sql", product=product.name)
    also = "\n".join(f"replay after {row['run']}" for row in erasures)
    return {
        **_write_manifest(product, environment, selected.files, selected, also),
        "dry_run": asked.get("dry_run", False),
        "replay": {"rows": selected.rows, "fingerprint": selected.fingerprint},
    }


def _processed_files(product: Product, environment: Environment, asked: dict[str, Any]) -> dict[str, Any]:
    files = select_processed(product, environment, asked, landed(product, environment))
    log.info("product=%s step=discover backfilled=%d", product.name, len(files))
    # Done again after other runs, it is other work.
    (published,) = query(environment, "pipeline/referenced.sql", datasets=[product.name])
    also = f"backfill after {published['fingerprint']}"
    return {
        **_write_manifest(product, environment, files, also=also),
        "dry_run": not asked.get("apply", False),
    }


def _write_manifest(
    product: Product,
    environment: Environment,
    files: tuple[SourceFile, ...],
    selected: Selection | None = None,
    also: str = "",
) -> dict[str, Any]:
    """Names the run after what it processes, exports what is not in files, and writes the manifest last."""
    document = load_contract(product.contract)
    contract = parse_contract(document, f"conf/contracts/{product.contract}.yaml")
    release = Variable.get("medallion_release")
    references = reference_fingerprints(product, environment, contract)
    beside = [f"{dataset} {fingerprint}" for dataset, fingerprint in sorted(references.items())]
    if selected:
        beside.append(f"replay {selected.rows} {selected.fingerprint}")
    if also:
        beside.append(also)
    files = _with_checksums(files)
    run = run_id(product.name, contract.fingerprint, release, files, "\n".join(beside))
    lake, folder = environment.buckets["lake"], f"runs/{product.name}/{run}"
    # Each try exports to a folder of its own: what an interrupted one left must not pass for this one's.
    exports = f"gs://{lake}/{folder}/exports/{uuid4().hex}"
    manifest = Manifest(
        product.name,
        run,
        release,
        document,
        files,
        output=f"gs://{lake}/{folder}",
        references=export_references(environment, contract, f"{exports}/references"),
        replay=export_rejected(product, environment, selected, f"{exports}/rejected") if selected else None,
        hash_key=environment.hash_key,
    )
    name = f"{folder}/manifest.json"
    GCSHook().upload(
        bucket_name=lake, object_name=name, data=manifest.to_json(), mime_type="application/json"
    )
    return {"run": run, "manifest": f"gs://{lake}/{name}", "release": release}
