"""Checks infra/, workflows and code offline; what passed is not checked again until it changes."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from infra.checks.attributes import misfits
from infra.checks.evaluate import INFRA, evaluate
from infra.checks.schema import PROVIDER_VERSION, provider_schema
from infra.checks.standin import provider

ROOT = INFRA.parent
ENVIRONMENTS = ("dev", "prod")
PRODUCT_CODE = ("dags", "deploy", "infra", "local", "medallion", "ml", "spark_jobs")
OWN = Path(sys.executable).parent
CHECKOV = OWN.parent.parent / "checkov" / "bin" / "checkov"  # it has an environment of its own
CACHE = ROOT / ".local" / "cache"
RESOURCE = re.compile(r'^(?P<kind>resource|data) "(?P<type>google_\w+)"', re.MULTILINE)


class CheckError(Exception):
    """A check found something; the message is what it said."""


@dataclass(frozen=True)
class Check:
    """One tool: `run` raises CheckError, and is of no use when nothing in `inputs` (paths) has changed."""

    name: str
    inputs: tuple[str, ...]
    run: Callable[[Path], None]


def main() -> int:
    (CACHE / "checks").mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(lambda check: outcome(check, CACHE), checks()))
    for said, _ in outcomes:
        print(said)
    return int(any(failed for _, failed in outcomes))


def outcome(check: Check, cache: Path) -> tuple[str, bool]:
    """What is to be said of a check, and whether it failed."""
    stamp, state = cache / "checks" / check.name.replace(" ", "-"), _fingerprint(check.inputs)
    if stamp.exists() and stamp.read_text() == state:
        return f"{check.name}: passed before, and nothing has changed", False
    if check.name.startswith("terraform") and shutil.which("terraform") is None:
        return f"{check.name}: SKIPPED, there is no terraform on PATH", False
    try:
        check.run(cache)
    except CheckError as error:
        return f"{check.name}: FAILED\n{error}", True
    stamp.write_text(state)
    return f"{check.name}: passed", False


def checks() -> Iterator[Check]:
    """Every check, the longest first."""
    configuration = ("infra", "conf", "requirements/infra.txt")
    python = tuple(name for name in PRODUCT_CODE if (ROOT / name).exists())
    tracked = _tracked()
    yield Check("checkov", (*configuration, "requirements/checkov.txt"), _checkov)
    yield Check("detect-secrets", tuple(tracked), lambda cache: _secrets(tracked))
    yield Check("terraform test", configuration, _terraform)
    yield Check("terraform fmt", ("infra",), _format)
    yield Check("provider schema", configuration, _schema)
    yield Check("bandit", python, lambda cache: _run(OWN / "bandit", "-q", "-ll", "-ii", "-r", *python))
    yaml = tuple(name for name in tracked if name.endswith((".yaml", ".yml")))
    yield Check("yamllint", (*yaml, ".yamllint"), lambda cache: _run(OWN / "yamllint", "--strict", *yaml))
    workflows = tuple(name for name in tracked if name.startswith(".github/workflows/"))
    yield Check("workflows", (*workflows, "requirements/infra.txt"), lambda cache: _workflows(workflows))


def _schema(cache: Path) -> None:
    schemas = provider_schema(_types(), cache)
    problems = [f"{name}: {problem}" for name in ENVIRONMENTS for problem in misfits(evaluate(name), schemas)]
    if problems:
        raise CheckError("\n".join(problems))


def _format(cache: Path) -> None:
    _run("terraform", "fmt", "-check", "-diff", "-recursive", "infra", TF_CLI_CONFIG_FILE=os.devnull)


def _terraform(cache: Path) -> None:
    """Terraform's own word, with a stand-in for the provider that has its schema and knows nothing else."""
    with provider(_types(), cache) as plugin:
        environment = {
            **plugin,
            "TF_DATA_DIR": str(cache.resolve() / "terraform"),
            "TF_CLI_CONFIG_FILE": os.devnull,
        }
        _run(
            "terraform", "-chdir=infra", "init", "-backend=false", "-input=false", "-no-color", **environment
        )
        _run("terraform", "-chdir=infra", "validate", "-no-color", **environment)
        for name in ENVIRONMENTS:
            _run("terraform", "-chdir=infra", "test", "-no-color", f"-var-file={name}.tfvars", **environment)


def _checkov(cache: Path) -> None:
    if not CHECKOV.exists():
        raise CheckError(f"{CHECKOV} is not there. Next: make check, which installs it.")
    folders = ["--directory", "infra", "--external-checks-dir", "infra/policies"]
    options = ["--framework", "terraform", "--skip-download", "--compact", "--quiet"]
    for name in ENVIRONMENTS:
        _run(CHECKOV, *folders, *options, "--var-file", f"infra/{name}.tfvars")


def _secrets(tracked: list[str]) -> None:
    # Hashes of locked packages look like secrets.
    files = [name for name in tracked if not re.fullmatch(r"requirements/\w+\.txt", name)]
    _run(OWN / "detect-secrets-hook", *files)


def _workflows(workflows: tuple[str, ...]) -> None:
    _run(OWN / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows)
    _run(OWN / "zizmor", "--offline", "--no-progress", "--persona", "pedantic", *workflows)


def _types() -> list[str]:
    text = "\n".join(path.read_text() for path in sorted(INFRA.glob("*.tf")))
    found = RESOURCE.finditer(text)
    return sorted({f"data.{item['type']}" if item["kind"] == "data" else item["type"] for item in found})


def _tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()]


def _fingerprint(inputs: tuple[str, ...]) -> str:
    digest = hashlib.sha256(PROVIDER_VERSION.encode())
    for name in inputs:
        path = ROOT / name
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and file.suffix != ".pyc":
                digest.update(f"{file}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _run(*command: str | Path, **environment: str) -> None:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise CheckError(done.stdout.strip())


if __name__ == "__main__":
    sys.exit(main())
