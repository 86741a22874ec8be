"""alert: looks at what gold shows now, and tells of the conditions that hold."""

import logging
from datetime import date
from typing import Any

from airflow.sdk import task

from medallion.alerts import Alert
from medallion.environments import Environment
from medallion.products import Product
from medallion.sql import literal
from pipeline.incidents import ALERT, Incident, close_incidents, for_each, open_incidents, raise_incident
from pipeline.scripts import query

log = logging.getLogger(__name__)


def alert(product: Product, environment: Environment, **arguments: Any) -> Any:
    """The step's task; None where a product has no alerts."""
    if not product.alerts:
        return None

    @task(task_id="alert", **arguments)
    def look(**context: Any) -> None:
        known = open_incidents(product, environment)
        newest = None
        if any(table.partition_by for table in product.gold):
            values = {"product": product.name, "partition_by": product.partition_by}
            newest = query(environment, "pipeline/newest.sql", **values)[0]["newest"]

        def tell(condition: Alert) -> None:
            incident = look_at(condition, product, environment, newest)
            if incident.rows:
                raise_incident(incident, known, product, environment, condition.audience, context)  # type: ignore[arg-type]
            else:
                close_incidents([incident.cause], known, product, environment, condition.audience)
            log.info("product=%s step=alert alert=%s rows=%d", product.name, condition.name, incident.rows)

        for_each(product.alerts, tell)

    return look()


def look_at(alert: Alert, product: Product, environment: Environment, newest: date | None) -> Incident:
    """The incident that an alert's condition makes; of no rows where it does not hold.

    Cost follows change: of a table in partitions by business date the newest is read, whatever others a late
    row has touched. So an alert is over when a newer date has come that is well.
    """
    (table,) = (table for table in product.gold if table.table == alert.table)
    newest = newest if table.partition_by else None
    (row,) = query(
        environment,
        "incidents/condition.sql",
        table=table.table,
        partition_by=table.partition_by,
        newest=newest,
        where=alert.where,
    )
    name = f"{environment.datasets['gold']}.{table.table}"
    when = f"{table.partition_by} = {literal(newest)} AND " if table.partition_by else ""
    return Incident(
        f"{ALERT}{alert.name}",
        f"{alert.description} ({name}{f' of {newest}' if newest else ''}: {alert.where})",
        f"SELECT * FROM {name} WHERE {when}({alert.where})",
        row["found"],
    )
