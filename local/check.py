"""`make check`: conf/ against its schemas, SQL by the analyzers that run it; tells every problem at once."""

import sys
from collections.abc import Callable, Iterable, Iterator
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from local.spark_sql import spark_problems_if_changed
from local.sql_analysis import analyze_if_changed
from medallion.contracts import Contract
from medallion.documents import CONF, validate
from medallion.environments import load_environment
from medallion.errors import ConfigError, ProblemsError
from medallion.models import load_model, model_names
from medallion.odcs import load_contract, parse_contract
from medallion.product_checks import contract_problems, file_of, product_problems
from medallion.products import Product, load_product, product_names
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
    problems: list[ConfigError] = []

    def contract(name: str) -> None:
        contracts[name] = _contract(name, conf)

    def product(name: str) -> None:
        products[name] = load_product(name, conf)

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
                problems.append(error)
            except ProblemsError as error:
                problems += error.problems
    for found in products.values():
        problems += product_problems(found, conf, sql)
        if found.contract in contracts:
            problems += contract_problems(found, contracts[found.contract])
    problems += _shared_tables(products.values())
    problems += _shared_collections(products.values())
    problems += _more_than_one_model(conf)
    yield from map(str, problems)
    if not problems:  # SQL is made of these files: what is wrong in them would be told once more
        pairs = [(product, contracts[product.contract]) for product in products.values()]
        yield from analyze_if_changed(pairs, load_environment("local", conf), sql)
        yield from spark_problems_if_changed(contracts)


def _contract(name: str, conf: Path) -> Contract:
    document, file = load_contract(name, conf), f"conf/contracts/{name}.yaml"
    with as_file(files("open_data_contract_standard") / "schema.json") as schema:
        validate(document, schema, file)
    return parse_contract(document, file)


def _shared_tables(products: Iterable[Product]) -> Iterator[ConfigError]:
    """Gold tables of several products, which would overwrite each other's rows."""
    owners: dict[str, str] = {}
    for product in products:
        for index, table in enumerate(product.gold):
            owner = owners.setdefault(table.table, product.name)
            if owner != product.name:
                expected = f"a table of this product alone, which {table.table} of {owner} is not"
                yield ConfigError(file_of(product), f"gold.{index}.table", expected, table.table)


def _shared_collections(products: Iterable[Product]) -> Iterator[ConfigError]:
    """Firestore collections of several products, which would write over each other's documents."""
    owners: dict[str, str] = {}
    for product in products:
        if product.documents:
            collection = product.documents.collection
            owner = owners.setdefault(collection, product.name)
            if owner != product.name:
                expected = f"a collection of this product alone, which {collection} of {owner} is not"
                yield ConfigError(file_of(product), "serve.firestore.collection", expected, collection)


def _more_than_one_model(conf: Path) -> Iterator[ConfigError]:
    """gold.customer_scores has one score a customer and date, and doesn't say of which model."""
    first, *others = model_names(conf) or ("",)
    for name in others:
        expected = f"one model, beside whose scores there is no room for others: {first}"
        yield ConfigError(f"conf/models/{name}.yaml", "", expected, name)


def _names(folder: str, conf: Path = CONF) -> list[str]:
    return sorted(path.stem for path in (conf / folder).glob("*.yaml"))


if __name__ == "__main__":
    sys.exit(main())
