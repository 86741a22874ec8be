"""gold: refreshes each gold table with what is owed to it, once the new version has passed its checks."""

import re
from typing import Any

from airflow.sdk import BaseOperator, Context, TaskGroup, TriggerRule

from medallion.config import Environment, GoldTable, Product
from medallion.gold import gold_definition
from medallion.sql import render
from pipeline.scripts import Job, job_task, script
from pipeline.work import found, skip_in_dry_run


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


def refresh_script(product: Product, table: GoldTable, environment: Environment, run: str) -> str:
    """The script that refreshes a table; the new version and its checks are named after the run."""
    build = f"{table.table}__gold__{re.sub(r'[^A-Za-z0-9]', '_', run)}"
    definition = gold_definition(table, environment, build=f"{environment.datasets['staging']}.{build}")
    return render(
        "pipeline/gold.sql",
        environment,
        product=product.name,
        run=run,
        table=table.table,
        build=build,
        select=definition.select,
        checks=definition.checks,
        definition=definition.fingerprint,
        description=definition.description,
        rebuild=table.rebuild,
        partition_by=table.partition_by,
        cluster_by=table.cluster_by,
        days=environment.staging_days,
    )


def _refresh(product: Product, table: GoldTable, environment: Environment) -> BaseOperator:
    def configure(context: Context) -> Job:
        run = found(context).get("run") or f"owed-{context['run_id']}"
        sql = refresh_script(product, table, environment, run)
        identity = re.sub(r"[^A-Za-z0-9]", "_", run)
        return f"{product.name}-{identity}-gold-{table.table}", script(sql, product.name, "gold")

    rule = TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS
    return job_task(table.table, configure, environment, trigger_rule=rule, pre_execute=skip_in_dry_run)
