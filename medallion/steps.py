"""What YAML can't say: functions registered with @step, which product files name and give parameters to."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from medallion.environments import Environment
from medallion.errors import ConfigError
from medallion.products import CustomStep, Product

PACKAGE = "steps"  # beside the DAG files; each of its modules is imported
TYPES = (str, int, float, bool)


@dataclass(frozen=True)
class StepRun:
    """What a function is told of the run that it is part of; `run` is None where only gold was owed."""

    product: Product
    environment: Environment
    run: str | None


Function = Callable[..., Any]
_registered: dict[str, Function] = {}


def step(function: Function) -> Function:
    """Registers a function by its name.

    Its first parameter takes a StepRun. The others are those that a product file sets: by keyword, each of
    type str, int, float or bool. Raises TypeError for a function that is not like that, or a name twice.
    """
    taken = list(inspect.signature(function, eval_str=True).parameters.values())
    runs = [item for item in taken[:1] if item.annotation is StepRun and item.kind != item.KEYWORD_ONLY]
    wrong = [item for item in taken[1:] if item.annotation not in TYPES or item.kind != item.KEYWORD_ONLY]
    if not runs or wrong:
        expected = f"(run: StepRun, *, name: {', '.join(kind.__name__ for kind in TYPES)}, …)"
        raise TypeError(f"@step {function.__name__}: expected {expected}, got {inspect.signature(function)}")
    if _registered.setdefault(function.__name__, function) is not function:
        raise TypeError(f"@step {function.__name__}: there is one of that name already.")
    return function


def registered_steps() -> Mapping[str, Function]:
    """All functions by their names."""
    package = importlib.import_module(PACKAGE)
    for module in pkgutil.iter_modules(package.__path__, f"{PACKAGE}."):
        importlib.import_module(module.name)
    return _registered


def step_problems(product: Product, file: str) -> Iterator[ConfigError]:
    """Where a product file and the functions that it names don't fit."""
    functions = registered_steps() if product.steps else {}
    for index, custom in enumerate(product.steps):
        if custom.name not in functions:
            expected = "a function registered with @step"
            yield ConfigError(file, f"steps.{index}.name", expected, custom.name)
        else:
            yield from _parameter_problems(custom, functions[custom.name], file, f"steps.{index}.with")


def _parameter_problems(custom: CustomStep, function: Function, file: str, key: str) -> Iterator[ConfigError]:
    _, *parameters = inspect.signature(function, eval_str=True).parameters.values()
    kinds = {item.name: item.annotation for item in parameters}
    needed = [item.name for item in parameters if item.default is item.empty]
    if not set(needed) <= set(custom.parameters):
        expected = ", ".join(f"{name} ({kinds[name].__name__})" for name in needed)
        got = ", ".join(custom.parameters) or "none"
        yield ConfigError(file, key, f"the parameters {expected}", got)
    for name, value in custom.parameters.items():
        if name not in kinds:
            yield ConfigError(file, f"{key}.{name}", f"one of {', '.join(kinds)}", value)
        elif type(value) is not kinds[name]:
            yield ConfigError(file, f"{key}.{name}", kinds[name].__name__, value)
