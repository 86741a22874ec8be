"""Holds an evaluated configuration to the provider's schema: its attributes, its blocks, what is required."""

from collections.abc import Iterator
from typing import Any

from infra.checks.evaluate import Resource
from infra.checks.schema import PROVIDER_VERSION, Block

# Terraform's own, in every resource.
META = ("lifecycle", "provider", "provisioner", "connection")


def misfits(resources: dict[str, Resource], schemas: dict[str, Block]) -> Iterator[str]:
    """A line for each attribute or block that the provider doesn't know, or misses."""
    for address, resource in resources.items():
        values = {name: value for name, value in resource["values"].items() if name not in META}
        for problem in _misfits(values, schemas[resource["type"]]):
            yield f"{address}: {problem} in provider {PROVIDER_VERSION}"


def _misfits(values: dict[str, Any], block: Block) -> Iterator[str]:
    settable = {name for name, flags in block["attributes"].items() if flags["required"] or flags["optional"]}
    for name in sorted(set(values) - settable - set(block["block_types"])):
        yield f"{name} is no argument"
    required = {name for name, flags in block["attributes"].items() if flags["required"]}
    required |= {name for name, child in block["block_types"].items() if child["required"]}
    for name in sorted(required - set(values)):
        yield f"{name} is required"
    for name, child in block["block_types"].items():
        given = values.get(name, [])
        for item in given if isinstance(given, list) else [given]:
            for problem in _misfits(item, child["block"]):
                yield f"{name}.{problem}"
