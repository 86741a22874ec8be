"""Makes the input: years of the sample as a CSV a month, with dirt and duplicates whose numbers are known."""

import json
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from bench.cleaning.layout import FIELDS, HEADER
from local.sample import export_sample

SEED = 20170101
DIRTY = 0.02  # of the rows
REPEATED = 0.01  # of the rows; half of the repeats are identical, half are newer
FIRST_YEAR = 2017
DATED_YEARS = 8  # whose dates the others bear again: BigQuery takes 4,000 dates in one run
ORDER_STEP = 10**11  # more than the greatest order id, so that no two years share one
# A file with many broken lines at its start is refused as a whole, by another rule than the ones measured
# here; a thousand lines are more than the 64 KiB that are looked at for it.
UNTOUCHED_LINES = 1_000

ORDER, TIME = HEADER.index("basket_id"), HEADER.index("transaction_timestamp")
READ = [HEADER.index(f.source) for f in FIELDS]
NUMBERS = [HEADER.index(f.source) for f in FIELDS if f.type != "TIMESTAMP"]
MONEY = [HEADER.index(f.source) for f in FIELDS if f.type.startswith("DECIMAL")]
COLUMN_OF = {HEADER.index(f.source): f.column for f in FIELDS}

Fields = list[str]
Lines = dict[str, list[str]]  # by month, 01 to 12


@dataclass(frozen=True)
class Kind:
    """A kind of dirt: what it does to a field, where it may do it, and the rule that the row then breaks."""

    name: str
    places: list[int]
    spoil: Callable[[Fields, int], Fields]
    rule: str

    def reason(self, place: int) -> str:
        """The reason as <column>:<rule>; a broken line has no column."""
        return f":{self.rule}" if self.rule in ("shape", "encoding") else f"{COLUMN_OF[place]}:{self.rule}"


@dataclass(frozen=True)
class Expected:
    """What cleaning must find: rows by status, and rejected rows by <column>:<rule>; each breaks one rule."""

    rows: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)

    def __add__(self, other: "Expected") -> "Expected":
        rows, reasons = Counter(self.rows), Counter(self.reasons)
        return Expected(dict(rows + Counter(other.rows)), dict(reasons + Counter(other.reasons)))


def _replaced(change: Callable[[str], str]) -> Callable[[Fields, int], Fields]:
    return lambda fields, place: [*fields[:place], change(fields[place]), *fields[place + 1 :]]


KINDS = (
    Kind("not a number", NUMBERS, _replaced(lambda text: f"{text}x"), "type"),
    Kind("empty", READ, _replaced(lambda text: ""), "required"),
    Kind("negative", NUMBERS, _replaced(lambda text: "-1"), "minimum"),
    Kind("too many decimals", MONEY, _replaced(lambda text: f"{text}5"), "type"),
    Kind("impossible time", [TIME], _replaced(lambda text: f"{text[:4]}-02-30{text[10:]}"), "type"),
    Kind("too few fields", [TIME], lambda fields, _: fields[:-1], "shape"),
    Kind("too many fields", [TIME], lambda fields, _: [*fields, "0"], "shape"),
    Kind("unclosed quote", NUMBERS, _replaced(lambda text: f'"{text}'), "shape"),
    Kind("not UTF-8", NUMBERS, _replaced(lambda text: f"{text}\xff"), "encoding"),  # written as Latin-1
)


def prepare(folder: Path, years: int) -> tuple[list[Path], Expected]:
    """The files of the first `years` years, in order, and what cleaning must find in them.

    Makes the years that aren't there yet; each holds the sample's rows under order ids of its own, and the
    first eight under dates of their own.
    """
    wanted = [folder / f"{number:02}" for number in range(1, years + 1)]
    missing = [year for year in wanted if not (year / "expected.json").exists()]
    if missing:
        months = _sample_months()
        for year in missing:
            write_year(months, int(year.name) - 1, year)
    parts = [Expected(**json.loads((year / "expected.json").read_text())) for year in wanted]
    return [file for year in wanted for file in sorted(year.glob("*.csv"))], sum(parts, Expected())


def write_year(months: Lines, number: int, folder: Path) -> Expected:
    """Writes a year's files and expected.json, which comes last, to a folder that is made anew."""
    dirtied, expected = make_year(months, number)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for month, lines in dirtied.items():
        text = "".join(f"{line}\n" for line in (",".join(HEADER), *lines))
        (folder / f"transactions_{folder.name}-{month}.csv").write_bytes(text.encode("latin-1"))
    (folder / "expected.json").write_text(json.dumps(asdict(expected), indent=1))
    return expected


def make_year(months: Lines, number: int) -> tuple[Lines, Expected]:
    """The sample's lines by month as those of another year, with dirt and repeats, and what is expected.

    A newer repeat comes in the month after its row, as corrections do; in the last month, with its row.
    """
    random = Random(SEED + number)
    year = {month: [_later(line, number) for line in lines] for month, lines in months.items()}
    rows = sum(map(len, year.values()))
    dirty, repeated = round(rows * DIRTY), round(rows * REPEATED)
    touchable = [(month, at) for month, lines in year.items() for at in range(UNTOUCHED_LINES, len(lines))]
    chosen = random.sample(touchable, dirty + repeated)
    repeats = list(_repeats(year, chosen[dirty:]))
    reasons: Counter[str] = Counter()
    for turn, (month, at) in enumerate(chosen[:dirty]):
        kind = KINDS[turn % len(KINDS)]
        place = random.choice(kind.places)
        year[month][at] = ",".join(kind.spoil(year[month][at].split(","), place))
        reasons[kind.reason(place)] += 1
    for month, line in repeats:
        year[month].insert(random.randint(UNTOUCHED_LINES, len(year[month])), line)
    return year, Expected({"valid": rows - dirty, "rejected": dirty, "duplicate": repeated}, dict(reasons))


def _repeats(year: Lines, chosen: Iterable[tuple[str, int]]) -> Iterator[tuple[str, str]]:
    """Repeats of the chosen lines, each with the month in which it comes; every other one is newer."""
    months = list(year)
    after = dict(zip(months, [*months[1:], months[-1]], strict=True))
    for turn, (month, at) in enumerate(chosen):
        line = year[month][at]
        yield (after[month], _newer(line)) if turn % 2 else (month, line)


def _later(line: str, years: int) -> str:
    fields = line.split(",")
    fields[ORDER] = str(int(fields[ORDER]) + years * ORDER_STEP)
    fields[TIME] = f"{int(fields[TIME][:4]) + years % DATED_YEARS}{fields[TIME][4:]}"
    return ",".join(fields)


def _newer(line: str) -> str:
    fields = line.split(",")
    fields[TIME] = str(datetime.fromisoformat(fields[TIME]) + timedelta(hours=1))
    return ",".join(fields)


def _sample_months() -> Lines:
    """The sample's lines by month; the last UTC day, the end of an evening, is December's."""
    months: dict[str, list[str]] = defaultdict(list)
    with TemporaryDirectory() as folder:
        for path in export_sample(Path(folder)):
            day = path.stem.removeprefix("transactions_")
            month = day[5:7] if day.startswith(str(FIRST_YEAR)) else "12"
            months[month] += path.read_text().splitlines()[1:]
    return dict(months)
