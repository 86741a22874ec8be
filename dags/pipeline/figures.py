"""What a report page shows, as plain rows: each class is a row of the query of its name in sql/report/."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal


@dataclass(frozen=True)
class DailySales:
    """What was sold on a business date."""

    order_date: date
    orders: int
    discounts: Decimal
    net_sales: Decimal


@dataclass(frozen=True)
class Segment:
    """A segment's customers, and what they have spent."""

    segment: str
    customers: int
    monetary: Decimal


@dataclass(frozen=True)
class PeakHour:
    """Orders of the period in an hour of a weekday; 0 is Monday."""

    weekday: int
    order_hour: int
    orders: int


@dataclass(frozen=True)
class Agent:
    """What an agent sold in the period, its share of all sales, and how many agents sold."""

    agent_id: int | str
    orders: int
    net_sales: Decimal
    share: float
    agents: int


@dataclass(frozen=True)
class Quality:
    """What all files of a product have brought, and how many runs read them."""

    runs: int = 0
    files: int = 0
    rows_read: int = 0
    rows_valid: int = 0
    rows_rejected: int = 0
    rows_duplicate: int = 0


@dataclass(frozen=True)
class Run:
    """What a published run read."""

    run: str
    contract_version: str
    files: int
    rows_read: int
    rows_valid: int
    rows_rejected: int
    rows_duplicate: int
    published_at: datetime


@dataclass(frozen=True)
class RejectedFile:
    """A file that was rejected as a whole, and how many there are."""

    uri: str
    reason: str | None
    rejected_at: datetime
    files_rejected: int


@dataclass(frozen=True)
class Figures:
    """All that a page shows. None: the product has no such gold table, and the page no section for it.

    newest_date: the newest business date that silver shows; None before there is any.
    """

    quality: Quality = Quality()
    newest_date: date | None = None
    runs: tuple[Run, ...] = ()
    rejected_files: tuple[RejectedFile, ...] = ()
    daily_sales: tuple[DailySales, ...] | None = None
    customer_segments: tuple[Segment, ...] | None = None
    peak_hours: tuple[PeakHour, ...] | None = None
    agent_performance: tuple[Agent, ...] | None = None
