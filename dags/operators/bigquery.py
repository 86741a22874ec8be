"""BigQuery jobs that are submitted or adopted."""

from collections.abc import Callable
from typing import Any

from airflow.exceptions import AirflowException, AirflowFailException
from airflow.providers.google.cloud.hooks.bigquery import BigQueryHook
from airflow.providers.google.cloud.operators.bigquery import BigQueryInsertJobOperator
from airflow.sdk import Context
from google.api_core.exceptions import BadRequest, Conflict, NotFound

from operators.attempts import attempt

# Reasons of Google's error table for BigQuery that another try can mend.
TRANSIENT = {
    *("backendError", "internalError", "jobBackendError", "jobInternalError", "tableUnavailable", "timeout"),
    *("rateLimitExceeded", "jobRateLimitExceeded", "quotaExceeded", "stopped"),
}
CONFLICT = "could not serialize"  # of transactions; its reason is the one of wrong SQL


class BigQueryJobOperator(BigQueryInsertJobOperator):
    """Google's operator, with a job id that is the same for the same work.

    `configure` is called when the task runs; it returns the identity of the work and the job's configuration.
    The configuration's hash becomes part of the job id: changed SQL is another job.
    """

    def __init__(self, *, configure: Callable[[Context], tuple[str, dict[str, Any]]], **kwargs: Any) -> None:
        super().__init__(configuration={}, force_rerun=False, **kwargs)
        self._configure = configure

    def execute(self, context: Context) -> Any:
        self.job_id, self.configuration = self._configure(context)
        return super().execute(context)

    def _submit_job(self, hook: BigQueryHook, job_id: str) -> Any:
        def find(name: str) -> Any:
            try:
                return hook.get_job(job_id=name, project_id=self.project_id, location=self.location)
            except NotFound:
                return None

        name, job = attempt(job_id, find, _has_failed)
        if job is not None:
            self.log.info("Adopting job %s in state %s", name, job.state)
            return job
        try:
            return super()._submit_job(hook, name)
        except Conflict:  # submitted by a try whose reply was lost
            return find(name)
        except BadRequest as error:
            raise _failure(name, {"reason": "invalidQuery", "message": error.message}) from error

    def _handle_job_error(self, job: Any) -> None:
        if job.error_result:
            raise _failure(job.job_id, job.error_result)
        super()._handle_job_error(job)


def _has_failed(job: Any) -> bool:
    return job.state == "DONE" and bool(job.error_result)


def _failure(job_id: str, error: dict[str, str]) -> AirflowException:
    """Worth another try, or final: wrong SQL and a failed audit stay what they are."""
    message = f"BigQuery job {job_id} failed: {error.get('reason')}: {error.get('message')}"
    if error.get("reason") in TRANSIENT or CONFLICT in error.get("message", ""):
        return AirflowException(message)
    return AirflowFailException(message)
