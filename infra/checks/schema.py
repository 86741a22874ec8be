"""The Google provider's schema, read from the package that the Terraform CDK makes of it.

The package is generated from the provider, attribute by attribute, and comes from PyPI, which doesn't have
the provider itself. It doesn't tell which values an attribute takes, nor which attributes exclude each other.
"""

import base64
import json
import re
import tarfile
from collections.abc import Iterable, Iterator
from importlib.metadata import distribution, version
from pathlib import Path
from typing import Any

PACKAGE = "cdktn-provider-google"
# The package's numbers are its own; this is the provider's version that 19.10 was made from.
PROVIDER_VERSION = "7.41.0"

Block = dict[str, Any]  # attributes and block_types, as `terraform providers schema -json` names them

ENTRY = re.compile(
    r"^ +(?P<name>\w+): \{\s+value: (?P<value>.*),\s+isBlock: (?P<block>true|false),\s+"
    r'type: "(?P<nesting>\w+)",\s+storageClassType: "(?P<storage>\w+)",',
    re.MULTILINE,
)
FLAGS = re.compile(
    r"^ +// (?P<name>\w+) - computed: (?P<computed>\w+), "
    r"optional: (?P<optional>\w+), required: (?P<required>\w+)$",
    re.MULTILINE,
)
WRITER = re.compile(r"^export function (\w+)ToHclTerraform\(", re.MULTILINE)
CLASS = re.compile(r"^export class (\w+) extends cdktn\.(\w+) \{$", re.MULTILINE)
SIMPLE = {"string": "string", "number": "number", "boolean": "bool"}


def provider_schema(names: Iterable[str], cache: Path) -> dict[str, Block]:
    """Schema of the provider ("provider") and of resources and data sources ("google_x", "data.google_x").

    Raises KeyError for a name that the provider doesn't know.
    """
    wanted = sorted({"provider", *names})
    kept = cache / f"google-schema-{version(PACKAGE)}.json"
    known: dict[str, Block] = json.loads(kept.read_text()) if kept.exists() else {}
    if missing := [name for name in wanted if name not in known]:
        known |= _read(missing)
        cache.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(known))
    return {name: known[name] for name in wanted}


def _read(names: list[str]) -> dict[str, Block]:
    folders = {f"package/lib/{_folder(name)}/index.js": name for name in names}
    found = {}
    folder = Path(str(distribution(PACKAGE).locate_file("cdktn_provider_google/_jsii")))
    (archive,) = folder.glob("*.tgz")
    with tarfile.open(archive, "r|gz") as members:
        for member in members:
            if (name := folders.get(member.name)) and (content := members.extractfile(member)):
                found[name] = parse(content.read().decode())
                if len(found) == len(names):
                    break
    if unknown := sorted(set(names) - set(found)):
        raise KeyError(f"the Google provider {PROVIDER_VERSION} has no {', '.join(unknown)}")
    return found


def _folder(name: str) -> str:
    """google_storage_bucket lies in storage-bucket, data.google_project in data-google-project."""
    if name.startswith("data."):
        return name.replace(".", "-").replace("_", "-")
    return name.removeprefix("google_").replace("_", "-")


def parse(script: str) -> Block:
    """The schema that a script of the package was generated from.

    Its source map holds the TypeScript that it was made of, with what the compiler leaves out.
    """
    encoded = script.rpartition("sourceMappingURL=data:application/json;base64,")[2]
    (module,) = json.loads(base64.b64decode(encoded))["sourcesContent"]
    flags = {name: dict(_flags(text)) for name, text in _parts(CLASS, module)}
    writers = dict(_parts(WRITER, module))

    def block(entries: str, own: dict[str, Block]) -> Block:
        result: Block = {"attributes": dict(own), "block_types": {}}
        for entry in ENTRY.finditer(entries.partition("// remove undefined attributes")[0]):
            if entry["block"] == "true":
                (inner,) = re.findall(r"(?<!cdktn\.)\b(\w+)ToHclTerraform", entry["value"])
                owner = inner[0].upper() + inner[1:] + "OutputReference"
                result["attributes"].pop(entry["name"], None)
                result["block_types"][entry["name"]] = {
                    "nesting": {"struct": "single"}.get(entry["nesting"], entry["nesting"]),
                    "single": "listMapperHcl" not in entry["value"],
                    "required": own.get(entry["name"], {}).get("required", False),
                    "block": block(writers[inner], flags.get(owner, {})),
                }
            elif entry["name"] in own:
                result["attributes"][entry["name"]] = {**own[entry["name"]], "type": _type(entry)}
        return result

    resource = next(
        name
        for name, base in CLASS.findall(module)
        if base in ("TerraformResource", "TerraformDataSource", "TerraformProvider")
    )
    main = module[module.index(f"class {resource} extends") :]
    return block(main[main.index("synthesizeHclAttributes") :], flags[resource])


def _parts(pattern: re.Pattern[str], module: str) -> Iterator[tuple[str, str]]:
    """A module cut up at the lines that a pattern finds, by what its first group names."""
    starts = list(pattern.finditer(module))
    ends = [start.start() for start in starts[1:]] + [len(module)]
    for start, end in zip(starts, ends, strict=False):  # without a start, the only end is of no use
        yield start[1], module[start.start() : end]


def _flags(text: str) -> Iterator[tuple[str, Block]]:
    for found in FLAGS.finditer(text):
        flag = {key: found[key] == "true" for key in ("computed", "optional", "required")}
        yield found["name"], {"type": "dynamic", **flag}


def _type(entry: re.Match[str]) -> Any:
    storage = entry["storage"]
    if entry["nesting"] == "simple":
        return SIMPLE[storage]
    element = next((kind for name, kind in SIMPLE.items() if storage.lower().startswith(name)), "dynamic")
    return "dynamic" if element == "dynamic" else [entry["nesting"], element]
