"""The report page: what it shows, what it leaves out, and that data cannot become markup."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from pipeline.figures import Agent, DailySales, Figures, PeakHour, Quality, RejectedFile, Run, Segment
from pipeline.report import percent, render_report, tiles

HOSTILE = "<script>alert(1)</script>\" onload='alert(2)'"
PUBLISHED = datetime(2017, 3, 2, 5, 30, tzinfo=UTC)


def sales(days: int = 3, net_sales: str = "1000.50") -> tuple[DailySales, ...]:
    return tuple(
        DailySales(
            date(2017, 1, 1) + timedelta(days=day),
            100,
            Decimal("199.50"),
            Decimal(net_sales),
        )
        for day in range(days)
    )


FIGURES = Figures(
    quality=Quality(1, 2, 1_000, 985, 10, 5),
    newest_date=date(2017, 1, 3),
    runs=(Run("20170103-abc", "1.0.0", 2, 1_000, 985, 10, 5, PUBLISHED),),
    rejected_files=(RejectedFile("gs://bronze/bad.csv", "no column order_id", PUBLISHED, 1),),
    daily_sales=sales(),
    customer_segments=(Segment("champions", 30, Decimal("2400")), Segment("dormant", 70, Decimal("600"))),
    peak_hours=(PeakHour(5, 17, 120), PeakHour(0, 9, 30)),
    agent_performance=(Agent(406, 210, Decimal("1700"), 0.567, 12),),
)


def page(figures: Figures = FIGURES, description: str = "Orders of the stores.") -> str:
    return render_report("customer_transactions", description, figures)


@pytest.mark.parametrize(
    "shown",
    [
        "<h1>Customer transactions</h1>",
        "Orders of the stores.",
        "1 January 2017 to 3 January 2017",
        ">$3,002<",  # net sales, three days
        ">$10.01<",  # average order
        "Champions: 30.0% of 100 customers, 80.0% of spending.",
        "Busiest on Saturdays at 5 pm: 120 of 150 orders in the period.",
        "<title>Saturday 5 pm: 120 orders</title>",
        "The first 1 of 12 agents made 56.7% of sales.",
        ">985<",
        "98.5% of rows",
        "2 Mar 2017, 05:30 UTC",
        "gs://bronze/bad.csv",
        "no column order_id",
    ],
)
def test_figures_are_shown_as_people_write_them(shown: str) -> None:
    assert shown in page()


@pytest.mark.parametrize(
    "hostile",
    [
        page(description=HOSTILE),
        render_report(HOSTILE, "", FIGURES),
        page(replace(FIGURES, runs=(replace(FIGURES.runs[0], run=HOSTILE, contract_version=HOSTILE),))),
        page(replace(FIGURES, rejected_files=(RejectedFile(HOSTILE, HOSTILE, PUBLISHED, 1),))),
        page(replace(FIGURES, customer_segments=(Segment(HOSTILE, 1, Decimal(1)),))),
        page(replace(FIGURES, agent_performance=(Agent(HOSTILE, 1, Decimal(1), 1.0, 1),))),
    ],
    ids=["description", "product", "run", "file", "segment", "agent"],
)
def test_text_from_data_never_becomes_markup(hostile: str) -> None:
    assert "script&gt;alert(1)" in hostile
    assert "<script" not in hostile.lower()
    assert "onload='" not in hostile


def test_the_page_asks_for_nothing_from_outside() -> None:
    html = page()
    assert "https://" not in html and "http://" not in html
    assert "src=" not in html and "url(" not in html and "@import" not in html
    assert re.findall(r'href="([^"]*)"', html) == ["data:,"]


def test_every_table_has_a_caption_and_every_chart_a_title_and_a_description() -> None:
    html = page()
    assert html.count("<table") == html.count("<caption") == 5
    assert html.count('role="img"') == html.count("<desc>") == 2
    assert len(re.findall(r'role="img"[^>]*><title>[^<]+</title><desc>[^<]+</desc>', html)) == 2


def test_a_product_without_a_gold_table_has_no_section_for_it() -> None:
    html = page(Figures(quality=FIGURES.quality, runs=FIGURES.runs))
    assert re.findall(r"<h2[^>]*>([^<]*)</h2>", html) == ["Data quality"]


def test_empty_tables_are_told_in_a_sentence() -> None:
    html = page(Figures(daily_sales=(), customer_segments=(), peak_hours=(), agent_performance=()))
    told = re.findall(r'<p class="empty">No ([^:]*) yet', html)
    assert told == ["sales", "orders by hour", "customers", "sales by agent", "runs"]


def test_a_single_day_and_figures_of_nothing_but_zeros_still_make_charts() -> None:
    html = page(
        replace(
            FIGURES,
            daily_sales=sales(days=1, net_sales="0"),
            peak_hours=(PeakHour(0, 0, 0),),
            agent_performance=(Agent(1, 0, Decimal(0), 0.0, 1),),
        )
    )
    assert html.count('role="img"') == 2
    assert "nan" not in re.sub(r"<style>.*</style>", "", html, flags=re.DOTALL).lower()


def test_a_headline_tells_the_change_of_28_days_once_there_are_56() -> None:
    days = [
        *sales(28, "100"),
        *(replace(row, order_date=row.order_date + timedelta(28)) for row in sales(28, "150")),
    ]
    assert tiles(days)[0].change == pytest.approx(0.5)
    assert tiles(days[1:])[0].change is None


def test_a_share_that_is_almost_nothing_or_almost_all_is_not_rounded_to_it() -> None:
    assert [percent(share) for share in (0.0, 0.0001, 0.25, 0.9999, 1.0)] == [
        "0.0%", "<0.1%", "25.0%", ">99.9%", "100.0%",
    ]  # fmt: skip
