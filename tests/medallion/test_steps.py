"""Functions that product files name: what they must look like, and what a file may give them."""

import pytest

from medallion import steps
from medallion.steps import Function, StepRun, step


@pytest.fixture(autouse=True)
def none_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "_registered", {})


def test_a_function_is_registered_by_its_name() -> None:
    @step
    def export(run: StepRun, *, table: str, limit: int = 10) -> None: ...

    assert steps._registered == {"export": export}


def without_a_run() -> None: ...


def by_keyword(*, run: StepRun) -> None: ...


def with_a_table_first(table: str) -> None: ...


@pytest.mark.parametrize("function", [without_a_run, by_keyword, with_a_table_first])
def test_a_function_needs_the_run_first(function: Function) -> None:
    told = rf"@step {function.__name__}: expected \(run: StepRun, .*got \("
    with pytest.raises(TypeError, match=told):
        step(function)


def test_parameters_are_of_types_that_yaml_has() -> None:
    with pytest.raises(TypeError, match=r"@step export: expected .*str, int, float, bool"):

        @step
        def export(run: StepRun, *, tables: set[str]) -> None: ...


def test_a_name_is_taken_once() -> None:
    @step
    def export(run: StepRun) -> None: ...

    with pytest.raises(TypeError, match="@step export: there is one of that name already"):

        @step
        def export(run: StepRun, *, again: bool) -> None: ...
