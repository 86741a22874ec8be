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
from medallion.pointer import PointerMovedError, promote, read_pointer
from medallion.promotion import Decision, decide
from operators.dataproc import BatchOperator, JobOperator

log = logging.getLogger(__name__)


class PromotionRaceError(MedallionError):
    """Another version went live between evaluation and promotion."""


class _Training(BaseOperator):
    """What both ways of running Spark have in common when they train a version into a folder of a bucket.

    The task returns the version and its folder gs://<bucket>/<folder>, where training.json came last.
    """

    def __init__(self, *, bucket: str, folder: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.bucket = bucket
        self.folder = folder

    def execute(self, context: Context) -> Any:
        super().execute(context)  # comes back only from a job that had ended; any other is waited for
        return self._trained()

    def execute_complete(self, context: Context, event: Any = None) -> Any:
        super().execute_complete(context, event)  # type: ignore[misc]
        return self._trained()

    def _trained(self) -> dict[str, str]:
        written = GCSHook().download(bucket_name=self.bucket, object_name=f"{self.folder}/training.json")
        training = json.loads(written)
        log.info("step=train version=%s features=%d", training["version"], len(training["features"]))
        return {"version": training["version"], "uri": f"gs://{self.bucket}/{self.folder}"}


class MLModelTrainOperator(_Training, BatchOperator):
    """Trains a model version as a serverless batch, submitted or adopted."""

    template_fields = (*BatchOperator.template_fields, "folder")


class MLModelTrainJobOperator(_Training, JobOperator):
    """Trains a model version as a job on a cluster, submitted or adopted."""

    template_fields = (*JobOperator.template_fields, "folder")


class ModelDeployOperator(BaseOperator):
    """Lets a version that passes the gate go live, by moving the model's pointer <model>/live.json.

    Returns `live` (the version that is live afterwards, or null), `promoted` and `reasons` (the bars missed).
    A refused version stays in its folder, with the reasons in decision.json. Raises PromotionRaceError when
    the pointer moved since evaluation. There is nothing to wait for, so it doesn't defer.
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
        pointer = read_pointer(bucket, self.model)
        if pointer.version == self.version:
            log.info("model=%s version=%s is live already", self.model, self.version)
            return self._decided(bucket, Decision(promote=True, reasons=()), self.version)
        metrics = json.loads(bucket.blob(f"{self.model}/{self.version}/metrics.json").download_as_bytes())
        champion = metrics["champion"]
        if pointer.version != (champion and champion["version"]):
            raise self._raced(pointer.version)
        decision = decide(metrics, self.gate)
        if self.version in pointer.withdrawn:
            decision = Decision(promote=False, reasons=("withdrawn by a rollback", *decision.reasons))
        for reason in decision.reasons:
            log.warning("model=%s version=%s refused: %s", self.model, self.version, reason)
        if not decision.promote:
            return self._decided(bucket, decision, pointer.version)
        try:
            promote(bucket, self.model, pointer, self.version)
        except PointerMovedError:
            raise self._raced("another version") from None
        log.info("model=%s version=%s is live, after %s", self.model, self.version, pointer.version)
        return self._decided(bucket, decision, self.version)

    def _decided(self, bucket: Bucket, decision: Decision, live: str | None) -> dict[str, Any]:
        """What the task returns; a version's first decision is kept beside it."""
        told = {"promoted": decision.promote, "reasons": list(decision.reasons)}
        try:
            bucket.blob(f"{self.model}/{self.version}/decision.json").upload_from_string(
                json.dumps(told), "application/json", if_generation_match=0
            )
        except PreconditionFailed:
            log.info("model=%s version=%s was decided on before", self.model, self.version)
        return {"live": live, **told}

    def _raced(self, live: str | None) -> PromotionRaceError:
        return PromotionRaceError(
            f"{self.model}: {self.version} was evaluated against another version than {live}, "
            "which is live now. Next: run the training DAG again."
        )
