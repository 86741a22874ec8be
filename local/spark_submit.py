"""The `spark-submit` of one job, with `gs://` on a plain folder by configuration alone."""

import importlib.util
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from google.cloud import dataproc_v1 as dataproc

from local.java import shared_classes

# What sizes or places a job in the cloud; on a laptop the laptop decides.
CLOUD_ONLY = (
    "spark.dataproc.",
    "spark.driver.cores",
    "spark.driver.memory",
    "spark.dynamicAllocation.",
    "spark.executor.",
    "spark.hadoop.fs.gs.",
    "spark.master",
    "spark.submit.deployMode",
    "spark.yarn.",
)

SparkConfig = dataproc.PySparkJob | dataproc.SparkJob | dataproc.PySparkBatch | dataproc.SparkBatch


@dataclass(frozen=True)
class Settings:
    """The laptop's share: where the buckets are, and how much Spark may take."""

    root: Path
    staging_bucket: str
    driver_memory: str = "2g"
    slots: int = 2
    conf: Mapping[str, str] = field(default_factory=dict)

    def local_path(self, uri: str) -> str:
        """The file of a `gs://` URI; any other URI is Spark's own affair."""
        return f"{self.root}/{uri.removeprefix('gs://')}" if uri.startswith("gs://") else uri


@dataclass(frozen=True)
class Application:
    """What a job or a batch asks Spark to run; everything but the arguments by URI."""

    main: str
    main_class: str = ""
    args: tuple[str, ...] = ()
    properties: Mapping[str, str] = field(default_factory=dict)
    python_files: tuple[str, ...] = ()
    jars: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    archives: tuple[str, ...] = ()

    @classmethod
    def of(cls, config: SparkConfig, properties: Mapping[str, str]) -> "Application":
        if isinstance(config, dataproc.PySparkJob | dataproc.PySparkBatch):
            main, main_class = config.main_python_file_uri, ""
            python_files = tuple(config.python_file_uris)
        else:
            # A class without a jar of its own is found in `jars`; this is Spark's name for "no resource".
            main, main_class = config.main_jar_file_uri or "spark-internal", config.main_class
            python_files = ()
        return cls(
            main=main,
            main_class=main_class,
            args=tuple(config.args),
            properties=dict(properties),
            python_files=python_files,
            jars=tuple(config.jar_file_uris),
            files=tuple(config.file_uris),
            archives=tuple(config.archive_uris),
        )

    def missing(self, settings: Settings) -> list[str]:
        """The `gs://` URIs that no object answers to; an archive's `#alias` is not part of its name."""
        uris = [self.main, *self.python_files, *self.jars, *self.files]
        uris += [archive.partition("#")[0] for archive in self.archives]
        return [
            uri for uri in uris if uri.startswith("gs://") and not Path(settings.local_path(uri)).is_file()
        ]

    def command(self, settings: Settings, name: str) -> list[str]:
        # Not resolved: through its link in a virtual environment, Python finds that environment's packages.
        command = [str(Path(sys.executable).with_name("spark-submit"))]
        for key, value in self._conf(settings, name).items():
            command += ["--conf", f"{key}={value}"]
        command += ["--class", self.main_class] if self.main_class else []
        for option, uris in self._resources():
            command += [option, ",".join(map(settings.local_path, uris))] if uris else []
        return [*command, settings.local_path(self.main), *self.args]

    def _resources(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        yield "--py-files", self.python_files
        yield "--jars", self.jars
        yield "--files", self.files
        yield "--archives", self.archives

    def _conf(self, settings: Settings, name: str) -> dict[str, str]:
        """The laptop's settings, then the job's own, which win where they mean anything here."""
        asked = {key: value for key, value in self.properties.items() if not key.startswith(CLOUD_ONLY)}
        defaults = {
            "spark.app.name": name,
            "spark.master": "local[2]",
            "spark.driver.memory": settings.driver_memory,
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
            "spark.ui.enabled": "false",
            **shared_classes(),
        }
        return {**defaults, **settings.conf, **asked, **file_systems(settings.root)}


def environment(work_folder: str) -> dict[str, str]:
    """The Spark of the running interpreter, and of our own code only what the job brings, as in the cloud."""
    foreign = ("SPARK_", "PYSPARK_", "PYTHONPATH")
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}
    spark = importlib.util.find_spec("pyspark")
    if spark is None or not spark.submodule_search_locations:
        raise FileNotFoundError(f"no pyspark beside {sys.executable}")
    return inherited | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "PYSPARK_PYTHON": sys.executable,
        # Given, because the script that would look for it cannot start a Python in a folder with spaces.
        "SPARK_HOME": spark.submodule_search_locations[0],
        "SPARK_LOCAL_DIRS": work_folder,
    }


def file_systems(root: Path) -> dict[str, str]:
    """One mount a bucket; dot folders are none."""
    mounts = {
        f"spark.hadoop.fs.viewfs.mounttable.{bucket.name}.linkFallback": bucket.as_uri()
        for bucket in sorted(root.iterdir())
        if bucket.is_dir() and not bucket.name.startswith(".")
    }
    return mounts | {
        "spark.hadoop.fs.gs.impl": "org.apache.hadoop.fs.viewfs.ViewFileSystemOverloadScheme",
        # What a bucket without a mount falls to: an error that names it. On a local file system instead,
        # `gs://typo/home` would be the disk's own `/home`.
        "spark.hadoop.fs.viewfs.overload.scheme.target.gs.impl": "org.apache.hadoop.fs.viewfs.ViewFileSystem",
        # Unlike the default for `file`, it leaves no checksum files among the objects.
        "spark.hadoop.fs.file.impl": "org.apache.hadoop.fs.RawLocalFileSystem",
    }
