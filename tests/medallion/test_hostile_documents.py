"""Whatever stands in a product or contract file: a sound object, or an error that says what is wrong."""

import copy
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from medallion.documents import CONF
from medallion.errors import MedallionError
from medallion.odcs import load_contract, parse_contract
from medallion.product_checks import require_sound
from medallion.products import load_product
from tests.fuzzing import fuzzed

PRODUCT = yaml.safe_load((CONF / "products" / "sales.yaml").read_text())
CONTRACT = yaml.safe_load((CONF / "contracts" / "sales.yaml").read_text())
HOSTILE = st.sampled_from(
    [
        *(
            "'; DROP TABLE silver.sales; --",
            "`x`",
            "{{ var.value.secret }}",
            "{% for a in b %}",
            "../../etc/passwd",
        ),
        *("<script>alert(1)</script>", "=1+1", "\n", "\0", "\u2028", "a" * 10_000, "__proto__", "${x}", "%s"),
        *(-1, 0, 2**63, 1e308, True, None, [], {}, [[]], {"a": {}}),
    ]
)
VALUES = st.recursive(
    HOSTILE | st.text(max_size=20) | st.integers() | st.floats(allow_nan=True) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
SECONDS = 5


@pytest.fixture(scope="module")
def conf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    conf = tmp_path_factory.mktemp("fuzz") / "conf"
    shutil.copytree(CONF, conf)
    return conf


def read_product(conf: Path) -> None:
    require_sound(load_product("sales", conf), conf)


def read_contract(conf: Path) -> None:
    parse_contract(load_contract("sales", conf), "sales.yaml")


READERS = {"products": read_product, "contracts": read_contract}
Reader = Callable[[Path], None]


def ends_well(conf: Path, kind: str, content: bytes) -> bool:
    """Whether a file is read; an error has to be one that is meant for people, and to come soon."""
    (conf / kind / "sales.yaml").write_bytes(content)
    started = time.monotonic()
    try:
        READERS[kind](conf)
    except MedallionError as error:
        assert len(str(error)) < 100_000
        return False
    finally:
        assert time.monotonic() - started < SECONDS
    return True


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something stands in a document."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*path, key))


def changed(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    document = copy.deepcopy(document)
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return document


@pytest.mark.parametrize(("kind", "sound"), [("products", PRODUCT), ("contracts", CONTRACT)])
def test_a_sound_document_with_anything_in_it_anywhere(conf: Path, kind: str, sound: Any) -> None:
    where = st.sampled_from(list(places(sound)))

    @fuzzed
    @given(st.lists(st.tuples(where, VALUES), min_size=1, max_size=2))
    def holds(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
        document = sound
        for path, value in changes:
            try:
                document = changed(document, path, value)
            except (KeyError, IndexError, TypeError):
                continue  # the first change took the place of the second away
        ends_well(conf, kind, yaml.safe_dump(document, allow_unicode=True).encode("utf-8", "surrogatepass"))

    assert ends_well(conf, kind, yaml.safe_dump(sound).encode())
    holds()


@pytest.mark.parametrize("kind", READERS)
def test_any_bytes(conf: Path, kind: str) -> None:
    tokens = st.sampled_from(
        [
            "- ",
            "a: ",
            "? ",
            "[",
            "]",
            "{",
            "}",
            "&a ",
            "*a",
            "!!int ",
            "!!timestamp ",
            "2026-13-45",
            "\n",
            "  ",
            "'",
            '"',
            "<<: ",
            "0x",
        ]
    )

    @fuzzed
    @given(st.binary(max_size=200) | st.lists(tokens, max_size=60).map(lambda parts: "".join(parts).encode()))
    def holds(content: bytes) -> None:
        assert not ends_well(conf, kind, content)

    holds()


BOMB = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize(
    ("content", "told"),
    [
        (BOMB, "with each alias spelt out"),
        ("&a [*a]", "with each alias spelt out"),
        ("{a: " * 3000 + "}" * 3000, "levels deep"),
        ("[" * 20_000, "expected one YAML document"),
        ("name: 2026-13-45", "month must be in 1..12"),
        ("name: " + "9" * 5000, "expected one YAML document"),
        ("name: 0x" + "f" * 5000, "expected integers of 64 bits"),
        ("name: !!float x", "could not convert string to float"),
        ("name: .nan", "expected finite numbers"),
        ("1: a", "expected keys that are texts"),
        ("!!set {a}", "expected no sets"),
    ],
    ids=lambda text: text[:20],
)
def test_what_was_found(conf: Path, kind: str, content: str, told: str) -> None:
    (conf / kind / "sales.yaml").write_text(content)
    with pytest.raises(MedallionError, match=told):
        READERS[kind](conf)


@pytest.mark.parametrize("name", ["a b", "a`; DROP TABLE x; --", "naïve", "", "a.b", "a-b", "1a", "x\n"])
def test_a_columns_name_cannot_end_the_sql_that_it_is_part_of(name: str) -> None:
    document = changed(CONTRACT, ("schema", 0, "properties", 5, "name"), name)
    with pytest.raises(MedallionError, match="expected letters of ASCII, digits and _"):
        parse_contract(document, "sales.yaml")


@pytest.mark.parametrize("name", ["sales\n", "\nsales", "", "1a", "../sales", "x" * 129])
def test_a_contract_has_a_name_that_needs_no_quotes(name: str) -> None:
    with pytest.raises(MedallionError, match=r"sales\.yaml: name: expected letters of ASCII"):
        parse_contract(changed(CONTRACT, ("name",), name), "sales.yaml")


@pytest.mark.parametrize("address", ["{{var.value.secret}}@example.com", "{%x%}@example.com"])
def test_an_address_cannot_be_a_template(conf: Path, address: str) -> None:
    document = changed(PRODUCT, ("notify", "on_failure", "email", 0), address)
    (conf / "products" / "sales.yaml").write_text(yaml.safe_dump(document))
    with pytest.raises(MedallionError, match=r"notify\.on_failure\.email\.0: expected pattern"):
        load_product("sales", conf)
