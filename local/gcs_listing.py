"""Pages of object names, as Cloud Storage lists them: by prefix, folder, pattern and range."""

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

MAX_PAGE = 1000
GLOB_TOKEN = re.compile(r"\*\*/|\*\*|\[[^\]]+\]|.", re.DOTALL)
WILDCARDS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


@dataclass(frozen=True)
class Page:
    """Objects and folder prefixes, each in order; `next_token` is None on the last page."""

    names: list[str]
    prefixes: list[str]
    next_token: str | None


@dataclass(frozen=True)
class Listing:
    """The parameters of one `objects.list` request."""

    prefix: str = ""
    delimiter: str = ""
    match_glob: str = ""
    start_offset: str = ""
    end_offset: str = ""
    page_token: str = ""
    max_results: int = MAX_PAGE

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> "Listing":
        return cls(
            prefix=query.get("prefix", ""),
            delimiter=query.get("delimiter", ""),
            match_glob=query.get("matchGlob", ""),
            start_offset=query.get("startOffset", ""),
            end_offset=query.get("endOffset", ""),
            page_token=query.get("pageToken", ""),
            max_results=min(int(query.get("maxResults") or MAX_PAGE), MAX_PAGE),
        )

    def page(self, names: Iterable[str]) -> Page:
        """Returns the page that follows `page_token`, which is the last entry of the page before."""
        entries = sorted({self._entry(name) for name in names if self._wanted(name)})
        rest = [entry for entry in entries if entry[0] > self.page_token]
        page = rest[: self.max_results]
        return Page(
            names=[name for name, is_prefix in page if not is_prefix],
            prefixes=[name for name, is_prefix in page if is_prefix],
            next_token=page[-1][0] if len(page) < len(rest) else None,
        )

    def _wanted(self, name: str) -> bool:
        return (
            name.startswith(self.prefix)
            and name >= self.start_offset
            and (not self.end_offset or name < self.end_offset)
            and (not self.match_glob or bool(glob_pattern(self.match_glob).fullmatch(name)))
        )

    def _entry(self, name: str) -> tuple[str, bool]:
        """The name itself, or the prefix that stands for all names in its folder."""
        folder, delimiter, _ = name[len(self.prefix) :].partition(self.delimiter or "\0")
        return (self.prefix + folder + delimiter, True) if delimiter else (name, False)


@functools.lru_cache
def glob_pattern(glob: str) -> re.Pattern[str]:
    """The regular expression of a `matchGlob`: `*`, `**`, `?`, `[a-z]`, `{one,other}`."""
    pattern, depth = "", 0
    for token in GLOB_TOKEN.findall(glob):
        depth += (token == "{") - (token == "}")
        if token in WILDCARDS:
            pattern += WILDCARDS[token]
        elif token in "{}":
            pattern += "(?:" if token == "{" else ")"
        elif token == "," and depth:
            pattern += "|"
        elif token.startswith("[") and len(token) > 1:
            pattern += token.replace("[!", "[^", 1)
        else:
            pattern += re.escape(token)
    return re.compile(pattern, re.DOTALL)
