"""A Firestore collection of the emulator, filled from a product's gold table by the real task's function."""

from dataclasses import replace
from typing import Any

import pytest
import requests
from airflow.providers.google.firebase.hooks import firestore

from local.airflow_plugins.local_google import redirect_firestore
from medallion.environments import Environment
from medallion.products import Documents
from pipeline.firestore import write_changes
from tests.dags.pipeline.orders import Pipeline


class Collection:
    """What a product's gold table becomes, in a collection of its name."""

    def __init__(self, pipeline: Pipeline, address: str) -> None:
        self.pipeline, self._address = pipeline, address
        name = pipeline.product.name
        self.wanted = Documents(name, name, ("order_date",))

    def write(self) -> dict[str, int]:
        """Brings the documents to what gold shows."""
        return write_changes(self.pipeline.product.name, self.wanted, self.pipeline.environment, "r1")

    def make(self, select: str, *key: str) -> None:
        """Makes gold of a SELECT, and the documents of these columns."""
        self.pipeline.query(f"CREATE OR REPLACE TABLE gold.{{product}} AS {select}")
        self.wanted = replace(self.wanted, key=key)

    def mark(self, document: str) -> None:
        """A mark on a document that nothing has a reason to write."""
        environment, fields = self.pipeline.environment, {"mark": {"booleanValue": True}}
        name = f"{_root(environment)}/{self.wanted.collection}/{document}"
        _ask(self._address, environment, "commit", {"writes": [{"update": {"name": name, "fields": fields}}]})

    def all(self) -> dict[str, Any]:
        """Fields of all documents, by their ids."""
        return documents(self._address, self.pipeline.environment, self.wanted.collection)


def documents(address: str, environment: Environment, collection: str) -> dict[str, Any]:
    """Fields of all documents of a collection, by their ids."""
    query = {"structuredQuery": {"from": [{"collectionId": collection}]}}
    found = [item["document"] for item in _ask(address, environment, "runQuery", query) if "document" in item]
    return {document["name"].rpartition("/")[2]: document.get("fields", {}) for document in found}


def _ask(address: str, environment: Environment, method: str, body: dict[str, Any]) -> Any:
    url = f"http://{address}/v1/{_root(environment)}:{method}"
    answer = requests.post(url, json=body, headers={"Authorization": "Bearer owner"}, timeout=30)
    answer.raise_for_status()
    return answer.json()


def _root(environment: Environment) -> str:
    return f"projects/{environment.project}/databases/{environment.firestore}/documents"


def use_firestore(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """Points the hook at an emulator, for a test."""
    for name in ("build", "build_from_document"):
        monkeypatch.setattr(firestore, name, getattr(firestore, name))
    redirect_firestore(address)
