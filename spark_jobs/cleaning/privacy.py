"""Personal columns: dropped, or hashed with a key, so that nobody without it can tell whose they are."""

import hashlib

from pyspark.sql import Column as Col
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from medallion.contracts import HASH, Column, Contract
from medallion.errors import MedallionError

BLOCK_BYTES = 64  # of SHA-256
INNER, OUTER = 0x36, 0x5C


def protect(spark: SparkSession, rows: DataFrame, contract: Contract, key: bytes | None) -> DataFrame:
    """Adds for each column to be hashed its HMAC-SHA-256, 64 hexadecimal digits, under its `stored_name`.
    Only rows that break a rule keep what is personal as it was, for their reasons.

    Raises MedallionError when there is something to hash and no key.
    """
    hashed = [column for column in contract.columns if column.protection == HASH]
    if hashed and not key:
        raise MedallionError(
            f"contract {contract.name}: {', '.join(column.name for column in hashed)}: expected a key to "
            "hash personal columns with, got none. Next: name the environment's secret, hash_key, in "
            "conf/environments."
        )
    if hashed and key:
        # The key comes as a table: a literal would be in the plan, and so in Spark's logs.
        pads = F.broadcast(spark.createDataFrame([_pads(key)], "inner_pad BINARY, outer_pad BINARY"))
        hashes = {stored_name(column): hmac(F.col(column.name)) for column in hashed}
        rows = rows.crossJoin(pads).withColumns(hashes).drop(*pads.columns)
    personal = [column.name for column in contract.columns if column.protection]
    if not personal:
        return rows
    needed = F.col("texts__").isNotNull()
    return rows.withColumns({name: F.when(needed, F.col(name)) for name in personal})


def stored_name(column: Column) -> str:
    """The name under which `protect` leaves what is stored of a column."""
    return f"hashed__{column.name}" if column.protection == HASH else column.name


def stored_columns(contract: Contract) -> list[Col]:
    """What silver gets to see of protected rows."""
    return [F.col(stored_name(column)).alias(column.name) for column in contract.stored_columns]


def hmac(text: Col) -> Col:
    """HMAC-SHA-256 of a text by RFC 2104, with the key's pads in inner_pad and outer_pad; null of null."""
    inner = F.sha2(F.concat(F.col("inner_pad"), text.cast("binary")), 256)
    return F.sha2(F.concat(F.col("outer_pad"), F.unhex(inner)), 256)


def _pads(key: bytes) -> tuple[bytearray, bytearray]:
    block = (key if len(key) <= BLOCK_BYTES else hashlib.sha256(key).digest()).ljust(BLOCK_BYTES, b"\0")
    return bytearray(byte ^ INNER for byte in block), bytearray(byte ^ OUTER for byte in block)
