"""YAML documents, each held to a JSON Schema."""

import json
import math
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from medallion.errors import ConfigError, raise_problems

# On Composer this package, conf/ and sql/ lie side by side under dags/; in the repository, at its root.
ROOT = Path(__file__).parent.parent
CONF = ROOT / "conf"

# The one in C takes a tenth of the time, which hundreds of products make felt.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# What YAML's constructors let through of a text that is none of its type, as 2026-13-45 is no date.
NO_VALUE = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError)
# A few aliases of aliases make a document of billions of values, or one without an end.
MAX_VALUES, MAX_DEPTH = 100_000, 50
MAX_BITS = 64
# The $ of a schema's pattern ends the text, where Python's lets a newline follow. What is escaped, or in a
# class, is passed over as a whole: a $ in it is a letter.
END = re.compile(r"\\.|\[(?:\\.|[^\]])*\]|(\$)")


def shown(path: Path) -> str:
    """A file as messages name it."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def read_yaml(path: Path) -> Any:
    """The YAML document in a file.

    Raises ConfigError when the file is missing, is no YAML, or is none that JSON could say in bounds.
    """
    file = shown(path)
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=LOADER)  # nosec B506: it is the safe one
    except FileNotFoundError:
        raise ConfigError(file, "", "a file", "no such file", f"write {file}") from None
    except (yaml.YAMLError, *NO_VALUE) as error:
        raise ConfigError(file, "", "one YAML document", str(error)) from None
    _require_bounds(document, file)
    return document


def read_named(kind: str, name: str, conf: Path = CONF) -> dict[str, Any]:
    """The document in <conf>/<kind>s/<name>.yaml.

    Raises ConfigError, or ProblemsError for several, when the file is missing, does not fit
    <kind>.schema.json, or has another name inside.
    """
    path = conf / f"{kind}s" / f"{name}.yaml"
    data = read_yaml(path)
    file = shown(path)
    validate(data, conf / f"{kind}.schema.json", file)
    if data["name"] != name:
        raise ConfigError(file, "name", f"{name}, the file's own name", data["name"])
    return data


def _require_bounds(document: Any, file: str) -> None:
    """Holds a document to a size and a depth, its keys to texts and its integers to 64 bits."""
    left = [(document, 0)]
    values = 0
    while left:
        value, depth = left.pop()
        values += 1
        if values > MAX_VALUES or depth > MAX_DEPTH:
            expected = f"at most {MAX_VALUES:,} values, {MAX_DEPTH} levels deep, with each alias spelt out"
            raise ConfigError(file, "", expected, "more")
        if isinstance(value, dict):
            for key in value:
                if not isinstance(key, str):
                    raise ConfigError(file, "", "keys that are texts, in quotes where need be", key)
            left += [(item, depth + 1) for item in value.values()]
        elif isinstance(value, list):
            left += [(item, depth + 1) for item in value]
        elif isinstance(value, set | bytes):
            raise ConfigError(file, "", "no sets and no bytes", type(value).__name__)
        elif isinstance(value, float) and not math.isfinite(value):
            raise ConfigError(file, "", "finite numbers", value)
        elif isinstance(value, int) and value.bit_length() > MAX_BITS:
            raise ConfigError(file, "", f"integers of {MAX_BITS} bits", f"one of {value.bit_length()}")


def validate(data: Any, schema: Path, file: str, next_step: str = "mend the file") -> None:
    """Holds data to a JSON Schema; raises ConfigError for a violation, ProblemsError for several."""
    problems = {}
    violations = _validator(schema).iter_errors(data)
    for error in sorted(violations, key=lambda error: list(map(str, error.absolute_path))):
        key = ".".join(str(part) for part in error.absolute_path)
        expected, got = _expected(error)
        problems[key, expected] = ConfigError(file, key, expected, got, next_step)
    raise_problems(list(problems.values()))


def _expected(error: Any) -> tuple[str, Any]:
    """What a violated part of a schema asks for, and what it found."""
    match error.validator:
        case "required":
            return f"the keys {', '.join(error.validator_value)}", ", ".join(error.instance)
        case "additionalProperties":
            known = error.schema.get("properties", {})
            unknown = ", ".join(str(key) for key in error.instance if key not in known)
            return f"only the keys {', '.join(known)}", unknown
        case "enum":
            return f"one of {', '.join(map(str, error.validator_value))}", error.instance
        case "anyOf" if all("required" in choice for choice in error.validator_value):
            keys = ", ".join(key for choice in error.validator_value for key in choice["required"])
            return f"at least one of the keys {keys}", ", ".join(error.instance)
        case "not":
            return "no secret: those belong to the connection", error.instance
        case _:
            return f"{error.validator} {error.validator_value}", error.instance


@cache
def _validator(path: Path) -> Any:
    # Spark jobs read contracts that were validated before them, on machines without jsonschema.
    from jsonschema import Draft202012Validator, ValidationError
    from jsonschema.validators import extend

    def pattern(_: Any, wanted: str, text: Any, __: Any) -> Iterator[Any]:
        whole = END.sub(lambda found: r"\Z" if found[1] else found[0], wanted)
        if isinstance(text, str) and not re.search(whole, text):
            yield ValidationError(f"{text!r} does not match {wanted!r}")

    validator = extend(Draft202012Validator, {"pattern": pattern})
    return validator(json.loads(path.read_text(encoding="utf-8")))
