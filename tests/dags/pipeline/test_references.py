"""Keys of other datasets, which rows are held against."""

from dataclasses import replace

import pyarrow.parquet as pq
import pytest
from airflow.exceptions import AirflowFailException

from tests.dags.pipeline.orders import Pipeline
from tests.dags.pipeline.stand_in_job import contract


@pytest.fixture
def customers(pipeline: Pipeline) -> Pipeline:
    """Another product, which has published two keys."""
    product = replace(pipeline.product, name=f"{pipeline.product.name[:40]}_customers")
    other = Pipeline(product, pipeline.environment, pipeline._client, pipeline._buckets)
    other.run("1,0,7", "2,0,8", "2,1,9")
    pipeline.contract = contract(refers_to=product.name)
    return other


def keys(pipeline: Pipeline, dataset: str) -> list[int]:
    """What the manifest's folder of a dataset holds."""
    folder = pipeline.path(pipeline.manifest(pipeline.discover()).references[dataset])
    return sorted(pq.read_table(folder).column("order_id").to_pylist())


def test_a_manifest_names_the_keys_of_each_dataset(pipeline: Pipeline, customers: Pipeline) -> None:
    pipeline.land("a.csv", "1,0,7")
    assert keys(pipeline, customers.product.name) == [1, 2]


def test_other_keys_make_another_run_of_the_same_files(pipeline: Pipeline, customers: Pipeline) -> None:
    pipeline.land("a.csv", "1,0,7")
    first, again = (pipeline.manifest(pipeline.discover()) for _ in range(2))
    assert first.run == again.run
    customers.run("3,0,7", name="b.csv")
    assert pipeline.manifest(pipeline.discover()).run != first.run


def test_a_dataset_that_was_never_published_is_named(pipeline: Pipeline) -> None:
    pipeline.contract = contract(refers_to="nowhere")
    pipeline.land("a.csv", "1,0,7")
    with pytest.raises(AirflowFailException, match=r"refers to nowhere, .* Next: run nowhere first\."):
        pipeline.discover()


def test_without_references_a_manifest_names_none(pipeline: Pipeline) -> None:
    pipeline.land("a.csv", "1,0,7")
    assert pipeline.manifest(pipeline.discover()).references == {}
