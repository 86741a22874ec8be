"""Decides whether a model version may go live: figures and a gate in, decision out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Decision:
    """Whether to promote, and every bar that was missed."""

    promote: bool
    reasons: tuple[str, ...]


def decide(metrics: Mapping[str, Any], gate: Mapping[str, float]) -> Decision:
    """Holds a version's metrics.json to the `gate` of its model file.

    Where a model was live, its figures on the same rows are in metrics.json too, and the challenger has to be
    no worse: the ends of the differences' 95 % intervals count, not the differences. A live model that was
    made with features that are no more has no figures, and stops nobody.
    """
    missed = [*_own_bars(metrics, gate)]
    if metrics["champion"] and "lacking" not in metrics["champion"]:
        missed += _bars_beside(metrics, gate)
    return Decision(promote=not missed, reasons=tuple(missed))


def _own_bars(metrics: Mapping[str, Any], gate: Mapping[str, float]) -> Iterator[str]:
    yield from _unseen("it", metrics["trained_until"], metrics["snapshot_date"])
    yield from _at_least("test rows", metrics["n"], gate["min_examples"])
    yield from _at_least("positives", metrics["positives"], gate["min_positives"])
    yield from _at_least("AUC", metrics["auc"], gate["min_auc"])
    leak = "AUC too good to be true, a feature may know the future"
    yield from _at_most(leak, metrics["auc"], gate["max_auc"])
    rule = metrics["baselines"]["fewer_active_weeks"]["auc"]
    yield from _at_least("AUC beside the rule of fewer active weeks", metrics["auc"], rule)
    yield from _at_least("skill", metrics["skill"], gate["min_skill"])
    yield from _at_most("calibration error", metrics["ece"], gate["max_ece"])
    ratio = metrics["mean_prediction"] / metrics["base_rate"]
    yield from _at_least("mean prediction / base rate", ratio, gate["min_calibration_ratio"])
    yield from _at_most("mean prediction / base rate", ratio, gate["max_calibration_ratio"])


def _bars_beside(metrics: Mapping[str, Any], gate: Mapping[str, float]) -> Iterator[str]:
    yield from _unseen("the live model", metrics["champion"]["trained_until"], metrics["snapshot_date"])
    difference = metrics["differences"]["champion"]
    increase = difference["log_loss"]["high"]
    yield from _at_most(
        "log loss above the live model's, upper 95 %", increase, gate["max_log_loss_increase"]
    )
    decrease = -difference["auc"]["low"]
    yield from _at_most("AUC below the live model's, upper 95 %", decrease, gate["max_auc_decrease"])


def _unseen(name: str, trained_until: str, snapshot_date: str) -> Iterator[str]:
    # ISO dates, whose order is that of their texts.
    if not trained_until <= snapshot_date:
        yield (
            f"test snapshot {snapshot_date}: expected one that nobody has seen, "
            f"got one within what {name} was trained on, which is up to {trained_until}"
        )


def _at_least(name: str, value: float, bar: float) -> Iterator[str]:
    # Written so that NaN misses every bar.
    if not value >= bar:
        yield f"{name}: expected at least {bar:g}, got {value:.4g}"


def _at_most(name: str, value: float, bar: float) -> Iterator[str]:
    if not value <= bar:
        yield f"{name}: expected at most {bar:g}, got {value:.4g}"
