"""The tables of measurements."""

from bench.cleaning.report import Measurement, Scale, lines, markdown

MACHINE = {"cpu": "CPU", "cores": 2, "memory_gib": 24, "system": "Linux", "python": "3.11", "java": "17"}
SCALE = Scale(
    1,
    12,
    6_000,
    2_000_000,
    (
        Measurement("copy", "bare copy", 2.0, 2**30, {"pyspark": "3.5.8"}, "every row"),
        Measurement("clean", "our job", 4.0, 2**31, {"pyspark": "3.5.8"}, "as expected"),
        Measurement("velox", "native", failure="velox: no such library"),
        Measurement("copy", "bare copy", 1.0, 2**30, {"pyspark": "3.5.8"}, "every row"),
        Measurement("clean", "our job", 3.0, 2**30, {"pyspark": "3.5.8"}, "as expected"),
        Measurement("copy", "bare copy", 6.0, 2**30, {"pyspark": "3.5.8"}, "every row"),
        Measurement("clean", "our job", 5.0, 2**30, {"pyspark": "3.5.8"}, "as expected"),
    ),
)


def test_a_line_is_a_median_with_its_range_and_the_most_memory() -> None:
    assert list(lines(SCALE))[:2] == [
        ("copy: bare copy", "2.0", "1.0 to 6.0", "1.00", "3,000", "1.0 GiB", "every row"),
        ("clean: our job", "4.0", "3.0 to 5.0", "2.00", "1,500", "2.0 GiB", "as expected"),
    ]


def test_what_can_not_run_says_so_in_its_line() -> None:
    assert list(lines(SCALE))[2] == ("velox: native", "did not run", "", "", "", "", "velox: no such library")


def test_markdown_names_the_machine_and_each_version_once() -> None:
    text = markdown([SCALE, SCALE], MACHINE)
    assert text.count("### 1x: 6,000 rows in 12 files, 2 MB of CSV\n\n| Contender | Seconds |") == 2
    assert text.endswith("CPU, 2 cores, 24 GiB; Linux; Python 3.11; 17; pyspark 3.5.8.\n")
