"""The steps of a deployment, in an order in which a run that starts in between still finds what it needs."""

import logging
import time
from collections.abc import Callable

from google.cloud.storage import Client

from deploy.composer import Composer
from deploy.errors import DeployError
from deploy.plan import VARIABLE, Plan
from deploy.storage import sync, upload_release
from medallion import environments

# Composer copies its bucket to its components about once a minute; then the DAG processor reads it.
SETTLE_SECONDS = 150

log = logging.getLogger(__name__)


def deploy(
    plan: Plan,
    storage: Client,
    composer: Composer,
    run_sql: Callable[[str], object],
    sleep: Callable[[float], None] = time.sleep,
) -> list[str]:
    """Brings an environment to the plan; returns a line for each thing that changed.

    The code is there before anything names it, and the variable that names it comes last. Raises DeployError
    when there is nothing to deploy to, and when Airflow can't import a file afterwards.
    """
    environment, target = plan.environment, composer_of(plan.environment)
    created = upload_release(storage.bucket(environment.buckets["code"]), plan.release, plan.objects)
    changes = [f"created gs://{environment.buckets['code']}/{name}" for name in created]
    run_sql(plan.tables)
    if (installed := composer.packages()) != plan.packages:
        log.info("Installing packages: this takes minutes")
        composer.set_packages(plan.packages)
        changes.append(f"packages {installed or 'none'} -> {plan.packages or 'none'}")
    synced = sync(storage.bucket(target.bucket), plan.files)
    changes += [f"put {name}" for name in synced.put] + [f"deleted {name}" for name in synced.deleted]
    if (release := composer.variable(VARIABLE)) != plan.release:
        composer.set_variable(VARIABLE, plan.release)
        changes.append(f"{VARIABLE} {release} -> {plan.release}")
    if changes:
        log.info("Waiting %d s for Airflow to read the files", SETTLE_SECONDS)
        sleep(SETTLE_SECONDS)
    if errors := composer.import_errors():
        told = "\n".join(f"{error['filepath']}: {error['error']}" for error in errors)
        raise DeployError(
            f"Airflow can't import {len(errors)} files:\n{told}\nNext: mend them, or roll back."
        )
    return changes


def composer_of(environment: environments.Environment) -> environments.Composer:
    """What an environment is deployed to; raises DeployError where there is no such thing."""
    if environment.composer is None:
        raise DeployError(
            f"conf/environments/{environment.name}.yaml: composer: expected an environment and its bucket, "
            "got none. Next: name those that Terraform makes."
        )
    return environment.composer
