"""Chat requests that are nearly right: the part of the API that reads them, and the whole server by its description."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz import properties
from tests.fuzz.conftest import FEW
from tests.fuzz.strategies import requests
from tests.serving import Serving, own_models, serving

CHECKS = ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance"]


@given(requests)
def test_a_request(body: Any) -> None:
    properties.a_request_is_understood_or_refused(json.dumps(body).encode())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(own_models(tmp_path_factory.mktemp("fuzz"))) as server:
        yield server


@pytest.fixture(scope="module")
def described(server: Serving) -> Any:
    """Calls by the server's own description of them; the models that it may name are the tests' own."""
    schema = schemathesis.openapi.from_url(f"{server.url}/openapi.json")

    @schema.hook("map_body")
    def named(context: Any, body: Any) -> Any:
        return body | {"model": "one"} if isinstance(body, dict) and "model" in body else body

    return schema


@given(requests)
@settings(max_examples=FEW)
def test_the_server_answers_or_refuses(server: Serving, body: Any) -> None:
    """Never a fault, and after whatever came the next one is heard."""
    said = httpx.post(f"{server.base}/chat/completions", content=json.dumps(body), timeout=60)
    assert said.status_code in (200, 400, 404, 413), said.text
    if said.status_code != 200:
        assert said.json()["error"]["message"]


@given(st.data())
@settings(max_examples=FEW)
def test_the_server_does_as_it_describes(described: Any, data: st.DataObject) -> None:
    case = data.draw(described.as_strategy())
    case.call_and_validate(checks=[getattr(schemathesis.checks, name) for name in CHECKS])
