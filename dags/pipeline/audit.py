"""audit: holds a staged run to its accounting and its contract; a failure publishes nothing."""

from typing import Any

from medallion.config import Environment, Product
from pipeline.scripts import run_script
from pipeline.work import manifest_of


def audit(product: Product, environment: Environment) -> Any:
    """The step's task: one script that records each check and fails when one does."""
    return run_script(
        "audit",
        product,
        environment,
        values=lambda context, contract: {
            "files": len(manifest_of(context).files),
            "max_rejected_ratio": product.max_rejected_ratio,
        },
    )
