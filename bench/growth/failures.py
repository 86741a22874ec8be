"""What fails of the benchmark is told, and leaves the other figures."""

import textwrap
import traceback

from bench.growth.table import Figures
from local.following import say
from local.paths import LOCAL
from medallion.errors import SHOWN, MedallionError


def reason(error: Exception) -> str:
    """Why something failed; with the type of an error that nobody raises on purpose."""
    return str(error) if isinstance(error, MedallionError) else f"{type(error).__name__}: {error}"


def explain(what: str, error: Exception) -> str:
    """Says that something failed, and where, if nobody raises the error on purpose; returns why in a line."""
    origin = error.__cause__ or error
    if not isinstance(origin, MedallionError):
        traceback.print_exception(origin)
    say(f"{what} failed: {reason(error)}")
    return textwrap.shorten(reason(error), SHOWN, placeholder=" …")


def failed_part(part: str, error: Exception) -> Figures:
    """What there is to tell of a part that has no figures."""
    told = (part, explain(part, error), next_step(part))
    return Figures(part, ("Part", "What failed", "Next"), [told], complete=False)


def next_step(part: str, sizes: str = "") -> str:
    """What to do about a failure: its logs are gone when another part starts."""
    command = f"make bench-growth ONLY={part}" + (f' SIZES="{sizes}"' if sizes else "")
    return f"{command}, then read the logs in {LOCAL}"
