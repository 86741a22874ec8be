"""discover: finds bronze objects that the ledger doesn't hold, and writes the run's manifest."""

import logging
from typing import Any

from airflow.exceptions import AirflowSkipException
from airflow.providers.google.cloud.hooks.gcs import GCSHook
from airflow.sdk import Variable, task

from medallion.config import Environment, Product
from medallion.contracts import load_contract, parse_contract
from medallion.manifest import Manifest, SourceFile, run_id
from pipeline.scripts import query
from pipeline.work import DISCOVER

log = logging.getLogger(__name__)


def discover(product: Product, environment: Environment) -> Any:
    """The step's task. Returns run, manifest and release; skipped where nothing is new or owed to gold."""

    @task(task_id=DISCOVER)
    def find() -> dict[str, str]:
        files = landed(product, environment)
        known = query(environment, "pipeline/ledger.sql", product=product.name)
        new = sorted(set(files) - {(row["uri"], row["generation"]) for row in known})
        log.info("product=%s step=discover landed=%d new=%d", product.name, len(files), len(new))
        if new:
            return _write_manifest(product, environment, tuple(files[version] for version in new))
        tables = [gold.table for gold in product.gold]
        owed = query(environment, "pipeline/owed.sql", product=product.name, tables=tables)
        if not owed:
            raise AirflowSkipException(
                f"Nothing new for {product.name}: {len(files)} files, all in the ledger."
            )
        log.info("product=%s step=discover owed=%s", product.name, [row["gold_table"] for row in owed])
        return {}

    return find()


def landed(product: Product, environment: Environment) -> dict[tuple[str, int], SourceFile]:
    """What lies in bronze for a product, by name and generation."""
    bucket = environment.buckets["bronze"]
    blobs = GCSHook().get_conn().list_blobs(bucket, prefix=f"{product.name}/")
    files = [
        SourceFile(f"gs://{bucket}/{blob.name}", int(blob.generation), int(blob.size), blob.crc32c or "")
        for blob in blobs
        if not blob.name.endswith("/")  # a folder's placeholder
    ]
    return {(file.uri, file.generation): file for file in files}


def _write_manifest(
    product: Product, environment: Environment, files: tuple[SourceFile, ...]
) -> dict[str, str]:
    document = load_contract(product.contract)
    contract = parse_contract(document, f"conf/contracts/{product.contract}.yaml")
    release = Variable.get("medallion_release")
    run = run_id(product.name, contract.fingerprint, release, files)
    lake, folder = environment.buckets["lake"], f"runs/{product.name}/{run}"
    manifest = Manifest(product.name, run, release, document, files, f"gs://{lake}/{folder}")
    name = f"{folder}/manifest.json"
    GCSHook().upload(
        bucket_name=lake, object_name=name, data=manifest.to_json(), mime_type="application/json"
    )
    return {"run": run, "manifest": f"gs://{lake}/{name}", "release": release}
