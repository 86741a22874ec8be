"""clean: the Spark job that tells valid, rejected and duplicate rows apart."""

from typing import Any

from medallion.environments import Environment
from medallion.products import Product
from operators.dataproc import spark_job, spark_operator
from pipeline.work import MANIFEST, RELEASE, RUN, labels, skip_when_nothing_is_new


def clean(product: Product, environment: Environment) -> Any:
    """The step's task: one Dataproc job over the manifest's files."""
    job = spark_job(
        environment,
        identity=f"clean-{RUN}",
        release=RELEASE,
        entry="spark_jobs/clean.py",
        arguments=["--manifest", MANIFEST],
        labels=labels(product.name, "clean", RUN),
    )
    return spark_operator(environment)(task_id="clean", pre_execute=skip_when_nothing_is_new, **job)
