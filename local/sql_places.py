"""Where in the templates of sql/ a rendered line comes from: each line carries its place with it."""

import re
from pathlib import Path
from traceback import extract_tb

from local.sql_script import Problem

PLACE = re.compile(r" ?/\*@(\S+?):(\d+)\*/")
TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
SILENT_TAG = re.compile(r"\{%.*?%\}|\{#.*?#\}")
WORD = re.compile(r"\w+|\W")


def copy_with_places(folder: Path, target: Path) -> None:
    """Copies the templates of a folder; each line of the copies ends with a comment that names file and line.

    Templates mustn't make names or texts of more than one line.
    """
    for path in folder.rglob("*.sql"):
        name = path.relative_to(folder)
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        text = _with_places(name.as_posix(), path.read_text(encoding="utf-8"))
        (target / name).write_text(text, encoding="utf-8")


def files_in(sql: str) -> set[str]:
    """The templates that a text was rendered from."""
    return {file for file, _ in PLACE.findall(sql)}


def placed_problem(problem: Problem, sql: str, template: str, folder: Path) -> str:
    """The problem at its place in the templates, and the script that it is in, where that is another file.

    The column is 1 where it is unknown, for a tag before and one after it.
    """
    lines = sql.splitlines()
    index = min(problem.line, len(lines)) - 1
    line, start = lines[index], problem.column - 1
    before = PLACE.sub("", line[:start])
    file, number, column = "", 0, 1
    # A line may hold several: a tag brings lines of another file. The first that fits is the line's own.
    for place in PLACE.finditer(line, start):
        file, number = place[1], int(place[2])
        source = _line(folder, file, number).rstrip().removesuffix(";")
        after = PLACE.sub("", line[start : place.start()])
        if after and source.startswith((before + WORD.findall(after)[0], before + "{{")):
            column = len(before) + 1
            break
        if after and source.endswith(after):
            column = len(source) - len(after) + 1
            break
    if not file:
        # A blank line has no place: that of a neighbour will do.
        near = "\n".join(lines[index:]) + "\n".join(reversed(lines[:index]))
        file, number = PLACE.findall(near)[0]
    script = "" if file == template else f" (in {template})"
    return f"sql/{file}:{number}:{column}: {PLACE.sub('', problem.message)}{script}"


def rendering_problem(error: Exception, template: str, folder: Path) -> str:
    """What keeps a template from being rendered, at the place where it did."""
    file, line = template, 1
    for frame in extract_tb(error.__traceback__):
        if Path(frame.filename).is_relative_to(folder):
            file, line = Path(frame.filename).relative_to(folder).as_posix(), frame.lineno or 1
    return f"sql/{file}:{line}:1: {error}. Next: mend it, or give the value in local/sql_steps.py."


def _line(folder: Path, file: str, number: int) -> str:
    return (folder / file).read_text(encoding="utf-8").splitlines()[number - 1]


def _with_places(name: str, text: str) -> str:
    tags = [match.span() for match in TAG.finditer(text)]
    lines, end = [], 0
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        end += len(line)
        within_tag = any(start < end < stop for start, stop in tags)
        if within_tag or not SILENT_TAG.sub("", line).strip():
            lines.append(line)
        else:
            code = line.rstrip()
            semicolon = ";" * code.endswith(";")  # stays last: that is where checks are told apart
            lines.append(f"{code.removesuffix(';')} /*@{name}:{number}*/{semicolon}\n")
    return "".join(lines)
