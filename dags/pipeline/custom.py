"""steps: what a product does beyond the platform's steps, by functions registered with @step."""

from typing import Any

from airflow.sdk import task

from medallion.environments import Environment
from medallion.products import CustomStep, Product
from medallion.steps import StepRun, registered_steps
from pipeline.work import found


def custom_step(custom: CustomStep, product: Product, environment: Environment, **arguments: Any) -> Any:
    """The task of a step that a product names; it is skipped where what it comes after is."""
    function = registered_steps()[custom.name]

    @task(task_id=f"step_{custom.name}", **arguments)
    def run(**context: Any) -> Any:
        told = StepRun(product, environment, found(context).get("run"))  # type: ignore[arg-type]
        return function(told, **custom.parameters)

    return run()
