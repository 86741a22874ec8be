"""Submit or adopt: a job's identity says what it does, so that a second try finds the first one's job."""

from collections.abc import Callable
from itertools import count
from typing import Any, TypeVar

from google.api_core.exceptions import NotFound

Job = TypeVar("Job")


def attempt(
    identity: str, find: Callable[[str], Job | None], failed: Callable[[Job], bool]
) -> tuple[str, Job | None]:
    """The numbered id to use, and its job where there is one to adopt.

    A job that runs or has succeeded is adopted; after a failed one comes the next number, and the first
    number without a job is to be submitted.
    """
    for number in count(1):
        job_id = f"{identity}-{number}"
        job = find(job_id)
        if job is None or not failed(job):
            return job_id, job
    raise AssertionError("count() does not end")


def existing(get: Callable[..., Job], named: str, **where: Any) -> Callable[[str], Job | None]:
    """Finds a job by its id, or None: `get`, which takes the id by the name `named`, raises NotFound."""

    def find(job_id: str) -> Job | None:
        try:
            return get(**{named: job_id}, **where)
        except NotFound:
            return None

    return find
