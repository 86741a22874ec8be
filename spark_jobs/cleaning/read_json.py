"""JSON Lines, an object a line with keys of its own, as rows of text."""

from pyspark.sql import Column as Col
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion.contracts import MAX_NEW_COLUMNS, Column, Contract
from spark_jobs.cleaning.metrics import Read
from spark_jobs.cleaning.new_columns import column_names_of, extra_of_keys
from spark_jobs.cleaning.parsing import spark_type
from spark_jobs.cleaning.texts import ENCODING, SHAPE, TEXT, select_texts, untyped

# Spark turns a number with a fraction or an exponent into text through a double: 1.10 into 1.1. So it parses
# a line in which such numbers are texts, and begin with what Unicode has no character for.
MARK = "\ufdd0"
FRACTION = r"-?[0-9]++(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+"
# Possessive, so that no line makes it try twice.
BEFORE_FRACTION = r'\G((?:[^"0-9-]++|"(?:[^"\\]++|\\.)*+"|-?[0-9]++(?![.eE]))*+)'
MARKED = rf'^{MARK}(?={FRACTION}\z)|"{MARK}({FRACTION})"'
# A decimal of a number with a longer exponent would take minutes and gigabytes.
SCIENTIFIC = r"^-?[0-9]+(\.[0-9]+)?[eE][+-]?[0-9]{1,3}\z"
OPTIONS = {
    "mode": "PERMISSIVE",
    "columnNameOfCorruptRecord": "malformed__",
    "allowSingleQuotes": "false",  # around a text, in which numbers would be taken for some
}


def read_json(lines: DataFrame, contract: Contract, read: Read) -> DataFrame:
    """Texts of lines (file, raw, is_utf8, size), with typed decimals beside them."""
    line, parsed = F.trim("raw"), F.col("texts")
    rows = _with_keys(read.rows(lines, line != ""), contract)
    rows = rows.withColumn("texts", F.from_json("line", _schema(contract), OPTIONS))
    rows = rows.withColumns({TEXT + column.name: _text(column) for column in contract.read_columns})
    one_object = line.startswith("{") & line.endswith("}") & ~_has_more(line)
    # A line with NaN, which Spark takes for JSON though it is none, has no keys.
    told_once = F.col("keys").isNotNull() & (F.size(F.array_distinct("keys")) == F.size("keys"))
    sound = one_object & told_once & parsed.isNotNull() & parsed["malformed__"].isNull()
    if contract.evolves:
        sound &= F.size("new") <= MAX_NEW_COLUMNS
    return select_texts(
        read.keys(rows, F.when(sound, F.map_values("names"))),
        contract,
        lambda column: F.col(TEXT + column.name),
        _typed,
        fault=F.when(~F.col("is_utf8"), ENCODING).when(~F.coalesce(sound, F.lit(False)), SHAPE),
        extra=F.when(sound, extra_of_keys(F.col("values"), F.col("names"), contract)),
    )


def _has_more(line: Col) -> Col:
    """Whether anything follows the first object of a line: from_json would not see it."""
    values = F.json_array_length(F.concat(F.lit("["), line, F.lit("]")))
    return line.rlike(r"\}\s*\S") & F.coalesce(values != 1, F.lit(True))


def _with_keys(rows: DataFrame, contract: Contract) -> DataFrame:
    """Adds line, what is to be parsed; keys; and, for a row with keys that the contract doesn't know: new,
    which they are; names, a map from them to what their columns are called; and values, a map from every key
    to its text. A key of the contract is there as it spells it, whatever its case in the file.
    """
    sources = [source for column in contract.read_columns for source in column.sources]
    spelled = F.create_map(*(name for source in map(F.lit, sources) for name in (F.lower(source), source)))
    known, has_others = F.array(*map(F.lit, sources)), F.size("others") > 0

    def respelled(key: Col, _: Col | None = None) -> Col:
        return F.coalesce(spelled[F.lower(key)], key)

    def texts() -> Col:
        return F.from_json("line", "map<string,string>")

    marked = F.regexp_replace("raw", f"{BEFORE_FRACTION}({FRACTION})", f'$1"{MARK}$2"')
    keys = F.json_object_keys("raw")
    rows = rows.withColumns({"line": marked, "keys": keys, "others": F.array_except(keys, known)})
    rows = rows.withColumn(
        "keys", F.when(has_others, F.transform("keys", lambda key: respelled(key))).otherwise(F.col("keys"))
    )
    rows = rows.withColumn("new", F.when(has_others, F.array_except("keys", known)))
    # Few files spell a key of the contract's otherwise, and for others nothing of this is made.
    is_respelled = has_others & (F.size("new") < F.size("others"))
    line = F.to_json(F.transform_keys(texts(), respelled))
    has_new = F.size("new") > 0
    return rows.withColumns(
        {
            "line": F.when(is_respelled, line).otherwise(F.col("line")),
            "names": F.when(has_new, column_names_of(F.col("new"), contract)),
            "values": F.when(has_new, F.transform_values(texts(), lambda _, text: _unmarked(text))),
        }
    )


def _schema(contract: Contract) -> str:
    sources = (_quoted(source) for column in contract.read_columns for source in column.sources)
    return ", ".join([*(f"{source} STRING" for source in sources), "malformed__ STRING"])


def _quoted(source: str) -> str:
    """A key of the lines as Spark's SQL takes it, whatever is in it."""
    escaped = source.replace("`", "``")
    return f"`{escaped}`"


def _text(column: Column) -> Col:
    return _unmarked(F.coalesce(*(F.col(f"texts.{_quoted(source)}") for source in column.sources)))


def _unmarked(text: Col) -> Col:
    return F.when(F.contains(text, F.lit(MARK)), F.regexp_replace(text, MARKED, "$1")).otherwise(text)


def _typed(column: Column) -> Col:
    """A decimal of a number that may have an exponent, or zeros that its column has no room for.

    Of a number that has other digits there it is null, for a cast would round them away.
    """
    if column.sql_type != "NUMERIC":
        return untyped(column)
    text = F.col(TEXT + column.name)
    plain = text.rlike(rf"^-?[0-9]+(\.[0-9]{{0,{column.scale}}}0*)?\z")
    exact = plain | (text.rlike(SCIENTIFIC) & (_places(text) <= column.scale))
    # Of other texts none is made, not even ahead of what may need it.
    return F.when(exact, text).cast(spark_type(column))


def _places(text: Col) -> Col:
    """How many places behind the point a number with an exponent needs; zeros at its end need none."""
    mantissa, exponent = (F.substring_index(F.lower(text), "e", part) for part in (1, -1))
    point = F.instr(mantissa, ".")
    fraction = F.when(point == 0, 0).otherwise(F.length(mantissa) - point)
    digits = F.translate(mantissa, "0.-", " ")  # its zeros as blanks, without point and sign
    significant = F.length(F.rtrim(digits))
    places = fraction - (F.length(digits) - significant) - exponent.cast("int")
    return F.when(significant == 0, 0).otherwise(places)
