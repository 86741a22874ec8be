"""Operators of a model's life: training a version, and letting it go live."""

import json
import logging
from collections.abc import Mapping
from typing import Any

from airflow.providers.google.cloud.hooks.gcs import GCSHook
from airflow.sdk import BaseOperator, Context
from google.api_core.exceptions import PreconditionFailed
from google.cloud.storage import Bucket

from medallion.errors import MedallionError
from medallion.promotion import decide
from operators.dataproc import BatchOperator, JobOperator

LIVE = "live.json"

log = logging.getLogger(__name__)


class PromotionRaceError(MedallionError):
    """Another version went live between evaluation and promotion."""


class MLModelTrainOperator(BatchOperator):
    """Trains a model version as a serverless batch, submitted or adopted.

    Returns the version and its folder gs://<bucket>/<folder>, which holds model.keras and training.json.
    """

    template_fields = (*BatchOperator.template_fields, "folder")

    def __init__(self, *, bucket: str, folder: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.bucket = bucket
        self.folder = folder

    def execute_complete(self, context: Context, event: Any = None) -> Any:
        super().execute_complete(context, event)
        return _trained(self.bucket, self.folder)


class MLModelTrainJobOperator(JobOperator):
    """Trains a model version as a job on a cluster; otherwise like MLModelTrainOperator."""

    template_fields = (*JobOperator.template_fields, "folder")

    def __init__(self, *, bucket: str, folder: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.bucket = bucket
        self.folder = folder

    def execute_complete(self, context: Context, event: Any = None) -> Any:
        super().execute_complete(context, event)
        return _trained(self.bucket, self.folder)


class ModelDeployOperator(BaseOperator):
    """Lets a version that passes the gate go live, by moving the model's pointer <model>/live.json.

    Returns `version` (the live one afterwards, or null), `promoted` and `reasons` (the bars missed). A
    refused version stays in its folder. Raises PromotionRaceError when the pointer moved since evaluation.
    """

    template_fields = ("version",)

    def __init__(
        self, *, model: str, version: str, bucket: str, gate: Mapping[str, float], **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.model = model
        self.version = version
        self.bucket = bucket
        self.gate = gate

    def execute(self, context: Context) -> dict[str, Any]:
        bucket = GCSHook().get_conn().bucket(self.bucket)
        live, generation = read_live(bucket, self.model)
        if live == self.version:
            log.info("model=%s version=%s is live already", self.model, live)
            return {"version": live, "promoted": True, "reasons": []}
        metrics = json.loads(bucket.blob(f"{self.model}/{self.version}/metrics.json").download_as_bytes())
        champion = metrics["champion"]
        if live != (champion and champion["version"]):
            raise self._raced(live)
        decision = decide(metrics, self.gate, champion)
        for reason in decision.reasons:
            log.warning("model=%s version=%s refused: %s", self.model, self.version, reason)
        if decision.promote:
            self._move_pointer(bucket, generation)
            log.info("model=%s version=%s is live, after %s", self.model, self.version, live)
        return {
            "version": self.version if decision.promote else live,
            "promoted": decision.promote,
            "reasons": list(decision.reasons),
        }

    def _move_pointer(self, bucket: Bucket, generation: int) -> None:
        try:
            bucket.blob(f"{self.model}/{LIVE}").upload_from_string(
                json.dumps({"version": self.version}), "application/json", if_generation_match=generation
            )
        except PreconditionFailed:
            raise self._raced("another version") from None

    def _raced(self, live: str | None) -> PromotionRaceError:
        return PromotionRaceError(
            f"{self.model}: {self.version} was evaluated against another version than {live}, "
            "which is live now. Next: run the training DAG again."
        )


def _trained(bucket: str, folder: str) -> dict[str, Any]:
    """What a training job says of the version that it left in a folder."""
    training = json.loads(GCSHook().download(bucket_name=bucket, object_name=f"{folder}/training.json"))
    log.info("step=train version=%s features=%d", training["version"], len(training["features"]))
    return {"version": training["version"], "uri": f"gs://{bucket}/{folder}"}


def read_live(bucket: Bucket, model: str) -> tuple[str | None, int]:
    """The live version of a model and the generation of its pointer; None and 0 where nothing is live."""
    blob = bucket.get_blob(f"{model}/{LIVE}")
    if blob is None:
        return None, 0
    return json.loads(blob.download_as_bytes(if_generation_match=blob.generation))["version"], blob.generation
