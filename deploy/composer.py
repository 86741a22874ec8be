"""A Composer environment by its API: packages and Airflow's commands, without a way to Airflow's page."""

import json
import time
from collections.abc import Callable
from typing import Any

from google.cloud.orchestration.airflow import service_v1
from google.cloud.orchestration.airflow.service_v1 import types
from google.protobuf.field_mask_pb2 import FieldMask

from deploy.errors import DeployError

POLL_SECONDS = 1.0
UPDATE_SECONDS = 45 * 60  # new packages make new images


class Composer:
    """One environment, projects/<project>/locations/<region>/environments/<name>."""

    def __init__(
        self,
        client: service_v1.EnvironmentsClient,
        name: str,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._name = name
        self._sleep = sleep

    def packages(self) -> dict[str, str]:
        """The packages that the environment installs beside its image's."""
        environment = self._client.get_environment(name=self._name)
        return dict(environment.config.software_config.pypi_packages)

    def set_packages(self, packages: dict[str, str]) -> None:
        """Installs exactly these packages, which takes minutes."""
        software = types.SoftwareConfig(pypi_packages=packages)
        update = self._client.update_environment(
            name=self._name,
            environment=types.Environment(config=types.EnvironmentConfig(software_config=software)),
            update_mask=FieldMask(paths=["config.software_config.pypi_packages"]),
        )
        update.result(timeout=UPDATE_SECONDS)

    def variable(self, name: str) -> str | None:
        """A variable of Airflow; None where there is none."""
        code, output = self._command("variables", "get", name)
        return output[-1] if code == 0 and output else None

    def set_variable(self, name: str, value: str) -> None:
        """Sets a variable of Airflow."""
        code, output = self._command("variables", "set", name, value)
        if code:
            raise DeployError(
                f"{self._name}: variables set {name} ended with {code}: {' '.join(output[-5:])}"
            )

    def import_errors(self) -> list[dict[str, Any]]:
        """What Airflow says of files that it can't import, each with `filepath` and `error`."""
        code, output = self._command("dags", "list-import-errors", "--output", "json")
        # Warnings may come before the answer; without errors there may be a sentence instead of it.
        answers = [line for line in output if line.startswith("[")]
        if not answers and code:
            raise DeployError(
                f"{self._name}: dags list-import-errors ended with {code}: {' '.join(output[-5:])}"
            )
        return json.loads("".join(output[output.index(answers[0]) :])) if answers else []

    def _command(self, command: str, subcommand: str, *parameters: str) -> tuple[int, list[str]]:
        """Runs `airflow <command> <subcommand> …` in the environment; returns its exit code and its lines."""
        started = self._client.execute_airflow_command(
            types.ExecuteAirflowCommandRequest(
                environment=self._name, command=command, subcommand=subcommand, parameters=parameters
            )
        )
        if started.error:
            raise DeployError(f"{self._name}: airflow {command} {subcommand} did not start: {started.error}")
        lines: list[str] = []
        while True:
            polled = self._client.poll_airflow_command(
                types.PollAirflowCommandRequest(
                    environment=self._name,
                    execution_id=started.execution_id,
                    pod=started.pod,
                    pod_namespace=started.pod_namespace,
                    next_line_number=len(lines) + 1,
                )
            )
            lines += [line.content for line in polled.output]
            if polled.output_end:
                return polled.exit_info.exit_code, lines
            self._sleep(POLL_SECONDS)
