"""What stops a deployment."""

from collections.abc import Iterator
from contextlib import contextmanager

from google.auth.exceptions import GoogleAuthError

from medallion.errors import MedallionError


class DeployError(MedallionError):
    """The environment refused a step, or does not run what it was given."""


@contextmanager
def signed_in() -> Iterator[None]:
    """Raises DeployError where Google's clients find no credentials, or Google refuses those."""
    try:
        yield
    except GoogleAuthError as error:
        raise DeployError(
            f"Google Cloud: expected credentials, got: {error}\nNext: gcloud auth application-default login."
        ) from error
