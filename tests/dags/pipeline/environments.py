"""Environments of the tests' own: buckets, datasets and the tables of ops."""

from dataclasses import replace

from airflow.providers.google.cloud.hooks.gcs import GCSHook
from google.cloud import bigquery

from medallion.environments import Environment, load_environment
from medallion.sql import render
from tests.conftest import PROJECT

KEY = "projects/tests/locations/us-east1/keyRings/medallion-us-east1/cryptoKeys/storage"


def make_environment(warehouse: bigquery.Client, suffix: str = "") -> Environment:
    """The local environment with its buckets and datasets, which have names of their own by the suffix."""
    local = load_environment("local")
    environment = replace(
        local,
        project=PROJECT,
        buckets={kind: f"{name}{suffix.replace('_', '-')}" for kind, name in local.buckets.items()},
        datasets={kind: f"{name}{suffix}" for kind, name in local.datasets.items()},
    )
    storage = GCSHook().get_conn()
    for name in (environment.buckets["bronze"], environment.buckets["lake"]):
        bucket = storage.bucket(name)
        if not bucket.exists():
            bucket.default_kms_key_name = KEY
            storage.create_bucket(bucket)
    for dataset in environment.datasets.values():
        warehouse.create_dataset(dataset, exists_ok=True)
    if not list(warehouse.list_tables(environment.datasets["ops"])):
        warehouse.query(render("ops/tables.sql", environment)).result()
    return environment


def drop_tables(warehouse: bigquery.Client, environment: Environment, keep: tuple[str, ...] = ()) -> None:
    """The emulator looks at all tables that there are before each statement: they add up to minutes.

    Datasets to `keep` are those whose rows name products that no other test has.
    """
    for kind, dataset in environment.datasets.items():
        if kind in keep:
            continue
        for table in warehouse.list_tables(dataset):
            kind = "VIEW" if table.table_type == "VIEW" else "TABLE"
            warehouse.query(f"DROP {kind} `{dataset}.{table.table_id}`").result()
