"""One Airflow DAG for each data product in conf/products."""

import gc

# What a DAG file itself names, Airflow imports before it forks to parse; these take as long as 500 products.
import airflow.providers.google.cloud.operators.bigquery
import airflow.providers.google.cloud.operators.dataproc
import airflow.providers.google.cloud.triggers.pubsub  # noqa: F401
from airflow.sdk import get_parsing_context

from medallion.environments import environment_name, load_environment
from medallion.product_checks import require_sound
from medallion.products import load_product, product_names
from pipeline.broken import broken_dag
from pipeline.deadline import SUFFIX, deadline_dag
from pipeline.product import product_dag

environment = load_environment(environment_name())
asked = get_parsing_context().dag_id  # a task that starts needs no DAG but its product's

gc.disable()  # it would go through all DAGs built so far, again and again, for a sixth of the time
for name in product_names() if asked is None else {asked.removesuffix(SUFFIX)} & set(product_names()):
    try:
        product = load_product(name)
        require_sound(product)
        globals()[name] = product_dag(product, environment)
        if product.deadline:
            globals()[f"{name}{SUFFIX}"] = deadline_dag(product, environment)
    except Exception as error:  # whatever it is, the other products go on
        globals()[name] = broken_dag(name, error)
gc.enable()
