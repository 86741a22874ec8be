"""Patterns of JSON Schemas mean what JSON Schema says, and not what Python would make of them."""

import json
from pathlib import Path

import pytest

from medallion.documents import validate
from medallion.errors import ConfigError


@pytest.mark.parametrize(
    ("pattern", "text", "other"),
    [
        ("^a$", "a", "ab"),
        (r"^a\$", "a$b", "ab"),
        ("^[$]", "$b", "b"),
        (r"^a$|^\$b", "$bc", "ab"),
        (r"^[\]$]a$", "$a", "ba"),
    ],
)
def test_a_text_is_as_the_pattern_has_it(tmp_path: Path, pattern: str, text: str, other: str) -> None:
    (tmp_path / "schema.json").write_text(json.dumps({"pattern": pattern}))
    validate(text, tmp_path / "schema.json", "file")
    with pytest.raises(ConfigError, match=rf"expected pattern .*, got '{other}'"):
        validate(other, tmp_path / "schema.json", "file")


@pytest.mark.parametrize("pattern", ["^a$", "^(b|a$)", "^[$a]$", r"^\$?a$"])
def test_no_newline_follows_what_ends_a_text(tmp_path: Path, pattern: str) -> None:
    (tmp_path / "schema.json").write_text(json.dumps({"pattern": pattern}))
    validate("a", tmp_path / "schema.json", "file")
    with pytest.raises(ConfigError, match=r"expected pattern .*, got 'a\\n'"):
        validate("a\n", tmp_path / "schema.json", "file")
