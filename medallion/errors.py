"""The errors that the platform raises on purpose."""

from collections.abc import Sequence

SHOWN = 500  # characters of what was found instead


class MedallionError(Exception):
    """Base of every error the platform raises on purpose."""


class ConfigError(MedallionError):
    """A configuration file is wrong; the message names file, key, expected, got and the next step."""

    def __init__(
        self, file: str, key: str, expected: str, got: object, next_step: str = "mend the file"
    ) -> None:
        told = repr(got)
        told = told if len(told) <= SHOWN else f"{told[:SHOWN]}…"
        super().__init__(f"{file}: {key or 'the file'}: expected {expected}, got {told}. Next: {next_step}.")


class ProblemsError(MedallionError):
    """Several things are wrong with a configuration file; the message has a line for each."""

    def __init__(self, problems: Sequence[ConfigError]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


def raise_problems(problems: Sequence[ConfigError]) -> None:
    """Raises a ConfigError for one problem, a ProblemsError for several, and nothing for none."""
    if problems:
        raise problems[0] if len(problems) == 1 else ProblemsError(problems)
