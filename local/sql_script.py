"""Walks a script as BigQuery does, and types each statement against what the statements before it made."""

import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from zetasql import types as ast
from zetasql.core.exceptions import ServerError

from local.googlesql import Table, analyze, message_of, parse, place_of, register, type_of, unregister
from local.sql_partitions import layout_problems, partition_column, scans

# An expression is typed as part of a statement, whose beginning is put on a line of its own above the script:
# what follows then stays in its place. An assignment to a script's variable is typed as one to the system's.
QUERY = "SELECT"
ASSIGNMENT = "SET @@v ="
ABOVE = len(ASSIGNMENT)
FULL_SCAN = re.compile(r"\s*-- full scan: \S")
NOT_FOUND = re.compile(r"Table not found: `?([^`;]+)")


@dataclass(frozen=True)
class Problem:
    """What is wrong at a place of a script; line and column count from 1."""

    line: int
    column: int
    message: str


class Script:
    """A script on its way. `tables` are those that it finds and, once it is walked, those that it leaves;
    `scanned` are then its table scans, with the columns that each is bound by. Of the tables in `filtered`
    BigQuery reads nothing without a condition on their partitions.
    """

    def __init__(
        self,
        text: str,
        tables: Mapping[str, Table],
        parameters: Mapping[str, str],
        filtered: Container[str] = (),
    ) -> None:
        self.tables = dict(tables)
        self._filtered = filtered
        self.scanned: list[tuple[Any, frozenset[str]]] = []
        self._text = f"{'':{ABOVE}}\n{text}".encode()
        self._lines = text.splitlines()
        self._parameters = parameters
        self._temporary: set[str] = set()
        self._variables: dict[str, Any] = {}
        self._accepted: set[int] = set()
        self._catalog: int | None = None

    def problems(self) -> list[Problem]:
        """Walks the script once, and tells what is wrong with it.

        To read the whole of a partitioned table is wrong, unless the comment above its line or above its
        statement says `-- full scan:` and why. Of a table in `filtered` no comment excuses it.
        """
        try:
            statements = parse(self._text.decode())
        except ServerError as error:
            return [_problem(error)]
        found = list(self._statements(statements))
        comments = {number for number, line in enumerate(self._lines, 1) if FULL_SCAN.match(line)}
        idle = "full scan: expected a table that is read as a whole below, got none; take the comment away"
        if not found:
            found = [Problem(number, 1, idle) for number in sorted(comments - self._accepted)]
        self._forget_catalog()
        self.tables = {name: table for name, table in self.tables.items() if name not in self._temporary}
        return found

    def _statements(self, statements: Any) -> Iterator[Problem]:
        for statement in statements.statement_list if statements else ():
            yield from self._tried(self._statement(statement))

    def _tried(self, problems: Iterator[Problem]) -> Iterator[Problem]:
        try:
            yield from problems
        except ServerError as error:
            problem = _problem(error)
            missed = NOT_FOUND.match(problem.message)
            if not missed or missed[1] not in self.tables:  # else told where the table should be made
                yield problem

    def _statement(self, node: Any) -> Iterator[Problem]:
        match node:
            case ast.ASTVariableDeclaration():
                yield from self._declare(node)
            case ast.ASTSingleAssignment():
                kind = self._variables.get(node.variable.id_string.lower())
                if kind is None:
                    yield self._at(node.variable, f"Undeclared variable: {node.variable.id_string}")
                else:
                    yield from self._resolve(node.expression, kind)
            case ast.ASTIfStatement():
                yield from self._branches(node)
            case ast.ASTForInStatement():
                yield from self._loop(node)
            case ast.ASTExecuteImmediateStatement(into_clause=None, using_clause=None):
                yield from self._resolve(node.sql, type_of("STRING"))
            case ast.ASTBeginEndBlock(handler_list=None):
                yield from self._statements(node.statement_list_node)
            case ast.ASTBeginStatement() | ast.ASTCommitStatement() | ast.ASTRollbackStatement():
                pass
            case ast.ASTBreakContinueStatement():
                pass
            case ast.ASTScriptStatement():
                yield self._at(node, f"{type(node).__name__}: a statement that this check doesn't know")
            case _:
                yield from self._resolve(node)

    def _declare(self, node: Any) -> Iterator[Problem]:
        if node.type:
            kind = type_of(self._source(node.type).decode())
        else:
            kind = self._analyze(node.default_value, QUERY).output_column_list[0].column.type
        for variable in node.variable_list.identifier_list:
            self._variables[variable.id_string.lower()] = kind
        self._forget_catalog()
        if node.default_value:
            yield from self._resolve(node.default_value, kind)

    def _branches(self, node: Any) -> Iterator[Problem]:
        clauses = node.elseif_clauses.elseif_clauses if node.elseif_clauses else []
        for condition in (node.condition, *(clause.condition for clause in clauses)):
            yield from self._tried(self._resolve(condition, type_of("BOOL")))
        branches = (node.then_list, *(clause.body for clause in clauses), node.else_list)
        # A branch may read what another one makes: that one was taken in an earlier run of the script.
        again = []
        for branch in branches:
            before = len(self.scanned)
            if list(self._statements(branch)):
                del self.scanned[before:]
                again.append(branch)
        for branch in again:
            yield from self._statements(branch)

    def _loop(self, node: Any) -> Iterator[Problem]:
        yield from self._resolve(node.query)
        found = self._analyze(node.query, "").output_column_list
        fields = (
            f"{column.name} {column.column.type.type_kind.name.removeprefix('TYPE_')}" for column in found
        )
        self._variables[node.variable.id_string.lower()] = type_of(f"STRUCT<{', '.join(fields)}>")
        self._forget_catalog()
        yield from self._statements(node.body)

    def _resolve(self, node: Any, kind: Any = None) -> Iterator[Problem]:
        """Types a statement and takes over what it makes; or an expression, which must be of a type."""
        try:
            statement = self._analyze(node, ASSIGNMENT if kind else "", kind)
        except ServerError:
            if isinstance(node, ast.ASTCreateTableStatement | ast.ASTCreateViewStatement):
                name = ".".join(part.id_string for part in node.name.names)
                self.tables.setdefault(name, Table({}))
                if "." not in name:
                    self._temporary.add(name)
            raise
        for scan, bound in scans(statement):
            self.scanned.append((scan, bound))
            name = scan.table.full_name
            column = self.tables[name].partition_by
            if not column or column in bound:
                continue
            wanted = f"expected a condition that compares {column} with literals, variables or parameters"
            if name in self._filtered:
                yield self._at(scan, f"{name} is read without a filter: {wanted}, or BigQuery refuses")
            elif not self._accepts(node, scan):
                comment = "or the comment -- full scan: and why"
                yield self._at(scan, f"{name} is read as a whole: {wanted}, {comment}")
        match statement:
            case ast.ResolvedCreateTableStmt() | ast.ResolvedCreateTableAsSelectStmt():
                for place, message in layout_problems(statement):
                    yield self._at(place, message, node)
                columns = {column.name: column.type for column in statement.column_definition_list}
                self._make(statement, Table(columns, partition_column(statement)))
            case ast.ResolvedCreateViewStmt():
                columns = {column.name: column.column.type for column in statement.output_column_list}
                self._make(statement, Table(columns))
            case ast.ResolvedAlterTableStmt():
                self._add_columns(statement)
            case ast.ResolvedDropStmt():
                name = ".".join(statement.name_path)
                if not self.tables.pop(name, None) and not statement.is_if_exists:
                    yield self._at(node, f"Table not found: {name}")
                self._forget_catalog()

    def _make(self, statement: Any, table: Table) -> None:
        name = ".".join(statement.name_path)
        if statement.create_scope == statement.create_scope.CREATE_TEMP:
            self._temporary.add(name)
        if statement.create_mode != statement.create_mode.CREATE_IF_NOT_EXISTS or name not in self.tables:
            self.tables[name] = table
            self._forget_catalog()

    def _add_columns(self, statement: Any) -> None:
        name = ".".join(statement.name_path)
        added = {
            action.column_definition.name: action.column_definition.type
            for action in statement.alter_action_list
            if isinstance(action, ast.ResolvedAddColumnAction)
        }
        if name in self.tables and not added.keys() <= self.tables[name].columns.keys():
            self.tables[name] = replace(self.tables[name], columns={**added, **self.tables[name].columns})
            self._forget_catalog()

    def _analyze(self, node: Any, above: str, kind: Any = None) -> Any:
        if self._catalog is None:
            self._catalog = register(self.tables, self._variables)
        before = re.sub(rb"[^\n]", b" ", self._text[ABOVE : node.parse_location_range.start])
        text = above.ljust(ABOVE).encode() + before + self._source(node)
        return analyze(text.decode(), self._catalog, self._parameters, kind)

    def _forget_catalog(self) -> None:
        """The catalog is made anew when a statement asks for it: tables or variables have changed."""
        if self._catalog is not None:
            unregister(self._catalog)
            self._catalog = None

    def _accepts(self, *nodes: Any) -> bool:
        """Whether the comment above one of these nodes says that a full scan is meant."""
        for node in nodes:
            number = self._at(node, "").line - 1
            while number and self._lines[number - 1].lstrip().startswith("--"):
                if FULL_SCAN.match(self._lines[number - 1]):
                    self._accepted.add(number)
                    return True
                number -= 1
        return False

    def _source(self, node: Any) -> bytes:
        return self._text[node.parse_location_range.start : node.parse_location_range.end]

    def _at(self, node: Any, message: str, otherwise: Any = None) -> Problem:
        place = node.parse_location_range or otherwise.parse_location_range
        before = self._text[: place.start].decode()
        return Problem(before.count("\n"), len(before) - before.rfind("\n"), message)


def _problem(error: ServerError) -> Problem:
    line, column = place_of(error) or (2, 1)
    return Problem(line - 1, column, message_of(error))
