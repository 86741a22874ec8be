"""What the steps of a run hand on to each other."""

from typing import Any

import pytest
from airflow.exceptions import AirflowSkipException
from airflow.providers.google.cloud.hooks.gcs import GCSHook

from medallion.manifest import Manifest, SourceFile
from pipeline.work import RUN, labels, manifest_of, skip_when_nothing_is_new, staging_table

MANIFEST = Manifest("orders", "r1", "abc", {"name": "ü"}, (SourceFile("gs://b/ü", 1, 2, "c"),), "gs://l/r1")


def test_a_manifest_is_read_from_where_discover_left_it(
    context: dict[str, Any], gcs_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", gcs_url)
    bucket = GCSHook().get_conn().create_bucket("lake")
    bucket.blob("runs/orders/r 1/manifest.json").upload_from_string(MANIFEST.to_json())
    context["ti"].returned["discover"] = {"manifest": "gs://lake/runs/orders/r 1/manifest.json"}
    assert manifest_of(context) == MANIFEST


def test_steps_are_skipped_when_only_gold_is_owed(context: dict[str, Any]) -> None:
    context["ti"].returned["discover"] = {}
    with pytest.raises(AirflowSkipException, match="No new files"):
        skip_when_nothing_is_new(context)


def test_steps_go_on_when_there_are_new_files(context: dict[str, Any]) -> None:
    context["ti"].returned["discover"] = {"run": "r1"}
    assert skip_when_nothing_is_new(context) is None


def test_a_staging_table_is_of_one_run() -> None:
    assert staging_table("orders", "r1") == "orders__r1"


def test_labels_are_what_google_takes() -> None:
    assert labels("Orders.of" + "x" * 80, "clean", "owed-2026-11-25T10:00:00+00:00") == {
        "product": "orders_of" + "x" * 54,
        "step": "clean",
        "run": "owed-2026-11-25t10_00_00_00_00",
    }


def test_a_run_that_airflow_renders_stays_a_template() -> None:
    assert labels("orders", "clean", RUN)["run"] == RUN
