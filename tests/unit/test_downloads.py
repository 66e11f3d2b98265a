"""Models come and go: with progress, resumed after a break, pinned, and every refusal says what to do."""

from __future__ import annotations

import itertools

import pytest
import yaml
from huggingface_hub import constants

from arena import downloads, hub, pins
from arena.catalog import load_catalog
from arena.cli import main
from arena.config import load_settings
from arena.status import download_status
from arena.told import for_adapter
from tests.hub import COMMIT, Hub

FILES = {
    "config.json": b"{}",
    "model.safetensors": bytes(range(256)) * 20_000,
    "pytorch_model.bin": b"never fetched" * 1000,
    "modeling_tiny.py": b"print('hello')",
}
WORDS = {"tokenizer.json": b"{}" * 100}


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A Hub with one model, an empty cache, and a catalogue that knows the model plainly and pinned."""
    served = Hub(dict(FILES), {"owner/words": dict(WORDS)})
    monkeypatch.setattr(constants, "ENDPOINT", served.url)
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", served.url + "/{repo_id}/resolve/{revision}/{filename}"
    )
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    home = tmp_path / "home"
    home.mkdir()
    entry = {"adapter": "transformers_chat", "source": "owner/tiny", "modes": {"transformers": {}}, "licence": "MIT"}
    models = {"tiny": entry, "pinned": entry | {"revision": "pin:main", "trust_remote_code": True}}
    models["with_words"] = models["pinned"] | {"also": ["owner/words"]}
    (home / "models.yaml").write_text(yaml.safe_dump({"models": models}))
    monkeypatch.setenv("ARENA_HOME", str(home))
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    yield served
    served.close()


def spec(name):
    return load_catalog(load_settings()).find(name)


def test_a_model_is_fetched_and_is_ready(server, capsys):
    assert download_status(spec("tiny"), load_settings()).command == "python -m arena models download tiny"
    assert main(["models", "download", "tiny"]) == 0
    said = capsys.readouterr()
    assert "MIT" in said.out and "owner/tiny" in said.out and "100 %" in said.err
    files = hub.snapshot("owner/tiny", "main")
    assert {path.name for path in files.iterdir()} == set(FILES) - {"pytorch_model.bin"}
    assert (files / "model.safetensors").read_bytes() == FILES["model.safetensors"]
    assert download_status(spec("tiny"), load_settings()) is None
    asked = len(server.ranges)
    assert main(["models", "download", "tiny"]) == 0  # nothing is fetched twice
    assert len(server.ranges) == asked


def test_progress_ends_with_everything(server):
    steps = list(downloads.download(spec("tiny"), load_settings()))
    total = sum(len(content) for name, content in FILES.items() if not name.endswith(".bin"))
    assert steps[0] == downloads.Fetched(0, total) and steps[-1] == downloads.Fetched(total, total)
    assert all(before.done <= after.done for before, after in itertools.pairwise(steps))


def test_a_broken_download_goes_on_where_it_stopped(server, capsys, monkeypatch):
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda _: None)  # its pauses between attempts
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 80_000)
    server.mode = "broken"
    assert main(["models", "download", "tiny"]) == 1
    assert "python -m arena models download tiny" in capsys.readouterr().err
    half = len(FILES["model.safetensors"]) // 2
    (one,) = downloads.cached()
    assert (one.unfinished, one.whole) == (half, False)
    assert main(["models", "cache", "--incomplete"]) == 0
    assert "not whole; to go on: python -m arena models download" in capsys.readouterr().out
    server.mode = ""
    server.ranges.clear()
    assert next(iter(downloads.download(spec("tiny"), load_settings()))).done >= half
    assert main(["models", "download", "tiny"]) == 0
    assert f"bytes={half}-" in str(server.ranges)
    assert (hub.snapshot("owner/tiny", "main") / "model.safetensors").read_bytes() == FILES["model.safetensors"]


def test_the_first_download_fixes_the_commit(server, capsys):
    assert main(["models", "download", "pinned"]) == 0
    home = load_settings().home
    assert COMMIT in capsys.readouterr().out and pins.read(home) == {"owner/tiny@main": COMMIT}
    server.commit = "b" * 40  # the authors change their code
    server.files["modeling_tiny.py"] = b"print('evil')"
    assert main(["models", "download", "tiny"]) == 0  # which the plain entry follows
    assert hub.snapshot("owner/tiny", "main").name == "b" * 40
    model = for_adapter(spec("pinned"), "cpu", home)
    assert model["revision"] == COMMIT and download_status(spec("pinned"), load_settings()) is None
    assert for_adapter(spec("tiny"), "cpu", home)["revision"] == "main"


def test_files_another_program_brought_are_fixed_when_first_loaded(server):
    assert main(["models", "download", "tiny"]) == 0
    home = load_settings().home
    assert pins.read(home) == {}
    assert for_adapter(spec("pinned"), "cpu", home)["revision"] == COMMIT
    assert pins.read(home) == {"owner/tiny@main": COMMIT}


def test_a_further_repository_comes_along_and_is_fixed_too(server, capsys):
    assert main(["models", "download", "pinned"]) == 0
    assert download_status(spec("with_words"), load_settings()).code == "needs_download"
    steps = list(downloads.download(spec("with_words"), load_settings()))
    assert steps[-1].total - steps[0].done == len(WORDS["tokenizer.json"])  # the weights are there
    home = load_settings().home
    assert pins.read(home) == {"owner/tiny@main": COMMIT, "owner/words@main": COMMIT}
    assert download_status(spec("with_words"), load_settings()) is None
    server.commit = "b" * 40
    assert for_adapter(spec("with_words"), "cpu", home)["also"] == {"owner/words": COMMIT}
    capsys.readouterr()
    assert main(["models", "cache"]) == 0
    listed = capsys.readouterr().out
    assert "owner/words  with_words  whole" in listed and "not whole" not in listed
    assert main(["models", "cache", "--remove", "with_words", "--yes"]) == 0
    assert downloads.cached() == []


def test_a_stopped_download_goes_on_where_it_stopped(server, monkeypatch):
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 80_000)
    server.mode = "held"
    steps = downloads.download(spec("tiny"), load_settings())
    while next(steps).done < 2_000_000:
        pass
    steps.close()
    server.go.set()
    server.mode = ""
    server.ranges.clear()
    assert download_status(spec("tiny"), load_settings())
    assert next(iter(downloads.download(spec("tiny"), load_settings()))).done > 2_000_000
    list(downloads.download(spec("tiny"), load_settings()))
    begun = [int(asked[6:-1]) for asked in server.ranges if asked]
    assert begun and begun[0] > 2_000_000
    assert (hub.snapshot("owner/tiny", "main") / "model.safetensors").read_bytes() == FILES["model.safetensors"]


def test_what_is_said_of_a_token(server, capsys, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_of_nobody")
    server.mode = "gated"
    assert main(["models", "download", "tiny"]) == 1
    assert "signed in" in capsys.readouterr().err
    server.mode = "bad_token"
    assert main(["models", "download", "tiny"]) == 1
    said = capsys.readouterr().err
    assert "expired" in said and "hf_of_nobody" not in said


def test_a_hub_that_cannot_be_reached_is_named(server, capsys):
    server.close()
    assert main(["models", "download", "tiny"]) == 1
    said = capsys.readouterr().err
    assert f"{server.url}/owner/tiny cannot be reached" in said and "HTTPS_PROXY" in said


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("gated", ["accept", "hf auth login && python -m arena models download tiny"]),
        ("absent", ["no model owner/tiny"]),
    ],
)
def test_a_refusal_says_what_to_do(server, capsys, mode, words):
    server.mode = mode
    assert main(["models", "download", "tiny"]) == 1
    said = capsys.readouterr().err
    assert all(word in said for word in [*words, f"{server.url}/owner/tiny"])


def test_offline_says_so(server, capsys, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert main(["models", "download", "tiny"]) == 1
    assert "HF_HUB_OFFLINE" in capsys.readouterr().err


@pytest.mark.battery("M6")
def test_pickles_alone_are_not_fetched(server, capsys):
    del server.files["model.safetensors"]
    assert main(["models", "download", "tiny"]) == 1
    assert "safetensors" in capsys.readouterr().err and server.ranges == []


def test_a_full_disk_is_told_before(server, capsys, monkeypatch):
    monkeypatch.setattr(downloads, "SPARE", 10**18)
    assert main(["models", "download", "tiny"]) == 1
    assert "HF_HOME" in capsys.readouterr().err and server.ranges == []


def test_an_engine_needs_no_download(server, capsys):
    assert main(["models", "download", "rapidocr"]) == 2
    assert "needs no download" in capsys.readouterr().err


def test_the_cache_is_listed_and_removed_only_after_a_yes(server, capsys):
    assert main(["models", "cache"]) == 0
    assert "No downloaded models" in capsys.readouterr().out
    assert main(["models", "download", "tiny"]) == 0
    assert main(["models", "cache"]) == 0
    assert "owner/tiny  pinned, tiny, with_words  whole" in capsys.readouterr().out
    assert main(["models", "cache", "--remove", "tiny"]) == 2  # nobody to ask
    assert "--yes" in capsys.readouterr().err and downloads.cached()
    assert main(["models", "cache", "--remove", "qwen2_vl_2b", "--yes"]) == 2
    assert main(["models", "cache", "--remove", "owner/tiny", "--yes"]) == 0
    assert "again" in capsys.readouterr().out and downloads.cached() == []
