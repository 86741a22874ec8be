"""A data product as a DAG of eight steps, the same for every product."""

from airflow.sdk import DAG
from airflow.timetables.assets import AssetOrTimeSchedule
from airflow.timetables.trigger import CronTriggerTimetable

from medallion.environments import Environment
from medallion.products import Product
from pipeline import backfill, forget, replay
from pipeline.alert import alert
from pipeline.all_clear import all_clear
from pipeline.arrival import landed_files
from pipeline.audit import audit
from pipeline.clean import clean
from pipeline.custom import custom_step
from pipeline.discover import discover
from pipeline.extract import extract
from pipeline.gold import gold
from pipeline.notify import on_success, task_defaults
from pipeline.publish import publish
from pipeline.serve import ANY_NEWS, serve
from pipeline.stage import stage
from pipeline.work import from_now_on


def product_dag(product: Product, environment: Environment) -> DAG:
    """The DAG of a product in an environment."""
    with DAG(
        dag_id=product.name,
        description=product.description,
        schedule=_timetable(product, environment),
        catchup=False,  # extract makes up for what runs that didn't come would have pulled
        max_active_runs=1,  # one writer for each silver table
        default_args=task_defaults(product, environment),
        tags=["data product", *(f"{name}:{value}" for name, value in product.labels.items())],
        access_control=_access(product),
    ) as dag:
        _steps(product, environment)
        dag.leaves >> all_clear(product, environment)
    # Last, for each task makes a copy of those that it finds, and a run has them from the DAG. Added so, they
    # are not held to their schemas here, which for many products would take longer than all the rest.
    dag.params.update({"replay": replay.PARAM, "backfill": backfill.PARAM, "forget": forget.PARAM})
    return dag


def _steps(product: Product, environment: Environment) -> None:
    """All tasks, each after those that it needs."""
    discovered = discover(product, environment)
    published = publish(product, environment)
    extracted = extract(product, environment)
    if extracted is not None:
        extracted >> discovered
    (
        discovered
        >> clean(product, environment)
        >> stage(product, environment)
        >> audit(product, environment)
        >> published
    )
    refreshed = gold(product, environment, discovered, published)
    served = serve(product, environment)
    [published, refreshed] >> served
    looked = alert(product, environment, trigger_rule=ANY_NEWS)
    if looked is not None:
        [published, refreshed] >> looked
    told = on_success(product, trigger_rule=ANY_NEWS)
    if told is not None:
        [published, refreshed, served] >> told
    for custom in product.steps:
        # As serve, after gold it may be there for gold's sake alone.
        before = [published, refreshed] if custom.after == "gold" else [published]
        before >> custom_step(custom, product, environment, trigger_rule=ANY_NEWS)


def _access(product: Product) -> dict[str, dict[str, set[str]]] | None:
    """What roles may do with the DAG, in Airflow's words."""
    rights = {role: {"DAGs": {f"can_{right}" for right in may}} for role, may in product.access.items()}
    return rights or None


def _timetable(
    product: Product, environment: Environment
) -> CronTriggerTimetable | AssetOrTimeSchedule | None:
    if product.schedule is None:
        return None
    clock = from_now_on(product.schedule.cron, product.timezone)
    if not product.schedule.on_arrival:
        return clock
    return AssetOrTimeSchedule(timetable=clock, assets=landed_files(product, environment))
