"""What conf/ holds, and what a wrong file is told."""

import shutil
from pathlib import Path

import pytest
import yaml

from medallion.config import (
    CONF,
    environment_name,
    load_environment,
    load_model,
    load_product,
    model_names,
    product_names,
)
from medallion.errors import ConfigError


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    shutil.copytree(CONF, tmp_path / "conf")
    return tmp_path / "conf"


def edit(file: Path, **changes: object) -> None:
    file.write_text(yaml.safe_dump({**yaml.safe_load(file.read_text()), **changes}))


def test_every_product_loads() -> None:
    assert product_names() == ("bike_stations", "customer_transactions", "sales", "weather")
    assert load_product("customer_transactions").partition_by == "order_date"


def test_every_model_loads() -> None:
    assert model_names() == ("customer_churn",)
    assert load_model("customer_churn").snapshots["spacing_days"] == 7


def test_an_address_that_a_model_tells_is_no_template(conf: Path) -> None:
    notify = {"on_failure": {"email": ["{{name}}@example.com"]}}
    edit(conf / "models" / "customer_churn.yaml", notify=notify)
    with pytest.raises(ConfigError, match=r"notify\.on_failure\.email\.0: expected pattern .* got '{{name"):
        load_model("customer_churn", conf)


@pytest.mark.parametrize("name", ["local", "dev", "prod"])
def test_every_environment_loads(name: str) -> None:
    environments = sorted(path.stem for path in (CONF / "environments").glob("*.yaml"))
    assert environments == ["dev", "local", "prod"]
    assert load_environment(name).spark.runner == "serverless"


def test_an_unknown_key_is_named_with_what_was_expected(conf: Path) -> None:
    edit(conf / "products" / "customer_transactions.yaml", colour="red")
    with pytest.raises(
        ConfigError, match=r"customer_transactions.yaml: .*expected only the keys name, .*colour"
    ):
        load_product("customer_transactions", conf)


def test_a_wrong_value_is_named_by_its_path(conf: Path) -> None:
    edit(conf / "products" / "customer_transactions.yaml", audit={"max_rejected_ratio": 2})
    with pytest.raises(ConfigError, match=r"audit.max_rejected_ratio: expected maximum 1, got 2"):
        load_product("customer_transactions", conf)


def test_a_file_must_have_its_own_name_inside(conf: Path) -> None:
    edit(conf / "products" / "customer_transactions.yaml", name="sales")
    with pytest.raises(ConfigError, match=r"name: expected customer_transactions.*got 'sales'"):
        load_product("customer_transactions", conf)


def test_a_cluster_environment_names_its_cluster(conf: Path) -> None:
    edit(conf / "environments" / "local.yaml", spark={"runner": "cluster", "poll_seconds": 1})
    with pytest.raises(ConfigError, match=r"spark: expected the keys cluster"):
        load_environment("local", conf)


def test_a_missing_file_says_which_one_to_write(conf: Path) -> None:
    with pytest.raises(ConfigError, match=r"got 'no such file'. Next: write .*nowhere.yaml"):
        load_product("nowhere", conf)


def test_what_is_no_yaml_is_told_where_it_breaks(conf: Path) -> None:
    (conf / "products" / "broken.yaml").write_text("name: [")
    with pytest.raises(ConfigError, match=r"broken.yaml: the file: expected one YAML document"):
        load_product("broken", conf)


def test_the_environment_must_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MEDALLION_ENVIRONMENT", raising=False)
    with pytest.raises(ConfigError, match="MEDALLION_ENVIRONMENT"):
        environment_name()
