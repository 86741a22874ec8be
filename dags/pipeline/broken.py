"""A file in conf/ that is wrong: a DAG of its name shows what, and hides no other."""

from airflow.exceptions import AirflowFailException
from airflow.sdk import DAG, task

from medallion.errors import MedallionError


def broken_dag(name: str, error: Exception) -> DAG:
    """A DAG that says what is wrong with its file, and fails with it when it is run."""
    told = str(error) if isinstance(error, MedallionError) else f"{type(error).__name__}: {error}"
    with DAG(dag_id=name, description=told, schedule=None, tags=["broken"]) as dag:

        @task(task_id="broken")
        def fail() -> None:
            raise AirflowFailException(told)

        fail()
    return dag
