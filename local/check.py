"""`make check`: conf/ against its schemas, sql/ by GoogleSQL's analyzer; tells every problem at once."""

import json
import sys
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

from local.sql_analysis import analyze_if_changed
from medallion.config import (
    CONF,
    Product,
    load_environment,
    load_model,
    load_product,
    model_names,
    product_names,
    validate,
)
from medallion.contracts import Contract, load_contract, parse_contract
from medallion.errors import ConfigError
from medallion.sql import SQL


def main() -> int:
    problems = list(check())
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{len(_names('contracts'))} contracts, {len(product_names())} products: {len(problems)} problems")
    return 1 if problems else 0


def check(conf: Path = CONF, sql: Path = SQL) -> Iterator[str]:
    """A line for each problem; each says file, key, expected, got and the next step."""
    contracts: dict[str, Contract] = {}
    products: dict[str, Product] = {}
    sound = True

    def contract(name: str) -> None:
        contracts[name] = _contract(name, conf)

    def product(name: str) -> None:
        products[name] = load_product(name, conf)
        _check_product(products[name], contracts, conf, sql)

    checks: dict[str, Callable[[str], Any]] = {
        "contracts": contract,
        "environments": lambda name: load_environment(name, conf),
        "models": lambda name: load_model(name, conf),
        "products": product,
    }
    for folder, attempt in checks.items():
        for name in _names(folder, conf):
            try:
                attempt(name)
            except ConfigError as error:
                sound = False
                yield str(error)
    if sound:  # SQL is made of these files: what is wrong in them would be told once more
        pairs = [(product, contracts[product.contract]) for product in products.values()]
        yield from analyze_if_changed(pairs, load_environment("local", conf), sql)


def _contract(name: str, conf: Path) -> Contract:
    document, file = load_contract(name, conf), f"conf/contracts/{name}.yaml"
    schema = json.loads((files("open_data_contract_standard") / "schema.json").read_text())
    validate(document, schema, file)
    return parse_contract(document, file)


def _check_product(product: Product, contracts: dict[str, Contract], conf: Path, sql: Path) -> None:
    file = f"conf/products/{product.name}.yaml"
    contract = contracts.get(product.contract)
    if contract is None:
        raise ConfigError(file, "contract", "a sound contract in conf/contracts", product.contract)
    dates = [column.name for column in contract.columns if column.sql_type == "DATE" and column.required]
    if product.partition_by not in dates:
        expected = f"a required DATE column: {', '.join(dates)}"
        raise ConfigError(file, "silver.partition_by", expected, product.partition_by)
    if product.train is not None and product.train not in model_names(conf):
        raise ConfigError(file, "train", "the name of a file in conf/models", product.train)
    tables = [table.table for table in product.gold]
    for index, table in enumerate(product.gold):
        if not (sql / "gold" / f"{table.table}.sql").exists():
            raise ConfigError(file, f"gold.{index}.table", "a file in sql/gold", table.table)
        unknown = sorted(set(table.after) - set(tables))
        if unknown:
            raise ConfigError(file, f"gold.{index}.after", "tables of this product", ", ".join(unknown))


def _names(folder: str, conf: Path = CONF) -> list[str]:
    return sorted(path.stem for path in (conf / folder).glob("*.yaml"))


if __name__ == "__main__":
    sys.exit(main())
