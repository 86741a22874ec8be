"""One Airflow DAG for each model in conf/models."""

from airflow.sdk import get_parsing_context

from medallion.environments import environment_name, load_environment
from medallion.models import load_model, model_names
from pipeline.broken import broken_dag
from pipeline.training import model_dag

environment = load_environment(environment_name())
asked = get_parsing_context().dag_id  # a task that starts needs no DAG but its own

for name in model_names() if asked is None else {asked} & set(model_names()):
    try:
        globals()[name] = model_dag(load_model(name), environment)
    except Exception as error:  # whatever it is, the other models go on
        globals()[name] = broken_dag(name, error)
