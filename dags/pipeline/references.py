"""References: the keys of other datasets, as they are when a run begins."""

from airflow.exceptions import AirflowFailException

from medallion.contracts import Contract
from medallion.environments import Environment
from medallion.products import Product
from pipeline.scripts import query


def reference_fingerprints(product: Product, environment: Environment, contract: Contract) -> dict[str, str]:
    """What the datasets hold that a contract refers to, as a fingerprint of each.

    Raises AirflowFailException for one that has never been published.
    """
    datasets = sorted(_keys(contract))
    if not datasets:
        return {}
    rows = query(environment, "pipeline/referenced.sql", datasets=datasets)
    known = {row["dataset"]: row["fingerprint"] for row in rows}
    missing = [dataset for dataset in datasets if dataset not in known]
    if missing:
        raise AirflowFailException(
            f"{product.name}: its contract refers to {', '.join(missing)}, of which nothing has been "
            f"published yet. Next: run {missing[0]} first."
        )
    return known


def export_references(environment: Environment, contract: Contract, folder: str) -> dict[str, str]:
    """Exports the keys as Parquet; returns the folder of each dataset."""
    keys = _keys(contract)
    folders = {dataset: f"{folder}/{dataset}" for dataset in keys}
    if keys:
        query(environment, "pipeline/references.sql", references=keys, folders=folders)
    return folders


def _keys(contract: Contract) -> dict[str, list[str]]:
    """The key columns that are asked for, by dataset."""
    datasets = {reference.dataset for reference in contract.references}
    return {
        dataset: sorted({item.key for item in contract.references if item.dataset == dataset})
        for dataset in sorted(datasets)
    }
