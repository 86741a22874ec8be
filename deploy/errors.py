"""What stops a deployment."""

from medallion.errors import MedallionError


class DeployError(MedallionError):
    """The environment refused a step, or does not run what it was given."""
