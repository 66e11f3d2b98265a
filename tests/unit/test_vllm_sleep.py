"""What is decided about a container that may sleep before Docker is asked: its arguments, who gets in, what is held."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.config import load_settings
from arena.errors import ConfigError
from arena.gpu import Baseline, Device
from arena.runtimes.sleep import Bed, Sleeper, weights_mb, without
from arena.runtimes.vllm_command import plan
from arena.runtimes.vllm_guard import Guard
from arena.spec import ContainerSpec, Mode, ModelSpec

GPU = Device(0, "Test", "GPU-1234", 12 * 1024.0, "1")
PLACE = ContainerSpec("vllm-m", 8010)


@pytest.fixture
def settings(tmp_path):
    return load_settings({"ARENA_HOME": str(tmp_path / "home"), "ARENA_VLLM_SLEEP": "1"})


@pytest.fixture
def spec(tmp_path):
    def make(*flags):
        (tmp_path / "weights").mkdir(exist_ok=True)
        mode = Mode("vllm", adapter="openai_chat", container=replace(PLACE, flags=flags))
        return ModelSpec("m", "M", "openai_chat", str(tmp_path / "weights"), modes=(mode,), mode="vllm")

    return make


def test_it_is_off_unless_asked_for(settings, spec):
    assert settings.vllm_sleep and not load_settings({}).vllm_sleep
    with pytest.raises(ConfigError, match="ARENA_VLLM_SLEEP"):
        load_settings({"ARENA_VLLM_SLEEP": "deep"})
    for made in (plan(spec(), replace(settings, vllm_sleep=False), GPU, "i"), plan(spec(), settings, None, "i")):
        assert "--enable-sleep-mode" not in made.command and "VLLM_SERVER_DEV_MODE" not in made.env
        assert len(made.mounts) == 1


@pytest.mark.parametrize("flags", [(), ("--middleware", "their.own"), ("--enable-sleep-mode",)])
def test_the_guard_is_there_whenever_the_developers_mode_is(settings, spec, flags):
    made = plan(spec(*flags), settings, GPU, "i")
    told = [made.command[n + 1] for n, part in enumerate(made.command) if part == "--middleware"]
    assert "vllm_guard.Guard" in told and made.env["VLLM_SERVER_DEV_MODE"] == "1"
    assert made.mounts[-1][1] == "/guard/vllm_guard.py" and made.env["PYTHONPATH"] == "/guard"
    assert made.digest != plan(spec(*flags), replace(settings, vllm_sleep=False), GPU, "i").digest


def passes(guard, **scope) -> tuple[bool, list]:
    passed, sent = [], []

    async def app(*_):
        passed.append(True)

    async def send(message):
        sent.append(message)

    guard._app = app
    scope = {"type": "http", "method": "GET", "path": "/", "headers": []} | scope
    with pytest.raises(StopIteration):
        guard(scope, None, send).send(None)
    return bool(passed), sent


@pytest.fixture
def guard(monkeypatch):
    monkeypatch.setenv("VLLM_API_KEY", "a-key")
    return Guard(lambda: None)


def test_who_has_the_key_gets_in(guard):
    for told in (b"Bearer a-key", b"bearer a-key"):
        assert passes(guard, path="/sleep", headers=[(b"authorization", told)])[0]
    assert passes(guard, path="/health")[0] and passes(guard, type="lifespan")[0]
    twice = [(b"authorization", b"Bearer a-key"), (b"authorization", b"Bearer b")]
    assert not passes(guard, headers=twice)[0]
    refused, sent = passes(guard, type="websocket", path="/v1/realtime")
    assert not refused and sent == [{"type": "websocket.close", "code": 1008}]


def test_who_has_none_does_not(monkeypatch):
    monkeypatch.setenv("VLLM_API_KEY", "a-key")
    guard = Guard(lambda: None)

    @given(
        st.sampled_from(["GET", "POST", "HEAD", "OPTIONS"]),
        st.sampled_from(["/", "/sleep", "/health/", "//health", "/health/../sleep", "/v1/models", "/docs"]),
        st.binary() | st.sampled_from([b"Bearer", b"Bearer a-ke", b"Bearer a-key ", b"a-key", b"Basic a-key"]),
    )
    def check(method, path, told):
        passed, sent = passes(guard, method=method, path=path, headers=[(b"authorization", told)])
        assert not passed and sent[0]["status"] == 401

    check()


def test_without_a_key_there_is_no_server(monkeypatch):
    monkeypatch.setenv("VLLM_API_KEY", "")
    with pytest.raises(ValueError, match="empty"):
        Guard(lambda: None)


def test_what_a_sleeper_held_is_nobodys_baseline_once_it_is_gone():
    a, b = (Sleeper(name, name, replace(PLACE, port=port), 600.0, (port,)) for name, port in (("a", 1), ("b", 2)))
    baseline = Baseline(0, 1500.0, {1: 600.0, 2: 600.0, 9: 100.0})
    assert without(baseline, (a,)) == Baseline(0, 900.0, {2: 600.0, 9: 100.0})
    assert without(Baseline(0, None, None), (a, b)) == Baseline(0, None, None)
    bed = Bed()
    bed.sleepers = (a, b)
    assert bed.settled(baseline) == baseline and bed.pids == [1, 2] and bed.status() == {"asleep": "b"}
    other = replace(PLACE, name="other", port=3)
    assert not bed.let_go(other) and bed.let_go(replace(other, port=2))
    assert bed.sleepers == (a,) and bed.settled(baseline) == Baseline(0, 900.0, {1: 600.0, 9: 100.0})
    assert bed.settled(None) is None and bed.baseline() is None


def test_the_size_of_the_weights_is_that_of_their_files(settings, spec, tmp_path):
    (tmp_path / "weights" / "sub").mkdir(parents=True)
    for name in ("a.safetensors", "sub/b.safetensors"):
        (tmp_path / "weights" / name).write_bytes(bytes(2**20))
    assert weights_mb(spec(), settings) == 2.0
    assert weights_mb(replace(spec(), source="nobody/nothing"), settings) is None
