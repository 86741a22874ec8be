"""Findings of slow checks, kept until something that they follow from has changed."""

import hashlib
import json
from collections.abc import Callable, Iterable

from local.paths import CACHE


def kept(name: str, parts: Iterable[str], find: Callable[[], Iterable[str]]) -> list[str]:
    """The lines that `find` finds, or found when the parts, texts that they follow from, were the same."""
    fingerprint = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    file = CACHE / f"{name}.json"
    found = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    if found.get("fingerprint") != fingerprint:
        found = {"fingerprint": fingerprint, "problems": list(find())}
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".partial")
        partial.write_text(json.dumps(found), encoding="utf-8")
        partial.rename(file)
    problems: list[str] = found["problems"]
    return problems
