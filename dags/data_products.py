"""One Airflow DAG for each data product in conf/products."""

from medallion.config import environment_name, load_environment, load_product, product_names
from medallion.errors import MedallionError
from pipeline.broken import broken_dag
from pipeline.product import product_dag

environment = load_environment(environment_name())

for name in product_names():
    try:
        globals()[name] = product_dag(load_product(name), environment)
    except MedallionError as error:
        globals()[name] = broken_dag(name, error)
