"""A person's rows are taken out of a file of any format; of the rest not a byte changes."""

import codecs
import gzip
import io
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from medallion.contracts import MAX_RECORD_LINES
from medallion.odcs import parse_contract
from pipeline.person import Person
from pipeline.rewriting import row_test, without


def person(value: str = "7", sources: Sequence[str] = ("household", "home"), **custom: Any) -> Person:
    properties = [{"property": name, "value": setting} for name, setting in custom.items()]
    column = {"name": "customer_id", "physicalType": "INT64", "transformSourceObjects": [*sources]}
    key = {"name": "n", "physicalType": "STRING", "primaryKey": True, "required": True}
    when = {"name": "at", "physicalType": "DATE", "required": True}
    custom_properties = [{"property": "orderBy", "value": "at"}, *properties]
    table = {"properties": [key, column, when], "customProperties": custom_properties}
    contract = parse_contract({"name": "people", "version": "1", "schema": [table]}, "people.yaml")
    return Person(contract, contract.columns[1], value)


def test_a_column_without_a_name_is_told_by_its_place() -> None:
    kept, removed = without(b"n,\na,7\n7,8\n", "csv", person(sources=["column_2"]))
    assert (kept, removed) == (b"n,\n7,8\n", 1)


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


@pytest.mark.parametrize("before", ["\n", "\ufeff  \r\n\n"])
def test_the_header_is_the_first_line_that_is_not_blank(before: str) -> None:
    kept, removed = without(f"{before}n,household\n7,8\n\na,7\n".encode(), "csv", person())
    assert (kept.decode(), removed) == (f"{before}n,household\n7,8\n\n", 1)


@pytest.mark.parametrize("multiline", [False, True])
def test_a_carriage_return_alone_ends_no_row(multiline: bool) -> None:
    text = "n,household\r\na\r,7\r\nb\r7,8\r\n"
    kept, removed = without(text.encode(), "csv", person(multiline=multiline))
    assert (kept.decode(), removed) == ("n,household\r\nb\r7,8\r\n", 1)


def test_a_header_that_stands_in_a_file_twice_is_no_row() -> None:
    data = b"n,household\na,8\nn,household\n"
    assert without(data, "csv", person("household")) == (data, 0)


def test_a_field_may_be_longer_than_a_reader_of_csv_takes() -> None:
    long = "x" * 200_000
    kept, removed = without(f'n,household\n{long},7\n"{long}",8\n'.encode(), "csv", person())
    assert (kept.decode(), removed) == (f'n,household\n"{long}",8\n', 1)


@pytest.mark.parametrize(
    ("row", "gone"),
    [('"a ""7""",8', False), ('"a",7', True), ('5"" 7,8', True), ('a"b"7,8', False), ('"a"7,8', True)],
)
def test_fields_are_told_as_the_job_tells_them(row: str, gone: bool) -> None:
    assert row_test("csv", "n,household", person())(row) == gone


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


@pytest.mark.parametrize("encoding", ["windows-1252", "UTF-16LE"])
def test_a_file_of_another_encoding_keeps_it(encoding: str) -> None:
    kept, removed = without("n,household\né,7\nü,8\n".encode(encoding), "csv", person(encoding=encoding))
    assert (kept, removed) == ("n,household\nü,8\n".encode(encoding), 1)


@pytest.mark.parametrize(
    ("mark", "codec"),
    [(codecs.BOM_UTF16_LE, "UTF-16LE"), (codecs.BOM_UTF16_BE, "UTF-16BE"), (b"", "UTF-16BE")],
)
def test_utf_16_keeps_its_byte_order(mark: bytes, codec: str) -> None:
    text = mark + "n,household\né,7\nü,8\n".encode(codec)
    kept, removed = without(text, "csv", person(encoding="UTF-16"))
    assert (kept, removed) == (mark + "n,household\nü,8\n".encode(codec), 1)


@pytest.mark.parametrize("encoding", ["UTF-8", "US-ASCII", "windows-1252"])
def test_a_line_that_is_not_in_the_encoding_stays_as_it_is_unless_it_names_the_person(encoding: str) -> None:
    others = b"n,household\n\x81\xe4,8\n"
    text = others + b"\x817,8\nb,7\n\xc3,7"
    assert without(text, "csv", person(encoding=encoding)) == (others, 3)


def test_a_json_line_that_is_not_in_the_encoding_goes_if_it_names_the_person() -> None:
    others = b'{"household": 8, "n": "\xe4"}\n'
    assert without(others + b'{"household": "\xa07"}\n', "json", person()) == (others, 1)


def test_a_file_whose_lines_cannot_be_told_is_no_text() -> None:
    with pytest.raises(UnicodeError, match="truncated"):
        without(b"n,household\n7,8", "csv", person(encoding="UTF-16"))


def test_a_quote_that_is_never_closed_swallows_no_more_lines_than_the_job_lets_it() -> None:
    text = "n,household\n" + 'a"\n' + "b,8\n" * MAX_RECORD_LINES + "c,7\n"
    kept, removed = without(text.encode(), "csv", person(multiline=True))
    assert (kept.decode(), removed) == (text.removesuffix("b,8\nc,7\n"), 1)


@pytest.mark.parametrize(
    ("line", "gone"),
    [
        ('{"household": 7}', True),
        ('{"Household": "7"}', True),
        ('{"household": 8, "n": 7}', False),
        ('{"household": 7', True),
        ("[7]", True),
        ('{"n": "7"}', False),
        ('{"household": null, "home": 7}', True),
        ('{"household": 8, "home": 7}', False),
        ('{"home": 7, "Household": 8}', False),
        ('{"Household": 7, "household": 8}', True),
        ('{"household": 7, "household": 8}', True),
        ('{"household": 8, "household": 8, "n": "17"}', False),
        ('{"household": null, "n": "7"}', False),
    ],
)
def test_json_lines(line: str, gone: bool) -> None:
    kept, removed = without(f'{line}\n{{"household": 1}}\n'.encode(), "json", person())
    assert removed == gone
    assert kept.decode().splitlines()[-1] == '{"household": 1}'


def test_json_lines_that_no_reader_takes_go_if_they_name_the_person() -> None:
    deep = f'{{"household": 7, "n": {"[" * 100_000}\n{{"household": 8, "n": {"[" * 100_000}\n'
    kept, removed = without(deep.encode(), "json", person())
    assert (kept.decode(), removed) == (deep[deep.index("\n") + 1 :], 1)


def test_the_first_of_json_lines_may_stand_behind_a_byte_order_mark() -> None:
    text = '\ufeff{"household": 8, "n": "7"}\r\n{"household": 7}\r\n'
    kept, removed = without(text.encode(), "json", person())
    assert (kept.decode(), removed) == ('\ufeff{"household": 8, "n": "7"}\r\n', 1)


def parquet(rows: dict[str, Any], **options: Any) -> bytes:
    written = io.BytesIO()
    pq.write_table(pa.table(rows), written, **options)
    return written.getvalue()


@pytest.mark.parametrize(("pack", "unpack"), [(bytes, bytes), (gzip.compress, gzip.decompress)])
def test_parquet(pack: Callable[[bytes], bytes], unpack: Callable[[bytes], bytes]) -> None:
    written = parquet({"household": [7, 8, None], "n": ["a", "b", "c"]})
    kept, removed = without(pack(written), "parquet", person())
    assert removed == 1
    assert pq.read_table(io.BytesIO(unpack(kept))).to_pylist() == [
        {"household": 8, "n": "b"},
        {"household": None, "n": "c"},
    ]


@pytest.mark.parametrize(
    "ids",
    [
        pa.array([7.0, 8.0, None]),
        pa.array([Decimal("7.00"), Decimal("8.00"), None]),
        pa.array([b"7", b"8", None]),
        pa.array([b"7", b"\xe4", None]).view(pa.string()),
        pa.array(["7", "8", None]).dictionary_encode(),
    ],
)
def test_a_value_of_parquet_is_the_persons_whatever_its_type(ids: pa.Array) -> None:
    kept, removed = without(parquet({"household": ids}), "parquet", person())
    assert (pq.read_metadata(io.BytesIO(kept)).num_rows, removed) == (2, 1)


def test_a_number_is_the_persons_however_it_is_written() -> None:
    kept, removed = without(b"n,household\na,7.0\nb,+7\nc,7e0\nd,7.5\ne,sNaN\n", "csv", person())
    assert (kept, removed) == (b"n,household\nd,7.5\ne,sNaN\n", 3)


@pytest.mark.parametrize(("row", "gone"), [('{"n":"7","household":8.0}', False), ('{"household":7.0}', True)])
def test_a_rejected_row_of_parquet_is_its_json(row: str, gone: bool) -> None:
    schema = '{"type":"struct","fields":[{"name":"n","type":"string"},{"name":"household","type":"double"}]}'
    assert row_test("parquet", schema, person())(row) == gone


def test_parquet_keeps_its_row_groups_and_its_compression() -> None:
    for compression in ("NONE", "ZSTD"):
        groups = parquet({"household": [7, 8, 9, 10, 7, 7]}, row_group_size=2, compression=compression)
        kept, _ = without(groups, "parquet", person())
        left, was = (pq.ParquetFile(io.BytesIO(data)).metadata for data in (kept, groups))
        assert [left.row_group(n).num_rows for n in range(left.num_row_groups)] == [1, 2]
        assert left.row_group(1).column(0).compression == was.row_group(1).column(0).compression


def test_spark_reads_what_is_left_of_parquet_that_it_wrote(spark: SparkSession, tmp_path: Path) -> None:
    moment = "'2017-01-02 03:04:05.123456'"
    spark.sql(
        f"SELECT id AS household, TIMESTAMP {moment} AS at, TIMESTAMP_NTZ {moment} AS shown,"
        f" TIMESTAMP '9000-01-01' AS far, STRUCT(TIMESTAMP {moment} AS at) AS inside, 1.5 AS price,"
        " MAP('a', ARRAY(1)) AS more, CAST(id AS TINYINT) AS tiny, X'FF' AS bytes FROM RANGE(7, 9)"
    ).coalesce(1).write.option("spark.sql.parquet.outputTimestampType", "INT96").parquet(f"{tmp_path}/was")
    (file,) = (tmp_path / "was").glob("*.parquet")
    kept, removed = without(file.read_bytes(), "parquet", person())
    (tmp_path / "left.parquet").write_bytes(kept)
    was, left = (spark.read.parquet(f"{tmp_path}/{name}") for name in ("was", "left.parquet"))
    assert (left.schema, removed) == (was.schema, 1)
    assert left.collect() == was.where("household = 8").collect()


def test_a_file_without_the_person_stays_as_it_is() -> None:
    data = gzip.compress(b"n,household\r\na,8\r\n", 1)
    assert without(data, "csv", person()) == (data, 0)
