"""Evaluates infra/ for an environment as far as that goes without an account; prints it as a JSON list.

What only Google knows stays null; for an id stands its address: google_storage_bucket.bucket["lake"].id
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tfparse import load_from_path

Resource = dict[str, Any]
NOT_VALUES = ("__tfmeta", "id", "for_each", "count", "depends_on")
INFRA = Path(__file__).parent.parent


def evaluate(environment: str, infra: Path = INFRA) -> dict[str, Resource]:
    """Resources by address, each with its `type` and the `values` of its attributes and blocks.

    The parser expands dynamic blocks of a resource only where no other block follows them.
    """
    parsed = load_from_path(
        str(infra.resolve()), stop_on_hcl_error=True, vars_paths=[f"{environment}.tfvars"]
    )
    found = [item for kind, items in parsed.items() if kind.startswith("google_") for item in items]
    ids = {item["id"]: f"{item['__tfmeta']['path']}.id" for item in found}
    return {
        item["__tfmeta"]["path"]: {"type": item["__tfmeta"]["label"], "values": dict(_values(item, ids))}
        for item in sorted(found, key=lambda item: item["__tfmeta"]["path"])
    }


def _values(block: dict[str, Any], ids: dict[str, str]) -> Iterator[tuple[str, Any]]:
    for name, value in block.items():
        if name not in NOT_VALUES:
            yield name, _readable(value, ids)


def _readable(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, dict):
        # A block brings marks of the parser's own, which a map of the configuration doesn't.
        return dict(_values(value, ids)) if "__tfmeta" in value else value
    if isinstance(value, list):
        return [_readable(item, ids) for item in value]
    if isinstance(value, str):
        for made_up, address in ids.items():
            value = value.replace(made_up, address)
    return value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("environment")
    parser.add_argument("folders", type=Path, nargs="*", default=[INFRA], help="other configurations")
    arguments = parser.parse_args()
    evaluated = [evaluate(arguments.environment, folder) for folder in arguments.folders]
    print(json.dumps(evaluated, indent=1, sort_keys=True))


if __name__ == "__main__":
    main()
