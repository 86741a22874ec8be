"""What a checkout puts into an environment; made from its files alone, without a look at the environment."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from medallion.documents import ROOT
from medallion.environments import Environment
from medallion.release import build_release
from medallion.sql import render

VARIABLE = "medallion_release"
DAGS = "dags/"  # the folder of Composer's bucket that Airflow reads
# Folders of the repository, and where they lie below it: Composer syncs no other folder to every component.
FOLDERS = {"conf": "conf/", "dags": "", "medallion": "medallion/", "sql": "sql/"}


@dataclass(frozen=True)
class Plan:
    """The content of an environment.

    `objects` are a release's, by their names below it in the code bucket; `files` those of Composer's bucket,
    by their full names; `packages` what Composer installs, as name and specifier; `tables` makes ops' tables.
    """

    environment: Environment
    release: str
    objects: dict[str, bytes]
    files: dict[str, bytes]
    packages: dict[str, str]
    tables: str


def make_plan(environment: Environment, root: Path = ROOT) -> Plan:
    """The plan of a checkout; the same files make the same plan."""
    release, objects = build_release(root)
    return Plan(
        environment=environment,
        release=release,
        objects=objects,
        files=dict(_files(root)),
        packages=packages((root / "requirements.txt").read_text(encoding="utf-8")),
        tables=render("ops/tables.sql", environment, root / "sql"),
    )


def packages(requirements: str) -> dict[str, str]:
    """Composer's form of a requirements file: the extras and versions of each package by its name."""
    lines = (line.partition("#")[0].strip() for line in requirements.splitlines())
    found = [Requirement(line) for line in lines if line]
    return {
        canonicalize_name(item.name): f"[{','.join(sorted(item.extras))}]" * bool(item.extras)
        + str(item.specifier)
        for item in found
    }


def describe(plan: Plan) -> Iterator[str]:
    """The plan, a line a step, in the order in which it is carried out."""
    environment = plan.environment
    packages = ", ".join(name + version for name, version in plan.packages.items()) or "none"
    yield f"Plan for {environment.name}, project {environment.project}; what is there already stays as it is."
    yield f"Create in gs://{environment.buckets['code']}/{plan.release}/"
    yield from (_line(name, data) for name, data in sorted(plan.objects.items()))
    yield f"Make the tables and columns of {environment.datasets['ops']} that are missing"
    yield f"Packages of Composer: {packages}"
    if environment.composer:
        yield f"Put into gs://{environment.composer.bucket}/"
    yield from (_line(name, plan.files[name]) for name in upload_order(plan.files))
    yield "Delete there what an earlier deployment put and this one doesn't have"
    yield f"Set Airflow's variable {VARIABLE} to {plan.release}"
    yield "Look for import errors"


def upload_order(files: dict[str, bytes]) -> list[str]:
    """Names of files, what DAG files import before the DAG files themselves."""
    return sorted(files, key=lambda name: (is_dag_file(name), name))


def is_dag_file(name: str) -> bool:
    """Whether Airflow looks for DAGs in a file: dags/.airflowignore leaves those at the top."""
    return name.count("/") == 1 and name.endswith(".py")


def _files(root: Path) -> Iterator[tuple[str, bytes]]:
    for folder, place in FOLDERS.items():
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield f"{DAGS}{place}{path.relative_to(root / folder).as_posix()}", path.read_bytes()


def _line(name: str, data: bytes) -> str:
    return f"  {name}  {len(data):,} bytes, sha256 {_digest(data)}"


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]
