"""Which attempt is taken up, or made."""

import pytest

from operators.attempts import attempt


@pytest.mark.parametrize(
    ("jobs", "expected"),
    [
        ({}, ("work-1", None)),
        ({"work-1": "running"}, ("work-1", "running")),
        ({"work-1": "done"}, ("work-1", "done")),
        ({"work-1": "failed"}, ("work-2", None)),
        ({"work-1": "failed", "work-2": "failed", "work-3": "done"}, ("work-3", "done")),
        ({"work-1": "failed", "work-2": "failed"}, ("work-3", None)),
        ({"other-1": "done"}, ("work-1", None)),
    ],
)
def test_what_runs_or_is_done_is_adopted_and_what_failed_is_followed(
    jobs: dict[str, str], expected: tuple[str, str | None]
) -> None:
    assert attempt("work", jobs.get, lambda job: job == "failed") == expected
