"""`make dashboard`: where a product's gold is looked at: its report page, and Looker Studio on its tables."""

import argparse
import sys
from collections.abc import Iterator
from urllib.parse import quote, urlencode

from medallion.environments import Environment, load_environment
from medallion.errors import MedallionError
from medallion.products import Product, load_product

LOOKER_STUDIO = "https://lookerstudio.google.com/reporting/create"
STORAGE = "https://storage.cloud.google.com"  # asks a browser's user to sign in


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make dashboard", description=__doc__)
    parser.add_argument("product")
    parser.add_argument("environment", help="the name of a file in conf/environments")
    parser.add_argument("--report", help="the id of a Looker Studio report to make a copy of")
    arguments = parser.parse_args(argv)
    try:
        product, environment = load_product(arguments.product), load_environment(arguments.environment)
    except MedallionError as error:
        print(error, file=sys.stderr)
        return 1
    if product.report:
        print(f"Report page: {report_page(product, environment)}")
    print(f"Looker Studio: {looker_studio(product, environment, arguments.report)}")
    return 0


def report_page(product: Product, environment: Environment) -> str:
    """The URL of the page that serve.report writes."""
    return f"{STORAGE}/{environment.buckets['reports']}/{quote(product.name)}/index.html"


def looker_studio(product: Product, environment: Environment, report: str | None = None) -> str:
    """A Linking-API URL that opens a report on the product's gold tables, each under its own name.

    It is a copy of `report`, whose data sources are replaced by the tables of their aliases, or a blank one.
    https://developers.google.com/looker-studio/integrate/linking-api
    """
    return f"{LOOKER_STUDIO}?{urlencode(list(_parameters(product, environment, report)), quote_via=quote)}"


def _parameters(product: Product, environment: Environment, report: str | None) -> Iterator[tuple[str, str]]:
    if report:
        yield "c.reportId", report
    yield "c.mode", "view" if report else "edit"
    yield "r.reportName", f"{product.name} ({environment.name})"
    for table in product.gold:
        source = {
            "connector": "bigQuery",
            "datasourceName": table.table,
            "type": "TABLE",
            "projectId": environment.project,
            "datasetId": environment.datasets["gold"],
            "tableId": table.table,
            "billingProjectId": environment.project,
        }
        yield from ((f"ds.{table.table}.{name}", value) for name, value in source.items())


if __name__ == "__main__":
    sys.exit(main())
