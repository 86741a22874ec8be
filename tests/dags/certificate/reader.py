"""A reader who looks at silver, gold and the ledger again and again, and knows what must never be seen."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from google.api_core.exceptions import BadRequest, NotFound

from medallion.gold import gold_definition
from tests.dags.certificate.files import Landed
from tests.dags.certificate.place import PRODUCT, Stage

PAUSE = 1.0
# What was published, and what passed its audit. Columns for gold follow: what each SELECT makes of silver,
# and what each table shows.
STATE = """
SELECT
  {silver} AS silver,
  {superseded} AS superseded,
  {quarantine} AS quarantine,
  {ledger} AS ledger,
  (SELECT STRING_AGG(run, ',' ORDER BY run) FROM {ops}.runs) AS runs,
  (
    SELECT STRING_AGG(DISTINCT run, ',' ORDER BY run)
    FROM {ops}.checks
    WHERE step = 'audit' AND run NOT IN (SELECT run FROM {ops}.checks WHERE step = 'audit' AND NOT passed)
  ) AS audited
"""
NULLS = re.compile(r',"[^"]+":null')
MISSING = (NotFound, BadRequest)  # what the emulator says of a table that is not there yet


class Reader:
    """Keeps what was wrong in `seen_wrong`; `landed` maps name and generation to a version of a file."""

    def __init__(self, stage: Stage, landed: dict[tuple[str, int], Landed]) -> None:
        self._stage = stage
        self._landed = landed
        self._lock = threading.Lock()
        self._published: dict[str, str] = {}
        self._selected: dict[str, set[str | None]] = {table.table: set() for table in stage.product.gold}
        self.looks = self.gold_looks = 0
        self.seen_wrong: list[str] = []

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Looks until the block ends."""
        stop = threading.Event()
        failures: list[BaseException] = []

        def look() -> None:
            try:
                while not stop.wait(PAUSE):
                    self.look()
            except BaseException as failure:
                failures.append(failure)

        thread = threading.Thread(target=look)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
        assert not failures, failures

    def look(self) -> None:
        """One look at everything, by one query, which sees one moment."""
        with self._lock:
            for shown in (True, False):  # there is no gold before the first run has got so far
                state = self._state(shown)
                if state is not None:
                    self.looks += 1
                    self._judge(*(value or "" for value in state[:6]))
                    self._judge_gold(state[6:])
                    return

    def _judge(
        self, silver: str, superseded: str, quarantine: str, files: str, runs: str, audited: str
    ) -> None:
        # A column that a run brings is there before its transaction, with NULL in all rows.
        content = NULLS.sub("", "\n\n".join((silver, superseded, quarantine, files)))
        if self._published.setdefault(runs, content) != content:
            self._wrong(f"two contents of silver, quarantine and ledger under the runs {runs or 'none'}")
        unaudited = set(filter(None, runs.split(","))) - set(audited.split(","))
        if unaudited:
            self._wrong(f"runs {unaudited} are shown, and have not passed an audit")
        self._look_at_ledger(
            [json.loads(line) for line in files.splitlines()], silver, superseded, quarantine
        )

    def _judge_gold(self, told: tuple[Any, ...]) -> None:
        """A table shows what its SELECT makes of silver as it is, or as it was when it was last published."""
        now, shown = told[: len(self._selected)], told[len(self._selected) :]
        self.gold_looks += bool(shown)
        for selected, current in zip(self._selected.values(), now, strict=True):
            selected.add(current)
        for (table, selected), rows in zip(self._selected.items(), shown, strict=False):
            if rows not in selected:
                self._wrong(f"gold.{table} shows what its SELECT made of no silver that was published")

    def _look_at_ledger(self, files: list[dict[str, Any]], *contents: str) -> None:
        silver, superseded, quarantine = (content.count("\n") + bool(content) for content in contents)
        for file in files:
            name, generation = file["uri"].rpartition("/")[2], int(file["generation"])
            parts = sum(int(file[f"rows_{part}"]) for part in ("valid", "rejected", "duplicate"))
            truth = self._landed[name, generation].rows
            if not int(file["rows_read"]) == parts == truth:
                self._wrong(
                    f"{name}#{generation}: {file['rows_read']} rows read, {parts} told, {truth} landed"
                )
        newest = {file["uri"]: file for file in sorted(files, key=lambda file: int(file["generation"]))}
        kept = sum(int(f["rows_valid"]) + int(f["rows_duplicate"]) for f in newest.values())
        rejected = sum(int(file["rows_rejected"]) for file in files)
        if (silver + superseded, quarantine) != (kept, rejected):
            self._wrong(f"{silver} + {superseded} rows of {kept}, {quarantine} rejected of {rejected}")

    def _state(self, with_gold: bool) -> tuple[Any, ...] | None:
        names = self._stage.environment.datasets
        tables = {
            "silver": f"{names['silver']}.{PRODUCT}",
            "superseded": f"{names['silver']}.{PRODUCT}__superseded",
            "quarantine": f"{names['quarantine']}.{PRODUCT}",
            "ledger": f"{names['ops']}.files",
        }
        asked = STATE.format(ops=names["ops"], **{name: _rows(table) for name, table in tables.items()})
        gold = [_rows(f"({self._select(table)}\n)") for table in self._selected]
        gold += [_rows(f"{names['gold']}.{table}") for table in self._selected if with_gold]
        try:
            (row,) = self._stage.query(", ".join([asked, *gold]))
        except MISSING:
            return None
        return row

    def _select(self, name: str) -> str:
        table = next(table for table in self._stage.product.gold if table.table == name)
        select = gold_definition(table, self._stage.environment, "", self._stage.code / "sql").select
        return select.replace("IN UNNEST(touched)", ">= DATE '0001-01-01'")

    def _wrong(self, what: str) -> None:
        self.seen_wrong.append(what)


def _rows(table: str) -> str:
    """A subquery: all rows of a table, as one text."""
    return f"(SELECT STRING_AGG(TO_JSON_STRING(t), '\\n' ORDER BY TO_JSON_STRING(t)) FROM {table} AS t)"
