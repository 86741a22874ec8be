"""The checks of infra/ notice what Terraform and the provider would refuse."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from local.paths import EMULATORS
from medallion.documents import ROOT
from tests.infra.conftest import PYTHON

CACHE = EMULATORS.parents[2] / "cache"
BUCKET = {"name": "b", "location": "US", "versioning": {"enabled": True}}

MISFITS = """
import json, sys
from pathlib import Path
from infra.checks.attributes import misfits
from infra.checks.schema import provider_schema
schemas = provider_schema(["google_storage_bucket"], Path(sys.argv[1]))
resources = {"b": {"type": "google_storage_bucket", "values": json.loads(sys.argv[2])}}
print(json.dumps(list(misfits(resources, schemas))))
"""

VALIDATE = """
import os, subprocess, sys
from pathlib import Path
from infra.checks.standin import provider
with provider(["google_storage_bucket"], Path(sys.argv[1])) as plugin:
    environment = {**os.environ, **plugin, "TF_CLI_CONFIG_FILE": os.devnull}
    known = dict(cwd=sys.argv[2], env=environment, capture_output=True)
    subprocess.run(["terraform", "init", "-input=false"], check=True, **known)
    done = subprocess.run(["terraform", "validate", "-json"], text=True, **known)
print(done.stdout)
"""


def run(script: str, *arguments: str) -> Any:
    command = [str(PYTHON), "-c", script, str(CACHE), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({}, None),
        ({"colour": "blue"}, "colour is no argument"),
        ({"self_link": "x"}, "self_link is no argument"),  # the provider computes it
        ({"versioning": {"enable": True}}, "versioning.enable is no argument"),
        ({"versioning": {}}, "versioning.enabled is required"),
        ({"lifecycle_rule": [{"action": {"type": "Delete"}}]}, "lifecycle_rule.condition is required"),
        ({"lifecycle": {"prevent_destroy": True}}, None),  # Terraform's own
    ],
)
def test_attributes_are_held_to_the_providers_schema(changes: dict[str, Any], problem: str | None) -> None:
    told = run(MISFITS, json.dumps({**BUCKET, **changes}))
    expected = [f"b: {problem} in provider 7.41.0"] if problem else []
    assert [line for line in told if problem is None or problem in line] == expected


def test_an_unknown_resource_is_named() -> None:
    script = MISFITS.replace('["google_storage_bucket"]', '["google_storage_bukket"]')
    command = [str(PYTHON), "-c", script, str(CACHE), "{}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert "the Google provider 7.41.0 has no google_storage_bukket" in done.stderr


@pytest.mark.skipif(shutil.which("terraform") is None, reason="there is no terraform on PATH")
@pytest.mark.parametrize(
    ("argument", "problem"),
    [
        ("force_destroy = true", None),
        ("force_destroi = true", 'An argument named "force_destroi" is not expected here.'),
        ('force_destroy = "maybe"', "a bool is required"),
        ("versioning = true", 'An argument named "versioning" is not expected here.'),
        ("requester_pays = google_storage_bucket.b.urls", "This object has no argument"),
    ],
)
def test_terraform_takes_the_stand_in_for_the_provider(
    argument: str, problem: str | None, tmp_path: Path
) -> None:
    (tmp_path / "main.tf").write_text(
        'terraform {\n  required_providers {\n    google = { source = "hashicorp/google" }\n  }\n}\n'
        f'resource "google_storage_bucket" "a" {{\n  name     = "a"\n  location = "US"\n  {argument}\n}}\n'
        'resource "google_storage_bucket" "b" {\n  name     = "b"\n  location = "US"\n}\n'
    )
    answer = run(VALIDATE, str(tmp_path))
    details = " ".join(item.get("detail", item["summary"]) for item in answer["diagnostics"])
    assert answer["valid"] is (problem is None)
    assert (
        (problem or "") in details or "unsupported attribute" in details.lower() or "does not have" in details
    )


OUTCOMES = """
import json, os, sys
from pathlib import Path
from infra.checks.__main__ import Check, CheckError, outcome

cache, watched, told = Path(sys.argv[2]), Path(sys.argv[2]) / "watched", []
(cache / "checks").mkdir()

def fail(cache):
    raise CheckError("line 3 is wrong")

def pass_(cache):
    told.append("ran")

def ask(name, run):
    told.append(outcome(Check(name, (str(watched),), run), cache))

watched.write_text("1")
ask("a tool", fail)
ask("a tool", pass_)
ask("a tool", pass_)
watched.write_text("2")
ask("a tool", pass_)
os.environ["PATH"] = ""
ask("terraform test", pass_)
print(json.dumps(told))
"""


def test_what_passed_is_asked_again_only_after_a_change(tmp_path: Path) -> None:
    assert run(OUTCOMES, str(tmp_path)) == [
        ["a tool: FAILED\nline 3 is wrong", True],
        "ran",
        ["a tool: passed", False],
        ["a tool: passed before, and nothing has changed", False],
        "ran",
        ["a tool: passed", False],
        ["terraform test: SKIPPED, there is no terraform on PATH", False],
    ]
