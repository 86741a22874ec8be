"""gold: refreshes each gold table with what is owed to it."""

from typing import Any

from airflow.sdk import BaseOperator, Context, TaskGroup, TriggerRule

from medallion.config import Environment, GoldTable, Product
from medallion.sql import render
from pipeline.replay import skip_in_dry_run
from pipeline.scripts import Job, job_task, script
from pipeline.work import found


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
        run = found(context).get("run") or f"owed-{context['run_id']}"
        identity = "".join(letter if letter.isalnum() else "_" for letter in run)
        sql = render(
            "pipeline/gold.sql",
            environment,
            product=product.name,
            table=table.table,
            build=f"{table.table}__{identity}",
            select=render(f"gold/{table.table}.sql", environment).rstrip(),
            description=_description(table, environment),
            rebuild=table.rebuild,
            partition_by=table.partition_by,
            cluster_by=table.cluster_by,
            days=environment.staging_days,
        )
        return f"{product.name}-{identity}-gold-{table.table}", script(sql, product.name, "gold")

    rule = TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS
    return job_task(table.table, configure, environment, trigger_rule=rule, pre_execute=skip_in_dry_run)


def _description(table: GoldTable, environment: Environment) -> str:
    """What the first comment line of the table's SELECT says."""
    first, _, _ = render(f"gold/{table.table}.sql", environment).partition("\n")
    return first.removeprefix("--").strip()
