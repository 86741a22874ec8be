"""BigQuery jobs that are submitted or adopted, and whose cost is noted."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.exceptions import AirflowException, AirflowFailException
from airflow.providers.google.cloud.hooks.bigquery import BigQueryHook
from airflow.providers.google.cloud.operators.bigquery import BigQueryInsertJobOperator
from airflow.sdk import Context
from google.api_core.exceptions import BadRequest, Conflict

from operators.attempts import attempt, existing

log = logging.getLogger(__name__)

# Reasons of Google's error table for BigQuery that another try can mend.
TRANSIENT = {
    *("backendError", "internalError", "jobBackendError", "jobInternalError", "tableUnavailable", "timeout"),
    *("rateLimitExceeded", "jobRateLimitExceeded", "quotaExceeded", "stopped"),
}
# Conflicts come with the reason of wrong SQL, or of too large a query where too many statements wait.
CONFLICTS = ("could not serialize", "aborted due to concurrent update", "too many dml statements outstanding")


class BigQueryJobOperator(BigQueryInsertJobOperator):
    """Google's operator, with a job id that is the same for the same work.

    `configure` is called when the task runs; it returns the identity of the work and the job's configuration.
    The configuration's hash becomes part of the job id: changed SQL is another job. A job that succeeded more
    than `kept_days` ago is not adopted, for staging tables expire. Nor is, where `within_run`, one that
    succeeded before the DAG run began, or before it was cleared: the run found the work still to be done, so
    it was undone, as by a table that was restored. Where `noted_in` names a table like ops.jobs, a job that
    has ended is noted there, with what the service says of its cost.
    """

    def __init__(
        self,
        *,
        configure: Callable[[Context], tuple[str, dict[str, Any]]],
        kept_days: int = 1,
        within_run: bool = False,
        noted_in: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(configuration={}, force_rerun=False, **kwargs)
        self._configure = configure
        self._kept_days = kept_days
        self._within_run = within_run
        self._noted_in = noted_in

    def _is_of_no_use(self, job: Any) -> bool:
        """Whether a job has failed, or ended so long ago that what it made may be gone."""
        if job.state != "DONE":
            return False
        return bool(job.error_result) or (job.ended is not None and job.ended < self._oldest)

    def execute(self, context: Context) -> Any:
        self.job_id, self.configuration = self._configure(context)
        kept = datetime.now(UTC) - timedelta(days=self._kept_days)
        self._oldest = max(kept, context["dag_run"].start_date) if self._within_run else kept
        return super().execute(context)

    def _submit_job(self, hook: BigQueryHook, job_id: str) -> Any:
        find = existing(hook.get_job, "job_id", project_id=self.project_id, location=self.location)
        name, job = attempt(job_id, find, self._is_of_no_use)
        if job is not None:
            log.info("Adopting job %s in state %s", name, job.state)
            return job
        try:
            return super()._submit_job(hook, name)
        except Conflict:  # submitted by a try whose reply was lost
            return find(name)
        except BadRequest as error:
            raise _failure(name, told_by(error)) from error

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        path = context["ti"].xcom_pull(task_ids=self.task_id, key="job_id_path")
        job_id = path.rpartition(":")[2]
        job = self._hook().get_job(job_id=job_id, project_id=self.project_id, location=self.location)
        if job.state == "DONE":  # else the trigger could not ask: the next try adopts what still runs
            self._handle_job_error(job)
        return super().execute_complete(context, event)

    def _handle_job_error(self, job: Any) -> None:
        """What Google's operator calls when a job has ended, well or not."""
        if self._noted_in:
            self._note(job, self._noted_in)
        if job.error_result:
            raise _failure(job.job_id, job.error_result)
        super()._handle_job_error(job)

    def _note(self, job: Any, table: str) -> None:
        client = self._hook().get_client(project_id=self.project_id, location=self.location)
        row = cost(job)
        errors: Sequence[Any]
        try:
            # The id lets the service take a second note of the same job for the first.
            errors = client.insert_rows_json(table, [row], row_ids=[job.job_id])
        except Exception as error:  # whatever the client raises, a run does not fail for its bookkeeping
            errors = [error]
        for problem in errors:
            log.warning("Job %s is not noted in %s: %s", job.job_id, table, problem)

    def _hook(self) -> BigQueryHook:
        return BigQueryHook(gcp_conn_id=self.gcp_conn_id, impersonation_chain=self.impersonation_chain)


def cost(job: Any) -> dict[str, Any]:
    """A row of ops.jobs about a job that has ended; what the service doesn't tell of its kind is null."""
    labels = job.labels or {}
    return {
        **{name: labels.get(name, "") for name in ("product", "run", "step")},
        "job_id": job.job_id,
        "failed": bool(job.error_result),
        "started_at": job.started and job.started.isoformat(),
        "ended_at": job.ended and job.ended.isoformat(),
        "bytes_processed": getattr(job, "total_bytes_processed", None),
        "bytes_billed": getattr(job, "total_bytes_billed", None),
        "slot_ms": getattr(job, "slot_millis", None),
    }


def told_by(refusal: BadRequest) -> dict[str, str]:
    """The error behind a refused request, as that of a job is told; a job that failed may be one, too."""
    told = refusal.errors[0] if refusal.errors else {"reason": "invalidQuery"}
    return {**told, "message": refusal.message}


def is_passing(error: Mapping[str, str]) -> bool:
    """Whether another try may mend an error: the service's own, or that others wrote to the same table."""
    message = error.get("message", "").lower()
    return error.get("reason") in TRANSIENT or any(conflict in message for conflict in CONFLICTS)


def _failure(job_id: str, error: Mapping[str, str]) -> AirflowException:
    """Worth another try, or final: wrong SQL and a failed audit stay what they are."""
    message = f"BigQuery job {job_id} failed: {error.get('reason')}: {error.get('message')}"
    if is_passing(error):
        return AirflowException(message)
    return AirflowFailException(message)
