"""A Composer environment by Google's own messages, and the local Cloud Storage."""

import json
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage
from google.cloud.orchestration.airflow.service_v1 import EnvironmentsClient, types
from google.cloud.orchestration.airflow.service_v1.services.environments.transports import (
    EnvironmentsGrpcTransport,
)
from google.longrunning.operations_pb2 import Operation

from deploy.composer import Composer
from deploy.plan import FOLDERS
from local.services import Service, Services, answers_http, free_ports
from medallion.documents import ROOT
from medallion.environments import load_environment
from medallion.release import PACKAGES

DEV = load_environment("dev")
KEY = f"projects/{DEV.project}/locations/{DEV.region}/keyRings/medallion-{DEV.region}/cryptoKeys/storage"
NAME = f"projects/{DEV.project}/locations/{DEV.region}/environments/medallion"


@dataclass
class StandIn:
    """What a Composer environment holds, and the commands that it was given."""

    packages: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    broken: list[dict[str, str]] = field(default_factory=list)
    commands: list[list[str]] = field(default_factory=list)
    answer: tuple[int, list[str]] = (0, [])

    def get_environment(self, request: types.GetEnvironmentRequest) -> types.Environment:
        software = types.SoftwareConfig(pypi_packages=self.packages)
        return types.Environment(name=request.name, config=types.EnvironmentConfig(software_config=software))

    def update_environment(self, request: types.UpdateEnvironmentRequest) -> Any:
        assert list(request.update_mask.paths) == ["config.software_config.pypi_packages"]
        self.packages = dict(request.environment.config.software_config.pypi_packages)
        operation = Operation(name="operations/update", done=True)
        operation.response.Pack(types.Environment.pb(self.get_environment(types.GetEnvironmentRequest())))
        return operation

    def execute_airflow_command(
        self, request: types.ExecuteAirflowCommandRequest
    ) -> types.ExecuteAirflowCommandResponse:
        command = [request.command, request.subcommand, *request.parameters]
        self.commands.append(command)
        self.answer = self._run(command)
        return types.ExecuteAirflowCommandResponse(execution_id="1", pod="airflow", pod_namespace="composer")

    def poll_airflow_command(
        self, request: types.PollAirflowCommandRequest
    ) -> types.PollAirflowCommandResponse:
        """One line an answer, as a slow command gives them."""
        code, lines = self.answer
        place = request.next_line_number
        output = [{"line_number": place, "content": lines[place - 1]}] if place <= len(lines) else []
        return types.PollAirflowCommandResponse(
            output=output, output_end=place >= len(lines), exit_info={"exit_code": code}
        )

    def _run(self, command: list[str]) -> tuple[int, list[str]]:
        match command:
            case ["variables", "get", name]:
                known = name in self.variables
                return (0, [self.variables[name]]) if known else (1, [f"Variable {name} does not exist"])
            case ["variables", "set", name, value]:
                self.variables[name] = value
                return 0, [f"Variable {name} created"]
            case ["dags", "list-import-errors", "--output", "json"]:
                return int(bool(self.broken)), ["a warning", json.dumps(self.broken)]
        return 2, [f"unknown command {command}"]


REQUESTS = {
    "GetEnvironment": types.GetEnvironmentRequest,
    "UpdateEnvironment": types.UpdateEnvironmentRequest,
    "ExecuteAirflowCommand": types.ExecuteAirflowCommandRequest,
    "PollAirflowCommand": types.PollAirflowCommandRequest,
}


@pytest.fixture
def standin() -> StandIn:
    return StandIn()


@pytest.fixture
def composer(standin: StandIn) -> Iterator[Composer]:
    """Google's client, of a server that answers from the stand-in."""

    def handler(method: str) -> grpc.RpcMethodHandler:
        request = REQUESTS[method]
        name = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in method).lstrip("_")

        def answer(message: Any, context: Any) -> bytes:
            reply = getattr(standin, name)(message)
            return reply.SerializeToString() if isinstance(reply, Operation) else type(reply).serialize(reply)

        return grpc.unary_unary_rpc_method_handler(answer, request_deserializer=request.deserialize)

    server = grpc.server(ThreadPoolExecutor(2))
    service = "google.cloud.orchestration.airflow.service.v1.Environments"
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(service, {method: handler(method) for method in REQUESTS}),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    channel = grpc.insecure_channel(f"127.0.0.1:{port}")
    client = EnvironmentsClient(transport=EnvironmentsGrpcTransport(channel=channel))
    yield Composer(client, NAME, sleep=lambda seconds: None)
    channel.close()
    server.stop(None)


@pytest.fixture(scope="session")
def storage_url(services: Services, tmp_path_factory: pytest.TempPathFactory) -> str:
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    command = ["-m", "local.gcs", "--root", str(tmp_path_factory.mktemp("deployed")), "--port", str(port)]
    service = Service("deployed", [sys.executable, *command], {}, answers_http(f"{url}/storage/v1/b"))
    services.start(service)
    services.wait(service)
    return url


@pytest.fixture
def cloud(storage_url: str) -> Iterator[storage.Client]:
    """Cloud Storage with the two buckets that a deployment writes to, empty, with a key as in infra/."""
    assert DEV.composer
    options = ClientOptions(api_endpoint=storage_url)
    client = storage.Client(DEV.project, AnonymousCredentials(), client_options=options)
    names = (DEV.buckets["code"], DEV.composer.bucket)
    for name in names:
        bucket = client.bucket(name)
        bucket.default_kms_key_name = KEY
        client.create_bucket(bucket)
    yield client
    for name in names:
        client.bucket(name).delete(force=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The project's files, as a clone has them, without packages to install."""
    ignore = shutil.ignore_patterns("__pycache__")
    for folder in {*FOLDERS, *PACKAGES}:
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignore)
    (tmp_path / "requirements.txt").write_text("")
    return tmp_path
