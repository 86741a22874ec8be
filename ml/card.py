"""The model card: what a version was made of, how good it is and for whom, as Markdown and as a page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from ml.charts import line_chart

Document = dict[str, Any]

FIGURES = {
    "auc": "AUC",
    "pr_auc": "PR-AUC",
    "log_loss": "Log loss",
    "skill": "Skill",
    "ece": "Calibration error",
    "mean_prediction": "Mean prediction",
}
RIVALS = {
    "base_rate": "base rate",
    "fewer_active_weeks": "fewer active weeks",
    "rfm_logistic": "logistic regression on RFM",
    "champion": "live model",
}
STYLE = """
body { max-width: 1080px; margin: 0 auto; padding: 40px 24px; font: 16px/1.5 system-ui, sans-serif; }
body { color: #1e2227; background: #fbfaf7; }
h1 { margin: 0 0 4px; } h2 { margin: 36px 0 8px; } p { color: #646a73; margin: 0 0 12px; max-width: 75ch; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; } .scroll { overflow-x: auto; }
th, td { padding: 5px 14px 5px 0; text-align: right; border-bottom: 1px solid #e5e2db; }
td { overflow-wrap: anywhere; }
th:first-child, td:first-child { text-align: left; } th { color: #646a73; font-weight: 400; font-size: 14px; }
svg { width: 100%; max-width: 380px; display: block; } svg text { font-size: 11px; fill: #646a73; }
svg line { stroke: #e5e2db; } polyline { fill: none; stroke-width: 2; } circle, .key { fill: #0f6b66; }
.model { stroke: #0f6b66; } .beside { stroke: #9aa1a9; stroke-dasharray: 5 4; }
"""


@dataclass(frozen=True)
class Section:
    """A heading, what it says, a table whose first row is its head, and an SVG of it for the page."""

    title: str
    text: str
    table: tuple[tuple[str, ...], ...]
    chart: str = ""


def card_markdown(metrics: Document, training: Document) -> str:
    """The card as Markdown; its charts are tables."""
    parts = [f"# Model {metrics['version']}\n"]
    for section in _sections(metrics, training):
        head, *rows = (f"| {' | '.join(row)} |" for row in section.table)
        rule = "|---" + "|---:" * (len(section.table[0]) - 1) + "|"
        parts.append("\n".join([f"## {section.title}\n", f"{section.text}\n", head, rule, *rows, ""]))
    return "\n".join(parts)


def card_html(metrics: Document, training: Document) -> str:
    """The card as a page that needs no other file and runs nothing."""
    sections = "".join(map(_section_html, _sections(metrics, training)))
    title = escape(f"Model {metrics['version']}")
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}"><link rel="icon" href="data:,">'
        f"<title>{title}</title><style>{STYLE}</style></head><body><h1>{title}</h1>{sections}</body></html>\n"
    )


def _section_html(section: Section) -> str:
    head, *rows = section.table
    cells = [f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows]
    names = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    return (
        f"<h2>{escape(section.title)}</h2><p>{escape(section.text)}</p>{section.chart}"
        f'<div class="scroll"><table><thead><tr>{names}</tr></thead>'
        f"<tbody>{''.join(cells)}</tbody></table></div>"
    )


def _sections(metrics: Document, training: Document) -> Iterator[Section]:
    yield _origin(metrics, training)
    yield _quality(metrics)
    yield _rivals(metrics)
    yield _reliability(metrics)
    yield _roc(metrics)
    yield _lift(metrics)
    yield _slices(metrics)
    yield _ranges(training)


def _origin(metrics: Document, training: Document) -> Section:
    origin = training["origin"]
    days = origin["train_dates"]
    rows = (
        ("Training snapshots", f"{len(days)}, {days[0]} to {days[-1]}; {training['rows']['train']:,} rows"),
        ("Validation snapshot", f"{origin['validation_date']}; {training['rows']['validation']:,} rows"),
        (
            "Test snapshot",
            f"{metrics['snapshot_date']}; {metrics['n']:,} customers, {metrics['positives']:,} inactive",
        ),
        ("Learned from dates up to", metrics["trained_until"]),
        ("Data, fingerprint of partitions", f"{origin['fingerprint']} ({origin['partitions']} partitions)"),
        ("Code, release", origin["release"]),
        ("Seed, best epoch", f"{training['seed']}, {training['best_epoch']}"),
        *((name, version) for name, version in training["libraries"].items()),
    )
    text = "Whether a customer of the last 90 days places no order in the next 30."
    return Section("What it is made of", text, (("", "value"), *rows))


def _quality(metrics: Document) -> Section:
    rows = [
        (label, f"{metrics[name]:.4f}", *(f"{end:.4f}" for end in metrics["intervals"][name]))
        for name, label in FIGURES.items()
    ]
    text = (
        f"On the test snapshot, whose base rate is {metrics['base_rate']:.4f}. Skill is the log loss saved "
        "against predicting the base rate. From and to: the 95 % interval, by drawing customers 1,000 times."
    )
    return Section("How good it is", text, (("figure", "value", "from", "to"), *rows))


def _rivals(metrics: Document) -> Section:
    others = {**metrics["baselines"], **({"champion": metrics["champion"]} if metrics["champion"] else {})}
    rows = [
        (
            f"{RIVALS[rival]}, {FIGURES[name]}",
            f"{others[rival][name]:.4f}",
            *(f"{difference[end]:+.4f}" for end in ("value", "low", "high")),
        )
        for rival, differences in metrics["differences"].items()
        for name, difference in differences.items()
        if name != "mean_prediction"
    ]
    text = (
        "Others on the same customers; by how much the model is above them, with the ends of 95 % intervals."
    )
    return Section("Beside others", text, (("other", "its value", "difference", "from", "to"), *rows))


def _reliability(metrics: Document) -> Section:
    points = metrics["curves"]["reliability"]
    chart = line_chart("Reliability", "predicted", "came true", points, [[0, 0], [1, 1]], dots=True)
    text = "Ten equal groups of customers by prediction: on the diagonal, what was predicted came true."
    return Section("Reliability", text, (("predicted", "came true"), *_rows(points)), chart)


def _roc(metrics: Document) -> Section:
    points = metrics["curves"]["roc"]
    chart = line_chart(
        "ROC", "active customers flagged", "inactive customers found", points, [[0, 0], [1, 1]]
    )
    text = f"Area under the curve: {metrics['auc']:.4f}."
    return Section("ROC", text, (("active flagged", "inactive found"), *_rows(points[::10])), chart)


def _lift(metrics: Document) -> Section:
    points = metrics["curves"]["lift"]
    chart = line_chart(
        "Lift", "customers contacted", "times the base rate", points, [[0, 1], [1, 1]], dots=True
    )
    text = "The likeliest customers first: how many times the base rate the inactive are among them."
    return Section("Lift", text, (("customers contacted", "lift"), *_rows(points)), chart)


def _slices(metrics: Document) -> Section:
    rows = [
        (
            f"{part['feature']} {part['values']}",
            f"{part['n']:,}",
            f"{part['base_rate']:.4f}",
            f"{part['mean_prediction']:.4f}",
            "" if part["auc"] is None else f"{part['auc']:.4f}",
        )
        for part in metrics["slices"]
    ]
    head = ("customers", "n", "base rate", "mean prediction", "AUC")
    return Section("For whom", "The same by kind of customer.", (head, *rows))


def _ranges(training: Document) -> Section:
    ranges = training["ranges"]
    names = list(next(iter(ranges.values())))
    rows = [(feature, *(f"{values[name]:.4g}" for name in names)) for feature, values in ranges.items()]
    return Section("Features", "Their ranges in the training rows.", (("feature", *names), *rows))


def _rows(points: Sequence[Sequence[float]]) -> list[tuple[str, ...]]:
    return [tuple(f"{value:.4f}" for value in point) for point in points]
