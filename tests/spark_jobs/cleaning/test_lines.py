"""Every line of every file, whatever their names."""

import dataclasses

import pytest
from chispa import assert_df_equality
from pyspark.sql import SparkSession

from medallion.errors import MedallionError
from spark_jobs.cleaning.files import Inspection
from spark_jobs.cleaning.lines import read_lines
from spark_jobs.cleaning.tables import small_table
from tests.spark_jobs.conftest import Bronze, Rows


def row(number: int) -> str:
    return f"{number},2017-01-01 12:00:00,1.00,AB"


def test_names_may_hold_whatever_an_object_store_takes(rows: Rows, bronze: Bronze) -> None:
    names = ("a b.csv", "ü😀.csv", "a[1].csv", "100%.csv", "a%20b.csv", "a+b.csv", "a,b.csv", "a#b?.csv")
    names += ("{x}.csv", "*.csv", "a\\b.csv", "a&b=c;d.csv", "day=1.csv")
    files = [bronze.land_rows(name, row(number)) for number, name in enumerate(names, start=1)]
    found = rows(*files).select("file__", "id").collect()
    assert sorted(map(tuple, found)) == [(number, number + 1) for number in range(13)]


def test_folders_may_look_like_partitions(rows: Rows, bronze: Bronze) -> None:
    files = []
    for number, folder in enumerate(("day=1", "_day"), start=1):
        (bronze.folder / folder).mkdir()
        files.append(bronze.land_rows(f"{folder}/a.csv", row(number)))
    assert sorted(found["id"] for found in rows(*files).collect()) == [1, 2]


def test_a_path_may_be_written_with_its_scheme(rows: Rows, bronze: Bronze) -> None:
    plain = bronze.land_rows("a b.csv", row(1))
    file = dataclasses.replace(plain, uri=f"file://{plain.uri}")
    assert [found["id"] for found in rows(file).collect()] == [1]


def test_a_file_that_spark_would_leave_out_is_an_error(spark: SparkSession, bronze: Bronze) -> None:
    hidden = bronze.land_rows("_a.csv", row(1))
    with pytest.raises(MedallionError, match="Spark lists 0 of 1 files"):
        read_lines(spark, [(0, Inspection(hidden, hidden.uri))])


def test_the_sizes_of_lines_add_up_to_the_files(spark: SparkSession, bronze: Bronze) -> None:
    contents = ("a\r\nbb\n\n\nü\n", "\ufeffa\n", "no end")
    files = [bronze.land(f"{number}.csv", content) for number, content in enumerate(contents)]
    lines = read_lines(spark, [(number, Inspection(file, file.uri)) for number, file in enumerate(files)])
    found = {
        row["file"]: row["bytes"]
        for row in lines.groupBy("file__").agg({"size__": "sum"}).toDF("file", "bytes").collect()
    }
    assert found == {0: files[0].size, 1: files[1].size - 3, 2: files[2].size + 1}


def test_a_small_table_holds_any_text(spark: SparkSession) -> None:
    texts = ["it's", 'a "quote"', "back\\slash", "ünï\n"]
    frame = small_table(spark, list(enumerate(texts)), "number INT, text STRING")
    expected = spark.createDataFrame(list(enumerate(texts)), "number INT, text STRING")
    assert_df_equality(frame, expected, ignore_nullable=True)
