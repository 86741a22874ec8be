"""What conf/environments/ holds, and what a wrong file is told."""

from pathlib import Path

import pytest

from medallion.documents import CONF
from medallion.environments import environment_name, load_environment
from medallion.errors import ConfigError
from tests.conftest import edit


@pytest.mark.parametrize("name", ["local", "dev", "prod"])
def test_every_environment_loads(name: str) -> None:
    environments = sorted(path.stem for path in (CONF / "environments").glob("*.yaml"))
    assert environments == ["dev", "local", "prod"]
    assert load_environment(name).spark.runner == "serverless"


def test_a_cluster_environment_names_its_cluster(conf: Path) -> None:
    edit(conf / "environments" / "local.yaml", spark={"runner": "cluster", "poll_seconds": 1})
    with pytest.raises(ConfigError, match=r"spark: expected the keys cluster"):
        load_environment("local", conf)


def test_the_environment_must_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MEDALLION_ENVIRONMENT", raising=False)
    with pytest.raises(ConfigError, match="MEDALLION_ENVIRONMENT"):
        environment_name()
