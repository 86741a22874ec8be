"""Whatever texts files and people bring: pages and messages show them, and have no markup of theirs."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from html import unescape

from hypothesis import given
from hypothesis import strategies as st

from ml.card import Section, _section_html
from pipeline.figures import Agent, Figures, RejectedFile, Segment
from pipeline.messages import LONGEST, Message
from pipeline.report import render_report
from tests.dags.pipeline.test_report import FIGURES
from tests.fuzzing import fuzzed, in_batches
from tests.markup import parsed

MARKUP = [
    *("<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "\"><svg onload='a()'>", "' onclick='a()"),
    *("</style><b>", "</title><b>", "<!--", "-->", "<![CDATA[", "]]>", "<?php", "<!doctype x>", "</", "<"),
    *("&lt;b&gt;", "&#60;b&#62;", "&amp", "&", '"'),
    *("'", "`", "javascript:alert(1)", "{{ 7 * 7 }}", "{% raw %}"),
    *("\0", "\r\n", "\u2028", "\ufeff", "\x1b[2J", "\uff1cscript\uff1e", "\u202e", "x" * 3000),
]
TEXTS = st.lists(st.sampled_from(MARKUP) | st.text(max_size=10), min_size=1, max_size=4).map("".join)
WHEN = datetime(2017, 3, 2, tzinfo=UTC)
ROWS, PLACES = 5, 6
RUN, AGENT = FIGURES.runs[0], Agent("", 1, Decimal(1), 1.0, ROWS)


def report(name: str, description: str, rows: Sequence[Sequence[str]]) -> str:
    """A report page with a text in each place for one; without charts, which show none."""
    runs, versions, uris, reasons, agents, segments = zip(*rows, strict=True)
    figures = Figures(
        FIGURES.quality,
        FIGURES.newest_date,
        tuple(replace(RUN, run=run, contract_version=of) for run, of in zip(runs, versions, strict=True)),
        tuple(RejectedFile(uri, why, WHEN, ROWS) for uri, why in zip(uris, reasons, strict=True)),
        customer_segments=tuple(Segment(segment, 1, Decimal(1)) for segment in segments),
        agent_performance=tuple(replace(AGENT, agent_id=agent) for agent in agents),
    )
    return render_report(name, description, figures)


def test_any_text_in_a_report_page() -> None:
    plain = parsed(report("a", "a", [["a"] * PLACES] * ROWS)).elements

    @in_batches(ROWS)
    @given(TEXTS, TEXTS, st.lists(st.tuples(*[TEXTS] * PLACES), min_size=ROWS, max_size=ROWS))
    def holds(name: str, description: str, rows: list[tuple[str, ...]]) -> None:
        page = parsed(report(name, description, rows))
        assert page.elements == plain
        shown = {name.replace("_", " ").capitalize(), description}
        shown |= {text for *texts, segment in rows for text in (*texts, segment.capitalize())}
        assert not [text for text in shown if text not in page.text]

    holds()


def test_any_text_in_a_model_card() -> None:
    def card(texts: list[str]) -> str:
        return _section_html(Section(texts[0], texts[1], (tuple(texts[2:4]), tuple(texts[4:6]))))

    plain = parsed(card(["a"] * 6)).elements

    @fuzzed
    @given(st.lists(TEXTS, min_size=6, max_size=6))
    def holds(texts: list[str]) -> None:
        page = parsed(card(texts))
        assert page.elements == plain
        assert page.text == "".join(texts)

    holds()


def test_any_text_in_a_message() -> None:
    @fuzzed
    @given(TEXTS, TEXTS, TEXTS, TEXTS)
    def holds(subject: str, name: str, text: str, more: str) -> None:
        link = f"http://log/{more}"
        message = Message(subject, {name: text, "Rows": None}, link)
        mail = parsed(message.html)
        assert mail.elements == [("p", []), "/p", ("p", []), ("a", [("href", link)]), "/a", "/p"]
        assert mail.text == f"{name}: {text[:LONGEST]}\nLog: {link}"
        assert not {"<", ">"} & set(message.slack)
        assert unescape(message.slack).startswith(f"*{subject}*\n")

    holds()
