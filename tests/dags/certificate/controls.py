"""Guards of the platform that a worker switches off, so that the certificate is seen to notice."""

import re
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from airflow.exceptions import AirflowFailException

import medallion.gold
import operators.bigquery
import operators.dataproc
import pipeline.discover
import pipeline.scripts
import pipeline.stage


def switch_off(guards: Iterable[str]) -> None:
    """Patches the modules of this process."""
    for guard in guards:
        GUARDS[guard]()


def _ledger() -> None:
    ask = pipeline.discover.query

    def query(environment: Any, template: str, **values: Any) -> Any:
        return [] if template == "pipeline/ledger.sql" else ask(environment, template, **values)

    pipeline.discover.query = query


def _generation_match() -> None:
    class Everything:
        def __contains__(self, version: object) -> bool:
            return True

    pipeline.stage.landed = lambda *_: Everything()


def _deterministic_ids() -> None:
    for module in (operators.bigquery, operators.dataproc):
        take = module.attempt

        def attempt(identity: str, *how: Any, take: Any = take) -> Any:
            return take(f"{identity}-{uuid.uuid4().hex[:8]}", *how)

        module.attempt = attempt


def _audit_gate() -> None:
    _rewrite(lambda template, sql: "SELECT 'passed'" if template == "pipeline/audit.sql" else sql)


def _transaction() -> None:
    def without(template: str, sql: str) -> str:
        return sql.replace("BEGIN TRANSACTION;", "").replace("COMMIT TRANSACTION;", "")

    _rewrite(without)


def _rewrite(change: Callable[[str, str], str]) -> None:
    for module in (pipeline.scripts, medallion.gold):
        real = module.render

        def render(template: str, *arguments: Any, real: Any = real, **values: Any) -> str:
            return change(template, real(template, *arguments, **values))

        module.render = render


def _refresh() -> None:
    """A refresh shows nothing of what it has built."""
    built = re.compile(r"(SELECT \* FROM `[^`]*`);")

    def emptied(template: str, sql: str) -> str:
        return built.sub(r"\1 WHERE FALSE;", sql) if template == "pipeline/gold.sql" else sql

    _rewrite(emptied)


def _retry_classification() -> None:
    operators.bigquery._failure = lambda job_id, error: AirflowFailException(f"{job_id}: {error}")


GUARDS: dict[str, Callable[[], None]] = {
    "ledger": _ledger,
    "generation match": _generation_match,
    "deterministic ids": _deterministic_ids,
    "audit gate": _audit_gate,
    "transaction": _transaction,
    "refresh": _refresh,
    "retry classification": _retry_classification,
}
