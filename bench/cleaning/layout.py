"""The sample's contract as all contenders but our job have it; a test holds it to conf/contracts/."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Field:
    """A field of the files: its name there, and the name, Spark type and minimum of its column."""

    source: str
    column: str
    type: str
    minimum: int | None = None


FIELDS = (
    Field("household_id", "customer_id", "BIGINT", 1),
    Field("store_id", "agent_id", "BIGINT", 1),
    Field("basket_id", "order_id", "BIGINT", 1),
    Field("product_id", "product_id", "BIGINT", 1),
    Field("quantity", "quantity", "BIGINT", 0),
    Field("sales_value", "net_sales", "DECIMAL(12,2)", 0),
    Field("retail_disc", "retail_discount", "DECIMAL(12,2)", 0),
    Field("coupon_disc", "coupon_discount", "DECIMAL(12,2)", 0),
    Field("coupon_match_disc", "coupon_match_discount", "DECIMAL(12,2)", 0),
    Field("transaction_timestamp", "ordered_at", "TIMESTAMP"),
)
DERIVED = {
    "discounts": "CAST(retail_discount + coupon_match_discount AS DECIMAL(12, 2))",
    "gross_sales": "CAST(net_sales + retail_discount + coupon_match_discount AS DECIMAL(12, 2))",
    "order_date": "CAST(FROM_UTC_TIMESTAMP(ordered_at, 'America/New_York') AS DATE)",
    "order_hour": "CAST(HOUR(FROM_UTC_TIMESTAMP(ordered_at, 'America/New_York')) AS BIGINT)",
}
KEY = ("order_id", "product_id")
ORDER_BY = "ordered_at"
TIMESTAMP_FORMAT = "yyyy-MM-dd HH:mm:ss"

# In the files' order; the contract has no use for the week.
HEADER = (*(field.source for field in FIELDS[:-1]), "week", FIELDS[-1].source)
TYPES = {field.source: field.type for field in FIELDS} | {"week": "BIGINT"}
COLUMNS = (*(field.column for field in FIELDS), *DERIVED)


def file_schema(types: Mapping[str, str] = TYPES) -> str:
    """The files' columns as a Spark schema, with their types by name in the file."""
    return ", ".join(f"{name} {types[name]}" for name in HEADER)
