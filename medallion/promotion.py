"""Decides whether a model version may go live: figures and a gate in, decision out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Decision:
    """Whether to promote, and every bar that was missed."""

    promote: bool
    reasons: tuple[str, ...]


def decide(
    metrics: Mapping[str, Any], gate: Mapping[str, float], champion: Mapping[str, Any] | None
) -> Decision:
    """Holds a version's metrics.json to the `gate` of its model file.

    champion: the live model's figures on the same rows, or None when nothing is live.
    """
    missed = [*_own_bars(metrics, gate), *(_bars_beside(metrics, gate, champion) if champion else ())]
    return Decision(promote=not missed, reasons=tuple(missed))


def _own_bars(metrics: Mapping[str, Any], gate: Mapping[str, float]) -> Iterator[str]:
    yield from _at_least("test rows", metrics["n"], gate["min_examples"])
    yield from _at_least("positives", metrics["positives"], gate["min_positives"])
    yield from _at_least("AUC", metrics["auc"], gate["min_auc"])
    yield from _at_least("AUC beside the rule of fewer active weeks", metrics["auc"], metrics["baseline_auc"])
    yield from _at_least("skill", metrics["skill"], gate["min_skill"])
    yield from _at_most("calibration error", metrics["ece"], gate["max_ece"])
    ratio = metrics["mean_prediction"] / metrics["base_rate"]
    yield from _at_least("mean prediction / base rate", ratio, gate["min_calibration_ratio"])
    yield from _at_most("mean prediction / base rate", ratio, gate["max_calibration_ratio"])


def _bars_beside(
    metrics: Mapping[str, Any], gate: Mapping[str, float], champion: Mapping[str, Any]
) -> Iterator[str]:
    increase = metrics["log_loss"] - champion["log_loss"]
    yield from _at_most("log loss above the live model's", increase, gate["max_log_loss_increase"])
    decrease = champion["auc"] - metrics["auc"]
    yield from _at_most("AUC below the live model's", decrease, gate["max_auc_decrease"])


def _at_least(name: str, value: float, bar: float) -> Iterator[str]:
    # Written so that NaN misses every bar.
    if not value >= bar:
        yield f"{name}: expected at least {bar:g}, got {value:.4g}"


def _at_most(name: str, value: float, bar: float) -> Iterator[str]:
    if not value <= bar:
        yield f"{name}: expected at most {bar:g}, got {value:.4g}"
