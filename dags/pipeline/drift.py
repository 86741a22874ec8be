"""Drift: silver's columns that files brought and the contract doesn't know."""

import re
from collections.abc import Mapping

from medallion.contracts import MAX_NEW_COLUMNS, Contract
from medallion.errors import MedallionError

NAME = re.compile(r"[a-z_][a-z0-9_]*(?<!__)")
MAX_LETTERS = 20_000  # of all names: the publication's script has each a dozen times, and 1 MB at most
SHOWN = 20  # names of columns that a message tells


class DriftError(MedallionError):
    """A new column can't become a column of silver."""


def evolved_columns(
    contract: Contract, brought: Mapping[str, int], stored: Mapping[str, str]
) -> tuple[list[str], list[str]]:
    """Names of silver's columns beyond the contract after a run, all of them STRING; and names of the run's
    new columns that silver has no room for.

    `brought` has the run's new columns with the number of files that bring each: those of most files come
    first. `stored` has silver's columns with their types. Whether the run's are in silver already makes no
    difference. Raises DriftError for one that can't be.
    """
    known = set(contract.taken_names)
    for name in brought:
        if not NAME.fullmatch(name) or name in known:
            raise DriftError(f"{contract.name}: expected a new column's name, got {name!r}. Next: rename it.")
        if stored.get(name, "STRING") != "STRING":
            raise DriftError(
                f"{contract.name}.{name}: expected STRING in silver, the type of new columns, got "
                f"{stored[name]}. Next: put the column into the contract, or drop it from silver and from "
                f"{contract.name}__superseded."
            )
    evolved = {name for name, kind in stored.items() if kind == "STRING" and NAME.fullmatch(name)} - known
    letters, left_out = sum(map(len, evolved)), []
    for name in sorted(brought.keys() - evolved, key=lambda name: (-brought[name], name)):
        if len(evolved) < MAX_NEW_COLUMNS and letters + len(name) <= MAX_LETTERS:
            evolved.add(name)
            letters += len(name)
        else:
            left_out.append(name)
    return sorted(evolved), left_out


def without_room(names: list[str]) -> str | None:
    """What is told of a run's new columns that silver has no room for; None where it has."""
    if not names:
        return None
    told = ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")
    return (
        f"{len(names):,} new columns are left in their files, for silver has at most {MAX_NEW_COLUMNS:,} "
        f"beyond the contract, of {MAX_LETTERS:,} letters in all: {told}. "
        "Next: put those that are wanted into the contract, and backfill."
    )
