"""gold: refreshes each gold table with what is owed to it, once the new version has passed its checks."""

from typing import Any

from airflow.sdk import BaseOperator, Context, TaskGroup, TriggerRule

from medallion.environments import Environment
from medallion.gold import identifier, refresh_script
from medallion.products import GoldTable, Product
from pipeline.scripts import Job, job_task, script
from pipeline.work import labels, run_of, skip_in_dry_run


def gold(product: Product, environment: Environment, discovered: Any, published: Any) -> TaskGroup:
    """The step's tasks, one a table, in the order that `after` asks for."""
    tasks: dict[str, BaseOperator] = {}
    with TaskGroup("gold") as group:
        for table in product.gold:
            tasks[table.table] = _refresh(product, table, environment)
    for table in product.gold:
        # publish is skipped where only gold is owed; then discover alone lets gold begin.
        [discovered, published, *(tasks[name] for name in table.after)] >> tasks[table.table]
    return group


def _refresh(product: Product, table: GoldTable, environment: Environment) -> BaseOperator:
    def configure(context: Context) -> Job:
        run = run_of(context)
        sql = refresh_script(product.name, table, environment, run)
        identity = f"{product.name}-{identifier(run)}-gold-{table.table}"
        return identity, script(environment, sql, labels(product.name, "gold", run))

    rule = TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS
    return job_task(
        *(table.table, configure, environment),
        trigger_rule=rule,
        pre_execute=skip_in_dry_run,
        within_run=True,
    )
