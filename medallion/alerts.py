"""Who is told of what: a product's alerts, and the people and channels behind them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Audience:
    """E-mail addresses, and the Airflow connection of a Slack channel."""

    email: tuple[str, ...] = ()
    slack: str | None = None

    def __bool__(self) -> bool:
        """Whether there is anybody to tell."""
        return bool(self.email or self.slack)


NOBODY = Audience()


@dataclass(frozen=True)
class Alert:
    """A condition on the rows of a gold table; where some meet it, the audience is told."""

    name: str
    description: str
    table: str
    where: str
    audience: Audience


def parse_audience(data: Mapping[str, Any]) -> Audience:
    """An audience, from the part of a file that names it."""
    return Audience(tuple(data.get("email", ())), data.get("slack"))


def parse_notify(document: Mapping[str, Any], event: str) -> Audience:
    """Whom a product's or a model's file wants told of an event, by its name there."""
    return parse_audience(document.get("notify", {}).get(event, {}))


def parse_alert(data: Mapping[str, Any]) -> Alert:
    """An alert, from its part of a product file."""
    told = {name: data[name] for name in ("name", "description", "table", "where")}
    return Alert(**told, audience=parse_audience(data))
