"""The products of this checkout, for what is done for all of them at once."""

from collections.abc import Callable
from pathlib import Path

from medallion.documents import CONF
from medallion.errors import MedallionError, raise_problems
from medallion.product_checks import schedule_problems
from medallion.products import Product, load_product, product_names


def products_that_load(tell: Callable[[str], None] = lambda _: None, conf: Path = CONF) -> list[Product]:
    """Products whose file can be read; of each other one, which stops none of them, `tell` says why."""
    found = []
    for name in product_names(conf):
        try:
            product = load_product(name, conf)
            raise_problems(list(schedule_problems(product)))
        except MedallionError as error:
            tell(str(error))
        else:
            found.append(product)
    return found
