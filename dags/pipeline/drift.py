"""Drift: silver's columns that files brought and the contract doesn't know."""

import re
from collections.abc import Collection, Mapping

from medallion.contracts import MAX_NEW_COLUMNS, Contract
from medallion.errors import MedallionError

NAME = re.compile(r"[a-z_][a-z0-9_]*(?<!__)")


class DriftError(MedallionError):
    """A new column can't become a column of silver."""


def evolved_columns(contract: Contract, brought: Collection[str], stored: Mapping[str, str]) -> list[str]:
    """Names of silver's columns beyond the contract, all of them STRING, after a run.

    `brought` names the run's new columns, `stored` has silver's columns with their types. Whether the run's
    are in silver already makes no difference. Raises DriftError for one that can't be.
    """
    known = set(contract.taken_names)
    for name in brought:
        if not NAME.fullmatch(name) or name in known:
            raise DriftError(f"{contract.name}: expected a new column's name, got {name!r}. Next: rename it.")
        if stored.get(name, "STRING") != "STRING":
            raise DriftError(
                f"{contract.name}.{name}: expected STRING in silver, the type of new columns, got "
                f"{stored[name]}. Next: put the column into the contract, or drop it from silver."
            )
    if len(brought) > MAX_NEW_COLUMNS:
        raise DriftError(
            f"{contract.name}: expected at most {MAX_NEW_COLUMNS:,} columns beyond the contract, got "
            f"{len(brought):,}. Next: see what the files are, or set newColumns to ignore."
        )
    texts = {name for name, kind in stored.items() if kind == "STRING" and NAME.fullmatch(name)}
    return sorted((texts - known).union(brought))
