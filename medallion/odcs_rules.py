"""The parts of a contract that say what a row must be, and the properties that ODCS has no word for."""

from typing import Any

from medallion.contracts import (
    DROP,
    ERROR,
    EVOLVE,
    FAIL,
    HASH,
    IGNORE,
    WARNING,
    Constraint,
    Reference,
    RowRule,
)
from medallion.errors import ConfigError

ENCODINGS = (
    *("UTF-8", "UTF-16", "UTF-16LE", "UTF-16BE", "US-ASCII"),
    *("ISO-8859-1", "ISO-8859-15", "windows-1250", "windows-1251", "windows-1252"),
)
# What ODCS has no word for; it lets a contract add such properties. First those of a table, then of a column.
TABLE_DEFAULTS: dict[str, Any] = {
    "orderBy": None,
    "deleteFlag": None,
    "nullTokens": [""],
    "delimiter": ",",
    "encoding": "UTF-8",
    "multiline": False,
    "newColumns": IGNORE,
    "records": None,
}
COLUMN_DEFAULTS: dict[str, Any] = {
    "trim": True,
    "trueTokens": ["true", "1"],
    "falseTokens": ["false", "0"],
    "ambiguousTime": "earlier",
    "protection": None,
}
CHOICES: dict[str, tuple[Any, ...]] = {
    "encoding": ENCODINGS,
    "multiline": (False, True),
    "newColumns": (EVOLVE, IGNORE, FAIL),
    "trim": (False, True),
    "ambiguousTime": ("earlier", "later", "reject"),
    "protection": (None, HASH, DROP),
}
TOKENS = ("nullTokens", "trueTokens", "falseTokens")


def quality_constraints(item: dict[str, Any], file: str, key: str) -> list[Constraint]:
    """Constraints from a column's quality rules: lists of valid values, and patterns."""
    constraints = []
    for index, rule in enumerate(item.get("quality", ())):
        match rule:
            case {"type": "text"}:  # for people
                continue
            case {"metric": "invalidValues", "arguments": {"validValues": list(values)}, "mustBe": 0}:
                constraints.append(Constraint("validValues", values, _severity(rule, file, key)))
            case {"metric": "invalidValues", "arguments": {"pattern": str(pattern)}, "mustBe": 0}:
                constraints.append(Constraint("pattern", pattern, _severity(rule, file, key)))
            case _:
                expected = "metric: invalidValues with arguments (validValues or pattern) and mustBe: 0"
                raise ConfigError(file, f"{key}.quality.{index}", expected, rule)
    return constraints


def row_rules(table: dict[str, Any], file: str) -> list[RowRule]:
    """Conditions on a whole row, from a table's quality rules."""
    rules = []
    for index, rule in enumerate(table.get("quality", ())):
        key = f"schema.0.quality.{index}"
        match rule:
            case {"type": "text"}:
                continue
            case {"type": "custom", "engine": "spark", "implementation": str(condition), "name": str(name)}:
                rules.append(RowRule(name, condition, _severity(rule, file, key)))
            case _:
                expected = "type: custom, engine: spark, with a name and a condition as implementation"
                raise ConfigError(file, key, expected, rule)
    return rules


def references(item: dict[str, Any], file: str) -> list[Reference]:
    """The datasets in whose key a column's values must be found."""
    references = []
    key = f"{item['name']}.relationships"
    if len(item.get("relationships", ())) > 1:
        raise ConfigError(file, key, "one at most: a column refers to one dataset", item["relationships"])
    for relationship in item.get("relationships", ()):
        parts = relationship["to"].split(".") if isinstance(relationship.get("to"), str) else []
        if len(parts) != 2 or not all(part.isidentifier() for part in parts):
            raise ConfigError(file, f"{key}.to", "dataset.column", relationship.get("to"))
        custom = custom_properties(relationship, {"severity": ERROR}, file, key)
        references.append(Reference(item["name"], parts[0], parts[1], _severity(custom, file, key)))
    return references


def _severity(rule: dict[str, Any], file: str, key: str) -> str:
    severity = rule.get("severity", ERROR)
    if severity not in (ERROR, WARNING):
        raise ConfigError(file, f"{key}.severity", f"{ERROR} or {WARNING}", severity)
    return severity


def custom_properties(item: dict[str, Any], defaults: dict[str, Any], file: str, key: str) -> dict[str, Any]:
    """An element's custom properties, with defaults for those that it doesn't name."""
    given = {entry["property"]: entry["value"] for entry in item.get("customProperties", ())}
    for name, value in given.items():
        if name not in defaults:
            raise ConfigError(file, f"{key}.customProperties.{name}", f"one of {', '.join(defaults)}", name)
        if name in CHOICES and value not in CHOICES[name]:
            choices = ", ".join(map(str, CHOICES[name]))
            raise ConfigError(file, f"{key}.customProperties.{name}", f"one of {choices}", value)
        if name in TOKENS and not (isinstance(value, list) and all(isinstance(text, str) for text in value)):
            raise ConfigError(file, f"{key}.customProperties.{name}", "a list of texts, in quotes", value)
    return {**defaults, **given}
