"""What conf/products/ holds, and what a wrong file is told."""

from pathlib import Path

import pytest

from medallion.errors import ConfigError
from medallion.products import load_product, product_names
from tests.conftest import edit


def test_every_product_loads() -> None:
    products = [load_product(name) for name in product_names()]
    assert {product.name for product in products} >= {
        "bike_stations",
        "customer_transactions",
        "sales",
        "weather",
    }
    assert load_product("customer_transactions").partition_by == "order_date"


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


def test_a_missing_file_says_which_one_to_write(conf: Path) -> None:
    with pytest.raises(ConfigError, match=r"got 'no such file'. Next: write .*nowhere.yaml"):
        load_product("nowhere", conf)


def test_what_is_no_yaml_is_told_where_it_breaks(conf: Path) -> None:
    (conf / "products" / "broken.yaml").write_text("name: [")
    with pytest.raises(ConfigError, match=r"broken.yaml: the file: expected one YAML document"):
        load_product("broken", conf)
