from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from medallion.errors import MedallionError
from medallion.hadoop_files import exists, read_bytes, write_bytes


@pytest.fixture
def uri(tmp_path: Path) -> str:
    return (tmp_path / "folder" / "object").as_uri()


def test_what_is_written_is_read_back_byte_by_byte(spark: SparkSession, uri: str) -> None:
    data = bytes(range(256)) * 3
    assert not exists(spark, uri)
    write_bytes(spark, uri, data)
    assert exists(spark, uri)
    assert read_bytes(spark, uri) == data


def test_an_object_may_be_empty(spark: SparkSession, uri: str) -> None:
    write_bytes(spark, uri, b"")
    assert read_bytes(spark, uri) == b""


def test_a_path_without_a_scheme_is_local(spark: SparkSession, tmp_path: Path) -> None:
    write_bytes(spark, str(tmp_path / "object"), b"here")
    assert (tmp_path / "object").read_bytes() == b"here"


def test_writing_the_same_again_changes_nothing(spark: SparkSession, uri: str) -> None:
    write_bytes(spark, uri, b"same")
    write_bytes(spark, uri, b"same")
    assert read_bytes(spark, uri) == b"same"


def test_other_content_is_refused_and_the_first_stays(spark: SparkSession, uri: str) -> None:
    write_bytes(spark, uri, b"first")
    with pytest.raises(MedallionError, match=f"{uri}: expected no object or the same content"):
        write_bytes(spark, uri, b"second")
    assert read_bytes(spark, uri) == b"first"


def test_overwriting_replaces_the_content(spark: SparkSession, uri: str) -> None:
    write_bytes(spark, uri, b"the first")
    write_bytes(spark, uri, b"second", overwrite=True)
    assert read_bytes(spark, uri) == b"second"


def test_a_write_that_breaks_off_leaves_no_part_under_the_name(spark: SparkSession, uri: str) -> None:
    with pytest.raises(TypeError, match="string argument without an encoding"):
        write_bytes(spark, uri, "no bytes")  # type: ignore[arg-type]
    assert not exists(spark, uri)
    write_bytes(spark, uri, b"whole")
    assert read_bytes(spark, uri) == b"whole"


def test_a_written_object_is_alone_in_its_folder(spark: SparkSession, tmp_path: Path) -> None:
    write_bytes(spark, str(tmp_path / "object"), b"here")
    # Some of Hadoop's file systems keep a file's checksum beside it.
    assert {path.name for path in tmp_path.iterdir()} - {".object.crc"} == {"object"}
