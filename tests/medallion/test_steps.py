"""Functions that product files name: what they must look like, and what a file may give them."""

import pytest

from medallion import steps
from medallion.steps import StepRun, step


@pytest.fixture(autouse=True)
def none_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "_registered", {})


def test_a_function_is_registered_by_its_name() -> None:
    @step
    def export(run: StepRun, *, table: str, limit: int = 10) -> None: ...

    assert steps._registered == {"export": export}


def test_a_function_needs_the_run_first() -> None:
    with pytest.raises(TypeError, match=r"@step export: expected \(run: StepRun, .*got \(table: str\)"):

        @step
        def export(table: str) -> None: ...


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
