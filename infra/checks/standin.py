"""A stand-in for the Google provider: gives Terraform the provider's schema, and knows nothing else.

Enough for `terraform validate`, and for `terraform test` where every answer is mocked. It speaks version 6 of
the plugin protocol (tfplugin6.proto), of which it needs one message; empty answers say that nothing is wrong.
"""

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc

from infra.checks.schema import Block, provider_schema

MAX_BYTES = 64 * 1024 * 1024
NESTING = {"single": 1, "list": 2, "set": 3, "map": 4}


@contextmanager
def provider(names: list[str], cache: Path) -> Iterator[dict[str, str]]:
    """Serves the provider on loopback; gives the environment in which Terraform takes it for Google's."""
    answer = encode_schemas(provider_schema(names, cache))

    class Handler(grpc.GenericRpcHandler):
        def service(self, details: Any) -> Any:
            method = details.method.rpartition("/")[2]
            if not details.method.startswith("/tfplugin6.Provider/"):
                return None
            reply = answer if method == "GetProviderSchema" else b""
            return grpc.unary_unary_rpc_method_handler(lambda request, context: reply)

    server = grpc.server(
        ThreadPoolExecutor(4), handlers=[Handler()], options=[("grpc.max_send_message_length", MAX_BYTES)]
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        address = {"Network": "tcp", "String": f"127.0.0.1:{port}"}
        plugin = {"Protocol": "grpc", "ProtocolVersion": 6, "Pid": os.getpid(), "Test": True, "Addr": address}
        yield {"TF_REATTACH_PROVIDERS": json.dumps({"hashicorp/google": plugin})}
    finally:
        server.stop(None)


def encode_schemas(schemas: dict[str, Block]) -> bytes:
    """A GetProviderSchema.Response: the provider's schema in field 1, resources in 2, data sources in 3."""
    message = _field(1, _schema(schemas["provider"]))
    for name, block in schemas.items():
        if name.startswith("data."):
            message += _field(3, _field(1, name.removeprefix("data.").encode()) + _field(2, _schema(block)))
        elif name != "provider":
            message += _field(2, _field(1, name.encode()) + _field(2, _schema(block)))
    return message


def _schema(block: Block) -> bytes:
    return _field(2, _block(block))


def _block(block: Block) -> bytes:
    attributes = [_field(2, _attribute(name, flags)) for name, flags in block["attributes"].items()]
    nested = [_field(3, _nested(name, child)) for name, child in block["block_types"].items()]
    return b"".join(attributes + nested)


def _attribute(name: str, flags: dict[str, Any]) -> bytes:
    message = _field(1, name.encode()) + _field(2, json.dumps(flags["type"]).encode())
    for number, flag in ((4, "required"), (5, "optional"), (6, "computed")):
        message += _number(number, int(flags[flag]))
    return message


def _nested(name: str, child: Block) -> bytes:
    message = (
        _field(1, name.encode()) + _field(2, _block(child["block"])) + _number(3, NESTING[child["nesting"]])
    )
    if child["nesting"] != "single":
        message += _number(4, int(child["required"])) + _number(5, int(child["single"]))
    return message


def _field(number: int, content: bytes) -> bytes:
    """A length-delimited field of Protocol Buffers."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value) if value else b""


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])
