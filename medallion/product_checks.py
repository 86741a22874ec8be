"""What must hold of a product file beyond its schema, so that its DAG can be built and run."""

import re
from collections import Counter
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from zoneinfo import ZoneInfo

from medallion.contracts import Contract
from medallion.documents import CONF
from medallion.errors import ConfigError, raise_problems
from medallion.products import Product
from medallion.sources import FileSource, HttpSource, SqlSource
from medallion.sql import SQL
from medallion.steps import step_problems

PLACEHOLDER = re.compile(r"\{(.*?)\}")
CRON_FIELDS = 5
OFFSET = re.compile(r"[+-][0-9]{2}:[0-9]{2}")  # which is a timezone to Spark as well


def require_sound(product: Product, conf: Path = CONF, sql: Path = SQL) -> None:
    """Raises ConfigError, or ProblemsError for several, for what `product_problems` finds."""
    raise_problems(list(product_problems(product, conf, sql)))


def product_problems(product: Product, conf: Path = CONF, sql: Path = SQL) -> Iterator[ConfigError]:
    """What keeps a product's DAG from being built: no look into other files is taken for it."""
    file = file_of(product)
    if not (conf / "contracts" / f"{product.contract}.yaml").exists():
        yield ConfigError(file, "contract", "the name of a file in conf/contracts", product.contract)
    if product.train is not None and not (conf / "models" / f"{product.train}.yaml").exists():
        yield ConfigError(file, "train", "the name of a file in conf/models", product.train)
    if (conf / "models" / f"{product.name}.yaml").exists():
        # Each has a DAG, a page among the reports, checks and incidents of its name.
        yield ConfigError(file, "name", "a name that no model has", product.name)
    yield from schedule_problems(product)
    yield from _source(product, file)
    yield from _gold(product, file, sql)
    if product.documents and product.documents.table not in {table.table for table in product.gold}:
        expected = "a gold table of this product"
        yield ConfigError(file, "serve.firestore.table", expected, product.documents.table)
    yield from _alerts(product, file)
    yield from step_problems(product, file)


def contract_problems(product: Product, contract: Contract) -> Iterator[ConfigError]:
    """Where a product and its contract don't fit."""
    file, source = file_of(product), product.source
    dates = [column.name for column in contract.columns if column.sql_type == "DATE" and column.required]
    if product.partition_by not in dates:
        expected = f"a required DATE column: {', '.join(dates) or 'there is none'}"
        yield ConfigError(file, "silver.partition_by", expected, product.partition_by)
    unknown = sorted(set(product.cluster_by) - {column.name for column in contract.stored_columns})
    if unknown:
        yield ConfigError(file, "silver.cluster_by", "columns of the contract", ", ".join(unknown))
    for column in contract.read_columns:
        if not (_is_timezone(column.timezone) or OFFSET.fullmatch(column.timezone)):
            expected, key = "an IANA name like America/New_York", f"{column.name}.defaultTimezone"
            yield ConfigError(f"conf/contracts/{product.contract}.yaml", key, expected, column.timezone)
    known = {name for column in contract.read_columns for name in column.sources}
    if isinstance(source, HttpSource) and contract.records is None:
        got = f"a contract without records, {product.contract}"
        yield ConfigError(file, "source.type", "files or sql, or records in the contract", got)
    if isinstance(source, HttpSource) and source.label and source.label not in known:
        yield ConfigError(file, "source.each", "what a column of the contract is read from", source.label)
    if isinstance(source, SqlSource) and source.watermark and source.watermark not in known:
        expected = "what a column of the contract is read from"
        yield ConfigError(file, "source.watermark.column", expected, source.watermark)


def file_of(product: Product) -> str:
    """A product's file, as messages name it."""
    return f"conf/products/{product.name}.yaml"


def schedule_problems(product: Product) -> Iterator[ConfigError]:
    """What keeps the times of a product's schedule from being known."""
    from croniter import croniter  # Spark jobs have none

    if product.schedule is None:
        return
    file = file_of(product)
    cron, timezone = product.schedule.cron, product.schedule.timezone
    if len(cron.split()) != CRON_FIELDS or not croniter.is_valid(cron):
        expected = "minute, hour, day of the month, month and day of the week"
        yield ConfigError(file, "schedule.cron", expected, cron)
    if not _is_timezone(timezone):
        yield ConfigError(file, "schedule.timezone", "an IANA name like America/New_York", timezone)
    if product.on_arrival and not isinstance(product.source, FileSource):
        expected = "a source of type files, for the others are pulled when a run begins"
        yield ConfigError(file, "schedule.on_arrival", expected, product.on_arrival)


def _is_timezone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return False
    return True


def _source(product: Product, file: str) -> Iterator[ConfigError]:
    if not isinstance(product.source, HttpSource):
        return
    queries = {"query": product.source.query}
    queries |= {f"each.{product.source.label}.{part}": more for part, more in product.source.parts.items()}
    for key, query in queries.items():
        for name, value in query.items():
            wrong = [text for text in PLACEHOLDER.findall(str(value)) if text != "period"]
            if wrong:
                expected = "no placeholder but {period}"
                yield ConfigError(file, f"source.{key}.{name}", expected, f"{{{wrong[0]}}}")


def _gold(product: Product, file: str, sql: Path) -> Iterator[ConfigError]:
    counts = Counter(table.table for table in product.gold)
    for index, table in enumerate(product.gold):
        key = f"gold.{index}"
        if counts[table.table] > 1:
            yield ConfigError(file, f"{key}.table", "each table once", table.table)
        if not (sql / "gold" / f"{table.table}.sql").exists():
            yield ConfigError(file, f"{key}.table", "a file in sql/gold", table.table)
        unknown = sorted(set(table.after) - set(counts))
        if unknown:
            yield ConfigError(file, f"{key}.after", "tables of this product", ", ".join(unknown))
    graph = {table.table: set(table.after) & set(counts) for table in product.gold}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = " after ".join(error.args[1])
        yield ConfigError(file, "gold", "an order in which the tables can be built", circle)


def _alerts(product: Product, file: str) -> Iterator[ConfigError]:
    counts = Counter(alert.name for alert in product.alerts)
    tables = [table.table for table in product.gold]
    for index, alert in enumerate(product.alerts):
        if counts[alert.name] > 1:
            yield ConfigError(file, f"alerts.{index}.name", "each alert once", alert.name)
        if alert.table not in tables:
            expected = f"a gold table of this product: {', '.join(tables) or 'there is none'}"
            yield ConfigError(file, f"alerts.{index}.table", expected, alert.table)
    if product.deadline and not product.notify_failure:
        expected = "notify.on_failure beside it, for somebody to be told"
        yield ConfigError(file, "schedule.deadline", expected, product.deadline)
