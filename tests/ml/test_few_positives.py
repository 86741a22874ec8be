"""A handful of inactive customers: the version comes to the gate, which refuses it by its reason."""

import json
from pathlib import Path

import pandas as pd
import pytest

from medallion.models import load_model
from medallion.promotion import decide
from ml import evaluate
from ml.features import LABEL
from tests.ml.conftest import write_examples

GATE = load_model("customer_churn").gate


@pytest.mark.parametrize(("rows", "learned", "positives"), [(400, 3, 3), (400, 0, 1), (7, 1, 1), (3, 2, 2)])
def test_too_few_positives_are_told_by_the_gate(
    extract: pd.DataFrame, version: str, tmp_path: Path, rows: int, learned: int, positives: int
) -> None:
    few = extract.groupby("split").head(rows).copy()
    inactive = few["split"].map({"train": learned, "test": positives}).fillna(0)
    few[LABEL] = (few.groupby("split").cumcount() < inactive).astype("Float64")
    write_examples(tmp_path / "examples", few)
    asked = ["--examples", str(tmp_path / "examples"), "--model", version, "--champion", version]
    evaluate.main([*asked, "--output", str(tmp_path)])
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    decision = decide(metrics, GATE)
    assert not decision.promote
    assert f"positives: expected at least 200, got {positives}" in decision.reasons
    assert len(metrics["curves"]["reliability"]) == min(rows, 10)
    assert metrics["curves"]["lift"][-1] == [1.0, 1.0]
