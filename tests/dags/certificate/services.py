"""What stands before BigQuery and Cloud Storage in the certificate, and knows their requests."""

import json
import re
from dataclasses import replace
from typing import Any

from tests.dags.certificate.faults import WAITING, Fault, Plan
from tests.dags.certificate.proxy import Proxy, Reply, Request, refusal, told

JOBS = re.compile(r"/bigquery/v2/projects/([^/?]+)/jobs(?:/([^/?]+))?(?:\?.*)?")
TRANSACTION = re.compile(r"BEGIN TRANSACTION;(.*?)COMMIT TRANSACTION;", re.DOTALL)
ABORTED = "Transaction is aborted due to concurrent update against table"
NOTED = re.compile(r"INSERT INTO `[^`]*\.(?:refreshes|runs)`")


class BigQuery(Proxy):
    """Jobs as the service has them: an id is taken once, and a job that failed stays failed.

    `fail job` answers as if the job had failed, without it having run; `fail done job` the same of one that
    has; `break script` has a script fail at one of the statements in its transaction; `run long` says that
    the job runs on, until the one who waits for it was killed.
    """

    service = "bigquery"

    def __init__(self, upstream: str, plan: Plan) -> None:
        super().__init__(upstream, plan)
        self.submitted: dict[str, str] = {}  # the work that a job is for, by the job's id
        self._failed: dict[str, Any] = {}
        self._running: set[str] = set()
        self._refused: set[str] = set()
        self.in_vain: list[Fault] = []

    def failed(self) -> set[str]:
        """Jobs that failed, by their ids: by a fault, or as the emulator tells."""
        return {*self._failed, *self._refused}

    def kind(self, request: Request) -> str:
        jobs = JOBS.fullmatch(request.path)
        if request.path.partition("?")[0].endswith("/insertAll"):
            return "note"
        if jobs and request.method == "POST" and not jobs[2]:
            return "insert" if _work(request) else "ask"
        return "get" if jobs and request.method == "GET" and jobs[2] else ""

    def answer(self, request: Request) -> Reply | None:
        kind = self.kind(request)
        job = _job_id(request) if kind in ("insert", "ask", "get") else ""
        if kind in ("insert", "ask"):
            if job in self.submitted:
                return refusal(409, "duplicate", f"Already Exists: Job {job}")
            self.submitted[job] = _work(request)
        reply = super().answer(request)
        if reply and job and b'"errorResult"' in reply.body:
            self._refused.add(job)
        if kind == "get" and job in self._failed:
            return told(self._failed[job])
        return _as_running(reply) if reply and job in self._running else reply

    def let_fail(self, request: Request, fault: Fault) -> Reply | None:
        match fault.action:
            case "refuse" | "kill before":
                if self.kind(request) in ("insert", "ask"):
                    self.submitted.pop(_job_id(request))
                return super().let_fail(request, fault)
            case "fail job":
                return self._fail(request, fault)
            case "fail done job":
                self.forward(request)
                return self._fail(request, fault)
            case "break script":
                reply = self.forward(replace(request, body=_broken(request.body, fault.told["place"])))
                if ABORTED.encode() not in reply.body:
                    self.in_vain.append(fault)
                return reply
            case "run long":
                job = _job_id(request)
                self._running.add(job)
                until = replace(fault, request="get", action="kill and end", phase=WAITING)
                self._plan.arm([replace(until, told={"job": job})])
                return self.forward(request)
            case "kill and end":
                self._running.discard(fault.told["job"])
                self._plan.kill()
                return None
        return super().let_fail(request, fault)

    def _fail(self, request: Request, fault: Fault) -> Reply:
        resource = json.loads(request.body)
        error = {"reason": fault.told["reason"], "message": fault.told["message"]}
        reference = {"location": "US", **resource["jobReference"]}
        failed = {
            **resource,
            "kind": "bigquery#job",
            "id": f"{reference['projectId']}:US.{reference['jobId']}",
            "jobReference": reference,
            "status": {"state": "DONE", "errorResult": error, "errors": [error]},
            "statistics": {"creationTime": "0", "startTime": "0", "endTime": "0"},
        }
        self._failed[reference["jobId"]] = failed
        return told(failed)


class Storage(Proxy):
    """Objects as they come and go."""

    service = "storage"

    def kind(self, request: Request) -> str:
        if request.path.startswith("/upload/"):
            return "upload"
        return "get" if request.method == "GET" else ""


def _job_id(request: Request) -> str:
    match = JOBS.fullmatch(request.path)
    assert match is not None
    return match[2] or str(json.loads(request.body)["jobReference"]["jobId"])


def _work(request: Request) -> str:
    """Run, step and task of a job, by its labels; nothing for a question that a task asks."""
    labels = json.loads(request.body)["configuration"].get("labels", {})
    return " ".join(labels[name] for name in ("run", "step", "airflow-task") if name in labels)


def _as_running(reply: Reply) -> Reply:
    job = json.loads(reply.body)
    return told({**job, "status": {"state": "RUNNING"}}, reply.status)


def _broken(body: bytes, place: float) -> bytes:
    """A job whose script fails at a place in its transaction, from 0, its beginning, to 1, its end; and where
    there is none, before it notes what it did.
    """
    job = json.loads(body)
    script = job["configuration"]["query"]["query"]
    places = [found.start() for found in NOTED.finditer(script)][-1:]
    transaction = TRANSACTION.search(script)
    if transaction:
        ends = [transaction.start(1) + found.end() for found in re.finditer(r"(?<=;)\s*\n", transaction[1])]
        places = [at for at in places if at > transaction.end()] + [ends[int(place * (len(ends) - 1))]]
    for at in sorted(places, reverse=True):
        script = f"{script[:at]}\nSELECT ERROR('{ABORTED}');\n{script[at:]}"
    job["configuration"]["query"]["query"] = script
    return json.dumps(job).encode()
