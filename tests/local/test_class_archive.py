"""The archive of Spark's classes that `make setup` makes."""

import subprocess
from pathlib import Path

import pytest

from local import class_archive
from local.java import ARCHIVE, java_home, takes_archive
from local.spark_submit import Application, Settings, environment


@pytest.mark.skipif(not takes_archive(ARCHIVE), reason="Java 17 knows no archive in a folder with a space")
def test_spark_starts_with_the_classes_of_the_archive(tmp_path: Path) -> None:
    (tmp_path / "job.py").write_text(
        "from pyspark.sql import SparkSession\nSparkSession.builder.getOrCreate()\n"
    )
    log = tmp_path / "classes.log"
    conf = {"spark.driver.extraJavaOptions": f"-Xlog:class+load=info:file={log}"}
    command = Application(str(tmp_path / "job.py")).command(Settings(tmp_path, "", conf=conf), "job")
    settings = environment(str(tmp_path)) | {"JAVA_HOME": str(java_home())}
    subprocess.run(command, env=settings, capture_output=True, check=True)
    (context,) = (line for line in log.read_text().splitlines() if "org.apache.spark.SparkContext " in line)
    told = f"{ARCHIVE} is {'of another Java or other jars' if ARCHIVE.exists() else 'not there'}"
    assert "shared objects file (top)" in context, f"{told}. Next: python -m local.class_archive"


def test_without_an_archive_setup_goes_on_and_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'Unrecognized option: '$1 >&2\nexit 1\n")
    java.chmod(0o700)
    monkeypatch.setattr(class_archive, "java_home", lambda: tmp_path)
    monkeypatch.setattr(class_archive, "ARCHIVE", tmp_path / "spark.jsa")
    assert class_archive.main() == 0
    assert "Spark will start slower: Unrecognized option: -Xshare:dump" in caplog.text


@pytest.mark.parametrize("name", ["two words", "größe", "100%"])
def test_none_is_made_where_java_would_not_take_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    monkeypatch.setattr(class_archive, "ARCHIVE", tmp_path / name / "spark.jsa")
    assert class_archive.main() == 0
    assert "Spark will start slower: Java 17 knows none in a folder" in caplog.text
    assert name in caplog.text
