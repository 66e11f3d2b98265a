"""`python -m arena vllm` and `gpu` with a real Docker Engine: up, what is said of it, and down."""

from __future__ import annotations

import json
import socket

import openai
import pytest
import yaml
from programs import RUN

from arena.cli import main

pytest_plugins = ("nvml",)


@pytest.fixture
def machine(tmp_path, monkeypatch, image, ours):
    """A data folder with one model whose weights are a folder: its port."""
    weights = tmp_path / "weights"
    weights.mkdir()
    (weights / "config.json").write_text("{}")
    (weights / "model.safetensors").write_bytes(b"")
    home = tmp_path / "home"
    home.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    container = {"name": f"arena-{RUN}-cli", "port": port, "shm_size": "64m", "start_budget_s": 1}
    entry = {
        "title": "Stand-in",
        "adapter": "transformers_chat",
        "source": str(weights),
        "modes": {"transformers": {}, "vllm": {"container": container}},
    }
    (home / "models.yaml").write_text(yaml.safe_dump({"models": {"standin": entry}}))
    told = {"ARENA_HOME": home, "ARENA_VLLM_IMAGE": image, "ARENA_START_TIMEOUT": 30, "LC_ALL": "en_US.UTF-8"}
    for name, value in told.items():
        monkeypatch.setenv(name, str(value))
    yield port
    main(["vllm", "down"])


def exported(text: str) -> dict[str, str]:
    return dict(line.removeprefix("export ").split("=", 1) for line in text.splitlines())


def ask(client: openai.OpenAI) -> str:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    question = {"role": "user", "content": [picture, {"type": "text", "text": "?"}]}
    pieces = client.chat.completions.create(model="standin", messages=[question], stream=True)
    return "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices)


def test_a_container_is_brought_up_told_of_used_and_ended(machine, capsys, ours, monkeypatch):
    assert main(["vllm", "status"]) == 0
    assert "no container" in capsys.readouterr().err
    assert main(["vllm", "logs"]) == 1 and main(["vllm", "env"]) == 1
    capsys.readouterr()
    assert main(["vllm", "up", "standin"]) == 0
    out, err = capsys.readouterr()
    assert "Stand-in: " in err and "answers, and stays" in err
    assert "standin" in out and f"http://127.0.0.1:{machine}/v1" in out
    assert ours() == [f"arena-{RUN}-cli"]
    assert main(["vllm", "status", "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)["containers"]
    assert (told["model"], told["state"], told["port"], told["detached"]) == ("standin", "running", machine, True)
    assert main(["vllm", "logs", "standin", "--lines", "5"]) == 0
    log = capsys.readouterr().out
    assert 0 < len(log.splitlines()) <= 5
    assert main(["vllm", "env"]) == 0
    client = exported(capsys.readouterr().out)
    assert client["OPENAI_BASE_URL"] == f"http://127.0.0.1:{machine}/v1" and len(client["OPENAI_API_KEY"]) >= 24
    assert client["OPENAI_API_KEY"] not in log + out + err
    stranger = openai.OpenAI(base_url=client["OPENAI_BASE_URL"], api_key="guessed", max_retries=0)
    with stranger, pytest.raises(openai.AuthenticationError):
        ask(stranger)
    for name, value in client.items():
        monkeypatch.setenv(name, value)
    with openai.OpenAI(max_retries=0) as known:
        assert ask(known).startswith("standin ")
    assert main(["vllm", "down"]) == 0
    assert f"Ended: arena-{RUN}-cli." in capsys.readouterr().err and ours() == []


def test_the_gpu_of_a_container_is_told_with_its_model_and_freed(machine, capsys, ours, client, nvml):
    assert main(["vllm", "up", "standin"]) == 0  # before there is a GPU, which Docker could not give it
    pid = client.containers.get(f"arena-{RUN}-cli").attrs["State"]["Pid"]
    nvml.write("gpu total=12288 used=300 name=Test uuid=GPU-a", f"process {pid} 5000 while_alive")
    capsys.readouterr()
    assert main(["gpu", "--json"]) == 0
    (device,) = json.loads(capsys.readouterr().out)["devices"]
    (holder,) = device["processes"]
    assert (holder["kind"], holder["model"], holder["name"]) == ("container", "standin", f"arena-{RUN}-cli")
    assert main(["gpu", "--free", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["ended"] == [f"arena-{RUN}-cli"] and answer["devices"][0]["used_mb"] == 300
    assert ours() == []


def test_what_cannot_be_is_said(machine, capsys):
    assert main(["vllm", "up", "got_ocr_hf"]) == 2
    assert main(["vllm", "up", "qwen3_vl_2b"]) == 1  # not downloaded
    assert "python -m arena models download qwen3_vl_2b" in capsys.readouterr().err
    assert main(["vllm", "repin", "standin"]) == 0
    assert "sha256:" in capsys.readouterr().out
    assert main(["vllm", "repin", "no-such-image:1"]) == 1
