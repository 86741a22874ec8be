"""One Airflow DAG for each model in conf/models."""

from medallion.config import environment_name, load_environment, load_model, model_names
from pipeline.training import model_dag

environment = load_environment(environment_name())

for name in model_names():
    globals()[name] = model_dag(load_model(name), environment)
