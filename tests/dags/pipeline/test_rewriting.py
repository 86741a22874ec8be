"""A person's rows are taken out of a file of any format; of the rest not a byte changes."""

import gzip
import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from medallion.odcs import parse_contract
from pipeline.rewriting import Person, without


def person(value: str = "7", **custom: Any) -> Person:
    properties = [{"property": name, "value": setting} for name, setting in custom.items()]
    column = {"name": "customer_id", "physicalType": "INT64", "transformSourceObjects": ["household"]}
    key = {"name": "n", "physicalType": "STRING", "primaryKey": True, "required": True}
    when = {"name": "at", "physicalType": "DATE", "required": True}
    custom_properties = [{"property": "orderBy", "value": "at"}, *properties]
    table = {"properties": [key, column, when], "customProperties": custom_properties}
    contract = parse_contract({"name": "people", "version": "1", "schema": [table]}, "people.yaml")
    return Person(contract, contract.columns[1], value)


def test_lines_of_the_person_go_and_others_stay_as_they_are() -> None:
    text = '\ufeffn,household\r\na, 7 \r\n"b",17\r\nc,007\r\nd,70'
    kept, removed = without(text.encode(), "csv", person())
    assert (kept.decode(), removed) == ('\ufeffn,household\r\n"b",17\r\nd,70', 2)


def test_a_line_that_does_not_fit_goes_if_it_names_the_person() -> None:
    kept, removed = without(b"n,household\na,1,7\nb,1,77\n", "csv", person())
    assert (kept, removed) == (b"n,household\nb,1,77\n", 1)


def test_an_odd_quote_takes_no_other_line_with_it() -> None:
    kept, removed = without(b'n,household\n"a,7\nb,8\n', "csv", person())
    assert (kept, removed) == (b"n,household\nb,8\n", 1)


def test_a_quoted_field_may_hold_line_ends() -> None:
    text = 'n;household\n"a\nb;7";8\n"c\nd";7\n'
    kept, removed = without(text.encode(), "csv", person(delimiter=";", multiline=True))
    assert (kept.decode(), removed) == ('n;household\n"a\nb;7";8\n', 1)


def test_a_later_field_may_hold_line_ends_whatever_the_delimiter() -> None:
    text = 'household;n\n8;"a\n7"\n7;"b\nc"\n'
    kept, removed = without(text.encode(), "csv", person(delimiter=";", multiline=True))
    assert (kept.decode(), removed) == ('household;n\n8;"a\n7"\n', 1)


def test_a_packed_file_is_packed_again() -> None:
    kept, removed = without(gzip.compress(b"household\n7\n8\n"), "csv", person())
    assert (gzip.decompress(kept), removed) == (b"household\n8\n", 1)


def test_a_file_of_another_encoding_keeps_it() -> None:
    text = "n,household\né,7\nü,8\n".encode("cp1252")
    kept, _ = without(text, "csv", person(encoding="windows-1252"))
    assert kept == "n,household\nü,8\n".encode("cp1252")


@pytest.mark.parametrize(
    ("line", "gone"),
    [
        ('{"household": 7}', True),
        ('{"Household": "7"}', True),
        ('{"household": 8, "n": 7}', False),
        ('{"household": 7', True),
        ("[7]", True),
        ('{"n": "7"}', False),
    ],
)
def test_json_lines(line: str, gone: bool) -> None:
    kept, removed = without(f'{line}\n{{"household": 1}}\n'.encode(), "json", person())
    assert removed == gone
    assert kept.decode().splitlines()[-1] == '{"household": 1}'


def test_parquet() -> None:
    written = io.BytesIO()
    pq.write_table(pa.table({"household": [7, 8, None], "n": ["a", "b", "c"]}), written)
    kept, removed = without(written.getvalue(), "parquet", person())
    assert removed == 1
    assert pq.read_table(io.BytesIO(kept)).to_pylist() == [
        {"household": 8, "n": "b"},
        {"household": None, "n": "c"},
    ]


def test_a_file_without_the_person_stays_as_it_is() -> None:
    data = b"n,household\r\na,8\r\n"
    assert without(data, "csv", person()) == (data, 0)
