"""BigQuery's partitions and clusters, of which GoogleSQL's analyzer knows the syntax alone."""

from collections.abc import Iterator
from typing import Any

from zetasql import types as ast

CLUSTER_COLUMNS = 4
CLUSTERED = ("BIGNUMERIC", "BOOL", "DATE", "DATETIME", "GEOGRAPHY", "INT64", "NUMERIC", "STRING", "TIMESTAMP")
# What a table can be partitioned by: a DATE column as it is, or one of these functions of a column.
PARTITIONED = {
    "ZetaSQL:date": {"TIMESTAMP", "DATETIME"},
    "ZetaSQL:date_trunc": {"DATE"},
    "ZetaSQL:datetime_trunc": {"DATETIME"},
    "ZetaSQL:timestamp_trunc": {"TIMESTAMP"},
    "ZetaSQL:range_bucket": {"INT64"},
}
COMPARISONS = frozenset(
    f"ZetaSQL:${name}"
    for name in ("equal", "less", "less_or_equal", "greater", "greater_or_equal", "between", "in", "in_array")
)
NOTHING: frozenset[int] = frozenset()


def partition_column(statement: Any) -> str | None:
    """The column that a resolved CREATE TABLE partitions its table by."""
    for expression in statement.partition_by_list:
        column = _partitioned(expression)
        if column is not None:
            return column.name
    return None


def layout_problems(statement: Any) -> Iterator[tuple[Any, str]]:
    """What BigQuery would refuse in the layout of a resolved CREATE TABLE, with the node that it is about."""
    for expression in statement.partition_by_list:
        if _partitioned(expression) is None:
            expected = "a DATE column, DATE or a …_TRUNC of a column, or RANGE_BUCKET of an INT64 column"
            yield (
                expression,
                f"PARTITION BY: expected {expected}, got an expression of type {_kind(expression)}",
            )
    if len(statement.partition_by_list) > 1:
        yield statement, f"PARTITION BY: expected one expression, got {len(statement.partition_by_list)}"
    if len(statement.cluster_by_list) > CLUSTER_COLUMNS:
        expected = f"at most {CLUSTER_COLUMNS} columns"
        yield statement, f"CLUSTER BY: expected {expected}, got {len(statement.cluster_by_list)}"
    for expression in statement.cluster_by_list:
        kind = _kind(expression)
        if not isinstance(expression, ast.ResolvedColumnRef) or kind not in CLUSTERED:
            expected = f"a column of type {', '.join(CLUSTERED)}"
            yield expression, f"CLUSTER BY: expected {expected}, got an expression of type {kind}"


def _partitioned(expression: Any) -> Any:
    if isinstance(expression, ast.ResolvedColumnRef):
        return expression.column if _kind(expression) == "DATE" else None
    if isinstance(expression, ast.ResolvedFunctionCall) and expression.argument_list:
        column = expression.argument_list[0]
        kinds = PARTITIONED.get(expression.function.name, set())
        if isinstance(column, ast.ResolvedColumnRef) and _kind(column) in kinds:
            return column.column
    return None


def _kind(expression: Any) -> str:
    name: str = expression.type.type_kind.name
    return name.removeprefix("TYPE_")


def scans(node: Any, bound: frozenset[int] = NOTHING) -> Iterator[tuple[Any, frozenset[str]]]:
    """Each table scan of a resolved statement, with the names of the columns that it is bound by.

    A column is bound where a condition on the rows of the scan compares it with literals, script variables or
    query parameters: BigQuery reads no partition that such a condition leaves out. By subqueries it doesn't
    prune.
    """
    if isinstance(node, ast.ResolvedTableScan):
        yield node, frozenset(column.name for column in node.column_list if column.column_id in bound)
    below = _bound_below(node, bound)
    for name, child in _children(node):
        yield from scans(child, below.get(name, NOTHING))


def _children(node: Any) -> Iterator[tuple[str, Any]]:
    for name, value in vars(node).items():
        if isinstance(node, ast.ResolvedInsertStmt) and name == "table_scan":
            continue  # written, not read
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.ResolvedNode):
                yield name, child


def _bound_below(node: Any, above: frozenset[int]) -> dict[str, frozenset[int]]:
    """The columns that the scans in a node's fields are bound by; in a field that is not named, none are."""
    match node:
        case ast.ResolvedFilterScan():
            return {"input_scan": above | _bound(node.filter_expr)}
        case ast.ResolvedProjectScan() | ast.ResolvedOrderByScan():
            return {"input_scan": above}
        case ast.ResolvedWithScan():
            return {"query": above}
        case ast.ResolvedArrayScan():
            return {"input_scan": above if node.is_outer else above | _bound(node.join_expr)}
        case ast.ResolvedJoinScan():
            # An outer join keeps all rows of a side, whatever its condition says.
            on, kind = _bound(node.join_expr), node.join_type
            return {
                "left_scan": above | (on if kind in (kind.INNER, kind.RIGHT) else NOTHING),
                "right_scan": above | (on if kind in (kind.INNER, kind.LEFT) else NOTHING),
            }
        case ast.ResolvedDeleteStmt():
            return {"table_scan": _bound(node.where_expr)}
        case ast.ResolvedUpdateStmt():
            where = _bound(node.where_expr)
            return {"table_scan": where, "from_scan": where}
        case ast.ResolvedMergeStmt():
            return {"table_scan": _bound(node.merge_expr)}
    return {}


def _bound(condition: Any) -> frozenset[int]:
    """Ids of the columns that a condition bounds."""
    if not isinstance(condition, ast.ResolvedFunctionCall):
        return NOTHING
    name, arguments = condition.function.name, condition.argument_list
    if name == "ZetaSQL:$and":
        return frozenset().union(*map(_bound, arguments))
    if name == "ZetaSQL:$or":
        return frozenset.intersection(*map(_bound, arguments))
    columns = [argument for argument in arguments if isinstance(argument, ast.ResolvedColumnRef)]
    if name in COMPARISONS and len(columns) == 1 and sum(map(_known, arguments)) == len(arguments) - 1:
        return frozenset({columns[0].column.column_id})
    return NOTHING


def _known(value: Any) -> bool:
    """Whether an expression's value is known before any row is read."""
    if isinstance(value, ast.ResolvedFunctionCall):
        return all(map(_known, value.argument_list))
    if isinstance(value, ast.ResolvedCast):
        return _known(value.expr)
    return isinstance(value, ast.ResolvedLiteral | ast.ResolvedConstant | ast.ResolvedParameter)
