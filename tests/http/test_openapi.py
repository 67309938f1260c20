"""The OpenAPI document is enough to generate a client from, by public programs."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.http.api import Api
from tests.support.words import FLAGS, PERMISSIONS, STAGES


@pytest.fixture(scope="module")
def document(api: Api) -> dict[str, Any]:
    return dict(api.send("GET", "/", None).json())


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    validator = pytest.importorskip("openapi_spec_validator")
    validator.validate(document)


def test_words_are_those_of_the_database(document: dict[str, Any]) -> None:
    def words(path: str, argument: str) -> Any:
        body = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        return body["schema"]["properties"][argument]["enum"]

    assert words("/rpc/set_stage", "to_stage") == list(STAGES)
    assert sorted(words("/rpc/set_flag", "flag")) == sorted(FLAGS)
    assert sorted(words("/rpc/grant_permission", "permission")) == sorted(PERMISSIONS)


def test_every_operation_has_a_name_of_its_own(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]

    assert len(names) == len(set(names)) > 50


def test_the_document_costs_less_than_a_page_of_a_thousand(api: Api) -> None:
    """Anyone can request it, so it is bounded by what it describes: no table of the firm is read."""
    seconds = [api.send("GET", "/", None).elapsed.total_seconds() for _ in range(5)]

    assert min(seconds) < 1


@pytest.fixture(scope="module")
def generated(document: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    pytest.importorskip("openapi_python_client")
    folder = tmp_path_factory.mktemp("generated")
    (folder / "openapi.json").write_text(json.dumps(document))
    (folder / "settings.yaml").write_text("post_hooks: []\n")
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("openapi-python-client")),
            *("generate", "--path", "openapi.json", "--config", "settings.yaml"),
            *("--meta", "none", "--output-path", "made_of_the_document", "--fail-on-warning"),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module("made_of_the_document")
    finally:
        sys.path.remove(str(folder))


def test_a_generated_client_makes_a_move(api: Api, generated: ModuleType) -> None:
    name = generated.__name__
    models = importlib.import_module(f"{name}.models")
    set_stage = importlib.import_module(f"{name}.api.default.api_set_stage")
    read = importlib.import_module(f"{name}.api.default.api_client")
    client = api.make_client()

    with generated.AuthenticatedClient(base_url=api.url, token=api.admin) as caller:
        before = read.sync(client, client=caller).client
        change = set_stage.sync(
            client,
            client=caller,
            body=models.ApiSetStageBody(
                to_stage=models.ApiSetStageBodyToStage.CLEANUP,
                reason="old books",
                expected_version=before.version,
            ),
            idempotency_key="made by a generated client",
        )
        late = set_stage.sync(
            client,
            client=caller,
            body=models.ApiSetStageBody(
                to_stage=models.ApiSetStageBodyToStage.WEEKLY,
                reason="again",
                expected_version=before.version,
            ),
        )

    assert (change.client.stage, change.history.from_stage, change.changed) == (
        *("cleanup", "weekly"),
        True,
    )
    assert json.loads(late.details)["rule"] == "version_conflict"
