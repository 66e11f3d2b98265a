"""A model that runs elsewhere: its key, its own place beside the GPU's queue, and a run that claims nothing of here."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from openai_service import Service
from PIL import Image

from arena import export
from arena.catalog import ModelSpec, load_catalog
from arena.compare import Request, Side, compare
from arena.config import load_settings
from arena.core import Arena, arena_of
from arena.errors import ConfigError
from arena.status import model_status
from arena.store import RunQuery
from arena.strings import LANGUAGES
from arena.told import for_adapter
from arena.types import Run
from arena.ui.answer import trouble

KEY = "sk-0d9c1"
OWN = """
models:
  away:
    title: A model elsewhere
    adapter: openai_chat
    modes: {{endpoint: {{endpoint: {{url: "{url}", model: some-model, key_variable: {variable}}}}}}}
    tasks: [ocr, question]
"""


@pytest.fixture
def service() -> Iterator[Service]:
    started = Service(["some-model"], key=KEY)
    yield started
    started.stop()


@pytest.fixture
def arena(tmp_path: Path, service: Service) -> Iterator[Arena]:
    own = tmp_path / "own.yaml"
    own.write_text(OWN.format(url=service.url, variable="SOME_SERVICE_KEY"))
    settings = {"ARENA_HOME": str(tmp_path / "home"), "ARENA_DEV": "1", "ARENA_MODELS": str(own)}
    with arena_of(load_settings(settings)) as opened:
        yield opened


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_SERVICE_KEY", KEY)


def asked(arena: Arena, tmp_path: Path, *names: str, prompt: str = "tokens=5") -> list[Run]:
    Image.new("RGB", (320, 200), "white").save(tmp_path / "picture.png")
    image, task = arena.images.add(tmp_path / "picture.png"), arena.catalog.task("ocr")
    sides = tuple(Side(arena.catalog.find(name)) for name in names)
    return [event for event in compare(arena, Request(sides, image, task, prompt)) if isinstance(event, Run)]


@pytest.mark.battery("S11")
def test_a_run_elsewhere_claims_nothing_of_this_machine(arena: Arena, service: Service, tmp_path: Path, key) -> None:
    (run,) = asked(arena, tmp_path, "away", prompt="busy=2 tokens=5")
    assert (run.status, run.mode, run.device) == ("ok", "endpoint", service.url[7:-3])
    assert run.retries == 2 and run.output_tokens == 5
    assert run.timeline.load_s is run.timeline.cold is run.memory.peak_vram_device_mb is run.memory.peak_ram_mb is None
    assert run.timeline.start_s and run.timeline.total_s == pytest.approx(
        sum(each or 0 for each in (run.timeline.queue_s, run.timeline.start_s, run.timeline.generate_s))
    )
    assert KEY not in json.dumps(run.params) + run.text + str(run.library_versions)
    with (tmp_path / "runs.csv").open("w", encoding="utf-8", newline="") as file:
        assert export.write_csv([run], file) == 1
    assert KEY not in (tmp_path / "runs.csv").read_text(encoding="utf-8")


def test_it_takes_the_place_of_no_model_here(arena: Arena, tmp_path: Path, key) -> None:
    first, away, again = asked(arena, tmp_path, "fake", "away", "fake")
    assert [run.status for run in (first, away, again)] == ["ok"] * 3
    assert away.timeline.unload_s is None and again.timeline.cold is False
    assert len({slot["device"] for slot in arena.slots.status()}) == 2


def test_without_its_key_it_says_which_variable_to_set(arena: Arena, tmp_path: Path) -> None:
    found = model_status(arena.catalog.find("away"), arena.settings, arena.gpus)
    assert (found.code, found.command) == ("needs_key", "export SOME_SERVICE_KEY=…")
    assert "SOME_SERVICE_KEY" in found.text("ru") and found.label("ru") != found.label("en")


def test_with_its_key_it_is_ready_and_nobody_is_asked(arena: Arena, service: Service, key) -> None:
    service.stop()
    found = model_status(arena.catalog.find("away"), arena.settings, arena.gpus)
    assert found.ready and service.url[7:-3] in found.text("en")


def test_the_key_goes_to_its_own_worker_alone(arena: Arena, key) -> None:
    away, fake = arena.catalog.find("away"), arena.catalog.find("fake")
    assert for_adapter(away, "cpu", arena.settings.home)["api_key"] == KEY
    assert KEY not in json.dumps(for_adapter(fake, "cpu", arena.settings.home), default=str) + repr(away) + away.key


@pytest.mark.battery("S11")
def test_a_wrong_key_is_a_run_with_an_error_that_does_not_show_it(arena: Arena, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("SOME_SERVICE_KEY", "sk-wrong")
    (run,) = asked(arena, tmp_path, "away")
    assert (run.status, run.error_kind) == ("error", "endpoint")
    assert "SOME_SERVICE_KEY" in str(run.error_detail) and "sk-wrong" not in str(run)


LEAKS = {
    "sk": "sk-proj-Zm9vYmFy0d9c1",
    "hub": "hf_Zm9vYmFy0d9c1Zm9vYmFy",
    "header": "'Authorization': 'Bearer Zm9vYmFy0d9c1'",
    "database": "postgresql://arena:Zm9vYmFy0d9c1@host/db",
}


@pytest.mark.battery("S11")
def test_no_secret_is_in_a_row_a_file_or_a_log(
    arena: Arena, tmp_path: Path, key: None, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """A model's error names secrets in all the usual ways, a dying one writes them to its log, a service repeats its
    key; what somebody writes into his own prompt stays as he wrote it."""
    runs = asked(arena, tmp_path, "away")
    for leak in LEAKS.values():
        runs += asked(arena, tmp_path, "fake", prompt=f"raise={quote(leak)}")
    runs += asked(arena, tmp_path, "fake", prompt=f"crash=9 last={quote(' '.join(LEAKS.values()))}")
    assert [run.status for run in runs] == ["ok", *["error"] * 5]
    kept = [replace(run, prompt="") for run in arena.store.iterate(RunQuery())]
    table = io.StringIO()
    assert export.write_csv(kept, table) == len(runs)
    pages = [trouble(run, lang) for run in runs for lang in LANGUAGES]
    assert all(text.count("***") >= 4 for text in (table.getvalue(), "".join(pages)))
    for text in [str(kept), table.getvalue(), *pages, *capfd.readouterr(), caplog.text]:
        assert "0d9c1" not in text


def test_a_key_is_held_by_a_variable_that_no_other_worker_sees(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(OWN.format(url="http://127.0.0.1:1/v1", variable="MY_LOGIN"))
    with (
        pytest.raises(ConfigError, match="key_variable: must end in _KEY"),
        arena_of(load_settings({"ARENA_HOME": str(tmp_path / "home"), "ARENA_MODELS": str(own)})),
    ):
        pass


def test_another_address_is_another_model() -> None:
    from arena.spec import EndpointSpec, Mode

    def at(url: str) -> ModelSpec:
        mode = Mode("endpoint", adapter="openai_chat", endpoint=EndpointSpec(url, "m"))
        return ModelSpec("x", "X", "openai_chat", "", modes=(mode,), mode="endpoint")

    assert at("http://a/v1").key != at("http://b/v1").key


def test_the_examples_of_the_documents_are_entries_as_they_stand(tmp_path: Path) -> None:
    root = Path(__file__).parent.parent.parent
    text = (root / "docs" / "endpoints.md").read_text(encoding="utf-8")
    own = tmp_path / "own.yaml"
    own.write_text(text.partition("```yaml\n")[2].partition("```")[0], encoding="utf-8")
    catalog = load_catalog(load_settings({"ARENA_HOME": str(tmp_path / "home"), "ARENA_MODELS": str(own)}))
    for name in ("ollama_qwen", "llama_cpp", "lm_studio", "cloud", "qwen3_vl_2b:endpoint"):
        assert catalog.find(name).elsewhere, name
    assert catalog.find("qwen3_vl_2b").elsewhere is None
