"""Every control of controls.yaml holds for every environment, and notices when it is broken."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.infra import offenders
from tests.infra.conftest import ENVIRONMENTS, Resources, copy, evaluate, of

CONTROLS = yaml.safe_load((Path(__file__).parent / "controls.yaml").read_text())
COPIES = 9  # one for each control would take half a minute
NAMES = [control["name"] for control in CONTROLS]


def broken_rules(control: dict[str, Any], resources: Resources) -> list[str]:
    """What offends a control in a configuration."""
    if "offenders" in control:
        return getattr(offenders, control["offenders"])(resources)
    if "none_of" in control:
        return list(of(resources, control["none_of"]))
    found = of(resources, control["each"])
    if len(found) < control.get("least", 1):
        return [f"only {len(found)} of {control['each']}"]
    values = {name: offenders.at(item, control["at"]) for name, item in found.items()}
    if "matches" in control:
        return [name for name, value in values.items() if not re.fullmatch(control["matches"], str(value))]
    # The parser tells true and 1, or 168 and "168", as they were written.
    return [name for name, value in values.items() if str(value) != str(control["is"])]


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Resources]:
    """For each control, a configuration with the edit that it has to notice, and with some others'."""
    folders = [copy(tmp_path_factory.mktemp("broken")) for _ in range(COPIES)]
    for number, control in enumerate(CONTROLS):
        edit = control["broken_by"]
        file = folders[number % COPIES] / edit["file"]
        text = file.read_text()
        assert edit.get("old", "") in text, f"{control['name']}: {edit['file']} has no {edit['old']!r}"
        edited = text.replace(edit["old"], edit["new"]) if "old" in edit else f"{text}\n{edit['new']}"
        file.write_text(edited)
    evaluated = evaluate("dev", *folders)
    return {name: evaluated[number % COPIES] for number, name in enumerate(NAMES)}


def test_there_is_a_control_for_each_name() -> None:
    assert len(set(NAMES)) == len(CONTROLS) > 50


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("control", CONTROLS, ids=NAMES)
def test_holds(control: dict[str, Any], environment: str, environments: dict[str, Resources]) -> None:
    assert broken_rules(control, environments[environment]) == []


@pytest.mark.parametrize("control", CONTROLS, ids=NAMES)
def test_notices_when_it_is_broken(control: dict[str, Any], broken: dict[str, Resources]) -> None:
    assert broken_rules(control, broken[control["name"]]) != []


def test_copies_are_taken_as_they_are(tmp_path: Path, dev: Resources) -> None:
    assert evaluate("dev", copy(tmp_path)) == [dev]
