"""One Airflow DAG for each data product in conf/products."""

from medallion.config import environment_name, load_environment, load_product, product_names
from medallion.product_checks import require_sound
from pipeline.broken import broken_dag
from pipeline.product import product_dag

environment = load_environment(environment_name())

for name in product_names():
    try:
        product = load_product(name)
        require_sound(product)
        globals()[name] = product_dag(product, environment)
    except Exception as error:  # whatever it is, the other products go on
        globals()[name] = broken_dag(name, error)
