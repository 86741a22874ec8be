"""CSV in all its shapes: delimiters, quotes, line ends, encodings, layouts."""

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from chispa import assert_df_equality
from pyspark.sql import SparkSession

from medallion.contracts import Contract
from tests.spark_jobs.conftest import HEADER, ROW, Bronze, Rows, broken, changed


def texts(document: dict[str, Any]) -> dict[str, Any]:
    """The contract with a code that may be any text."""
    return changed(document, "code", logicalTypeOptions={})


def codes(rows: Rows, *files: Any, **parts: Any) -> list[str]:
    return [row["code"] for row in rows(*files, **parts).orderBy("id").collect()]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ('"A,B"', "A,B"),
        ('"A""B"', 'A"B'),
        ('""""', '"'),
        ('""', None),
        ('5" pipe', '5" pipe'),
        ('A "B" C', 'A "B" C'),
        ('TV 55"', 'TV 55"'),
        ('"TV 55"""', 'TV 55"'),
        ("it's", "it's"),
        ('"  A  "', "A"),
    ],
)
def test_a_field_is_what_its_quotes_say(
    rows: Rows, bronze: Bronze, document: dict[str, Any], field: str, value: str | None
) -> None:
    file = bronze.land_rows("a.csv", f"1,2017-01-01 12:00:00,1.00,{field}")
    assert codes(rows, file, document=texts(document)) == [value]


@pytest.mark.parametrize(
    "line",
    [
        "1,2017-01-01 12:00:00",
        "1,2017-01-01 12:00:00,1.00,AB,more",
        '1,2017-01-01 12:00:00,1.00,"AB',
        '1,2017-01-01 12:00:00,1.00,"AB"C',
        '1,"2017-01-01 12:00:00,1.00,AB',
        "garbage",
        pytest.param("," * 30_000, id="many fields"),
        pytest.param('"' * 30_001, id="many quotes"),
        pytest.param('"a",' * 20_000, id="many quoted fields"),
    ],
)
def test_a_line_of_another_shape_is_rejected_for_that_alone(rows: Rows, bronze: Bronze, line: str) -> None:
    found = rows(bronze.land_rows("a.csv", line))
    assert broken(found) == [[("", "shape", line[:200])]]
    assert found.first()["raw"] == line


@pytest.mark.parametrize("delimiter", [";", "\t", "|", "^", "\\", "."])
def test_the_contract_names_the_delimiter(
    rows: Rows, bronze: Bronze, document: dict[str, Any], delimiter: str
) -> None:
    document = changed(texts(document), custom={"delimiter": delimiter})
    fields = ("1", "2017-01-01 12:00:00", "1", f'"A{delimiter}B"')
    file = bronze.land_rows("a.csv", delimiter.join(fields), header=HEADER.replace(",", delimiter))
    assert codes(rows, file, document=document) == [f"A{delimiter}B"]


def test_header_lines_and_blank_lines_are_no_rows(rows: Rows, bronze: Bronze) -> None:
    file = bronze.land_rows("a.csv", ROW, HEADER, "", "   ", header=HEADER)
    assert [row["id"] for row in rows(file).collect()] == [1]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_ends_of_both_worlds_will_do(rows: Rows, bronze: Bronze, end: str) -> None:
    lines = (HEADER, "1,2017-01-01 12:00:00,1.00,AB", "2,2017-01-01 12:00:00,1.00,AC", "")
    assert codes(rows, bronze.land("a.csv", end.join(lines))) == ["AB", "AC"]


def test_a_byte_order_mark_does_not_make_the_header_a_row(rows: Rows, bronze: Bronze) -> None:
    assert codes(rows, bronze.land("a.csv", f"\ufeff{HEADER}\n{ROW}\n")) == ["AB"]


def test_the_order_of_columns_makes_no_difference(rows: Rows, bronze: Bronze, contract: Contract) -> None:
    one = bronze.land_rows("a.csv", ROW)
    other = bronze.land_rows("b.csv", "x,AB,1.00,2017-01-01 12:00:00,1", header="y,CODE,Amount,changed_at,id")
    names = [column.name for column in contract.columns]
    assert_df_equality(rows(one).select(*names, "row_hash"), rows(other).select(*names, "row_hash"))


def test_files_of_different_layouts_are_read_together(rows: Rows, bronze: Bronze) -> None:
    one = bronze.land_rows("a.csv", ROW)
    other = bronze.land_rows("b.csv", "CD,2.00,2017-01-01 12:00:00,2", header="code,amount,changed_at,id")
    found = rows(one, other).select("file__", "id", "code", "status").collect()
    assert sorted(map(tuple, found)) == [(0, 1, "AB", "valid"), (1, 2, "CD", "valid")]


def test_a_line_that_is_not_utf_8_is_rejected_with_its_text_made_readable(rows: Rows, bronze: Bronze) -> None:
    content = f"{HEADER}\n{f'{ROW}{chr(10)}' * 200}".encode() + b"2,2017-01-01 12:00:00,1.00,\xe9A\n"
    found = rows(bronze.land("a.csv", content)).where("status = 'rejected'")
    line = "2,2017-01-01 12:00:00,1.00,\ufffdA"
    assert (broken(found), found.first()["raw"]) == ([[("", "encoding", line)]], line)


@pytest.mark.parametrize("encoding", ["ISO-8859-1", "windows-1252", "UTF-16", "UTF-16LE", "UTF-16BE"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_declared_encoding_is_read(
    rows: Rows, bronze: Bronze, document: dict[str, Any], encoding: str, packed: bool
) -> None:
    document = changed(texts(document), custom={"encoding": encoding})
    content = f"{HEADER}\n1,2017-01-01 12:00:00,1.00,Zoë €\n".replace("€", "" if "8859" in encoding else "€")
    data = content.encode(encoding)
    file = bronze.land("a.csv.gz", gzip.compress(data)) if packed else bronze.land("a.csv", data)
    assert codes(rows, file, document=document) == [content.splitlines()[1].rpartition(",")[2].strip()]


MULTILINE = 'A\nB, "C"\r\n\r\nD'


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_quoted_field_may_go_over_several_lines_where_declared(
    rows: Rows, bronze: Bronze, document: dict[str, Any], end: str
) -> None:
    document = changed(texts(document), custom={"multiline": True})
    quoted = '"' + MULTILINE.replace('"', '""') + '"'
    lines = (HEADER, "1,2017-01-01 12:00:00,1.00,A", f"2,2017-01-01 12:00:00,1.00,{quoted}")
    file = bronze.land("a.csv", end.join((*lines, "3,2017-01-01 12:00:00,1.00,Z", "")))
    assert codes(rows, file, document=document) == ["A", MULTILINE, "Z"]


def test_a_record_of_several_lines_keeps_its_raw_text(
    rows: Rows, bronze: Bronze, document: dict[str, Any]
) -> None:
    document = changed(texts(document), custom={"multiline": True})
    record = '2,yesterday,1.00,"A\nB"'
    found = rows(bronze.land_rows("a.csv", ROW, record), document=document).where("status = 'rejected'")
    assert (found.first()["raw"], broken(found)) == (record, [[("changed_at", "type", "yesterday")]])


def test_a_quote_that_is_never_closed_is_rejected_and_loses_no_line(
    rows: Rows, bronze: Bronze, document: dict[str, Any]
) -> None:
    document = changed(texts(document), custom={"multiline": True})
    rest = [f"{number},2017-01-01 12:00:00,1.00,B" for number in range(3, 2503)]
    found = rows(bronze.land_rows("a.csv", ROW, '2,x,1.00,"A', *rest), document=document)
    rejected = found.where("status = 'rejected'").collect()
    assert found.where("status = 'valid'").count() == 1
    assert sorted(line for row in rejected for line in row["raw"].split("\n")) == sorted(
        ['2,x,1.00,"A', *rest]
    )


def test_without_the_declaration_such_lines_are_rejected_one_by_one(rows: Rows, bronze: Bronze) -> None:
    found = rows(bronze.land_rows("a.csv", '1,2017-01-01 12:00:00,1.00,"A', 'B"'))
    assert [row["status"] for row in found.collect()] == ["rejected", "rejected"]


def test_an_absent_optional_column_is_null(rows: Rows, bronze: Bronze) -> None:
    file = bronze.land_rows("a.csv", "1,2017-01-01 12:00:00,1.00", header="number,changed_at,amount")
    (row,) = rows(file).collect()
    assert (row["status"], row["code"]) == ("valid", None)


def test_new_columns_are_kept_where_the_contract_evolves(
    rows: Rows, bronze: Bronze, document: dict[str, Any], spark: SparkSession
) -> None:
    file = bronze.land_rows("a.csv", f"{ROW},gold,NA,7", header=f"{HEADER},Loyalty Tier,Empty,status")
    evolved = rows(file, document=changed(document, custom={"newColumns": "evolve"})).first()
    assert evolved["extra"] == '{"loyalty_tier":"gold","status_":"7"}'
    ignored = rows(file).first()
    assert (ignored["extra"], ignored["status"]) == (None, "valid")


@pytest.mark.parametrize(
    ("header", "line", "extra"),
    [
        (f",{HEADER}", f"7,{ROW}", '{"column_1":"7"}'),  # as programs write the number of a row
        (f"{HEADER},,", f"{ROW},7,8", '{"column_5":"7","column_6":"8"}'),
    ],
)
def test_a_column_without_a_name_has_that_of_its_place(
    rows: Rows, bronze: Bronze, document: dict[str, Any], header: str, line: str, extra: str
) -> None:
    file = bronze.land_rows("a.csv", line, header=header)
    evolved = rows(file, document=changed(document, custom={"newColumns": "evolve"})).first()
    assert (evolved["status"], evolved["id"], evolved["extra"]) == ("valid", 1, extra)


@pytest.mark.parametrize("is_utf8", [False, True])
def test_only_a_row_that_was_not_utf8_is_not_replayed(
    rows: Rows, bronze: Bronze, document: dict[str, Any], tmp_path: Path, is_utf8: bool
) -> None:
    known = replace(bronze.land_rows("a.csv", ROW), format="csv", header=HEADER)
    raw = "1,2017-01-01 12:00:00,1.00,Zo\ufffd"  # which may be what stood there
    rejected = tmp_path / "rejected.jsonl"
    rejected.write_text(json.dumps({"file": 0, "raw": raw, "is_utf8": is_utf8}) + "\n")
    found = rows(known, document=texts(document), replay=str(rejected))
    assert broken(found) == ([] if is_utf8 else [[("", "encoding", raw)]])
    assert found.count() == 1
