"""What docker/ says agrees with the catalogue and with what the program itself would start, and opens nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from arena.catalog import load_catalog
from arena.config import VLLM_IMAGE, load_settings
from arena.gpu import Device
from arena.runtimes.vllm_command import arguments, plan

DOCKER = Path(__file__).parent.parent.parent / "docker"
GPU = Device(0, "", "0", None, "")
SETTINGS = load_settings({"ARENA_HOME": "/nowhere"})
SPECS = {
    spec.in_mode("vllm").container.name: spec.with_options(mode="vllm")
    for spec in load_catalog(SETTINGS).visible(dev=False)
    if spec.in_mode("vllm").container and not spec.in_mode("vllm").why_not
}


@pytest.fixture(scope="module")
def compose() -> dict:
    return yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def services(compose) -> dict:
    return compose["services"]


def plain(word: str) -> str:
    """What Compose makes of a word when no variable is set."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", word).replace("$$", "$")


def test_every_model_that_vllm_can_serve_is_a_service_and_no_other(services):
    assert {name for name in services if name.startswith("vllm-")} == set(SPECS) != set()


def test_what_starts_by_itself_is_one_model(services):
    by_profile: dict[str, set[str]] = {}
    for name, service in services.items():
        for profile in service.get("profiles", [""]):
            by_profile.setdefault(profile, set()).add(name)
    assert by_profile[""] == {"vllm-dots-ocr"}
    assert by_profile["multi-model"] == {"vllm-qwen3-vl", "vllm-qwen2-vl"}
    assert by_profile["proxy"] == {"proxy"} and by_profile["app"] == {"app"}
    named = {profile: names for profile, names in by_profile.items() if profile in load_catalog(SETTINGS).models}
    assert all(len(names) == 1 for names in named.values()) and len(named) == len(SPECS) - 3


@pytest.mark.parametrize("name", SPECS)
def test_a_service_is_started_as_the_program_starts_it(services, name):
    service, spec = services[name], SPECS[name]
    made = plan(replace(spec, source="/"), SETTINGS, GPU, VLLM_IMAGE)
    said = [plain(word) for word in service["command"]]
    own = ["--model", "/weights", "--served-model-name", spec.id]
    theirs = own if spec.local else ["--model", spec.source, "--served-model-name", spec.id, spec.source]
    assert said == [*theirs, *list(made.command)[len(own) :], "--allowed-origins", "[]"]
    assert list(made.command)[: len(own)] == own
    assert service["container_name"] == name == made.name
    assert service["ports"] == [f"127.0.0.1:{made.port}:8000"]
    assert plain(service["image"]) == VLLM_IMAGE
    assert service["environment"] == made.env | {"VLLM_API_KEY": "${VLLM_API_KEY:-}"}
    told = arguments(made, "", {})
    for key in ("cap_drop", "cap_add", "security_opt", "pids_limit", "init", "shm_size"):
        assert service[key] == told[key], key
    assert service["ipc"] == told["ipc_mode"] and service["restart"] == told["restart_policy"]["Name"]
    log = told["log_config"]
    assert service["logging"] == {"driver": log["Type"], "options": log["Config"]}


@pytest.mark.parametrize("name", SPECS)
def test_a_model_sees_its_own_weights_and_cannot_change_them(services, name):
    spec = SPECS[name]
    *weights, cache = services[name]["volumes"]
    if spec.local:
        (mount,) = weights
        assert (DOCKER / mount["source"]).resolve() == Path(spec.source) and mount["target"] == "/weights"
        assert mount["type"] == "bind" and mount["read_only"]
        return
    folders = [f"models--{source.replace('/', '--')}" for source in (spec.source, *spec.also)]
    assert [mount["target"] for mount in weights] == [f"/weights/{folder}" for folder in folders]
    assert [plain(mount["source"]) for mount in weights] == [f"~/.cache/huggingface/hub/{folder}" for folder in folders]
    assert all(mount["type"] == "bind" and mount["read_only"] for mount in weights)
    assert cache == {"type": "volume", "source": "vllm-cache", "target": "/cache"}


def test_ports_and_gpus_can_be_told_apart(services):
    ports = [SPECS[name].in_mode("vllm").container.port for name in SPECS]
    assert len(set(ports)) == len(ports)
    for name, spec in SPECS.items():
        (device,) = services[name]["deploy"]["resources"]["reservations"]["devices"]
        assert device["device_ids"] == [f"${{GPU_{spec.id.upper()}:-0}}"] and device["capabilities"] == ["gpu"]
        assert f"${{SHARE_{spec.id.upper()}:-" in " ".join(services[name]["command"])


def test_nothing_is_open_to_the_network_or_restarts_or_has_rights(compose, services):
    for service in services.values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
        assert service["restart"] == "no"
        assert service["cap_drop"] == ["ALL"] and service["security_opt"] == ["no-new-privileges:true"]
        assert not {"privileged", "network_mode", "pid"} & set(service)
    assert "docker.sock" not in (DOCKER / "compose.yaml").read_text(encoding="utf-8")
    for service in (services["app"], services["app-gpu"]):
        cache = next(mount for mount in service["volumes"] if ":/cache:" in mount)
        assert cache.endswith(":${HF_ACCESS:-ro}")


def test_nginx_knows_every_service_where_it_listens():
    text = (DOCKER / "nginx.conf").read_text(encoding="utf-8")
    known = dict(re.findall(r"^ {8}(\w+) +([\w-]+):8000;$", text, flags=re.MULTILINE))
    assert known == {spec.id: name for name, spec in SPECS.items()}


def test_the_image_is_made_of_what_is_let_in_and_run_by_a_user_of_its_own():
    lines = (DOCKER / "Dockerfile").read_text(encoding="utf-8").splitlines()
    stage = lines[max(number for number, line in enumerate(lines) if line.startswith("FROM")) :]
    words = [line.split() for line in lines if line.startswith("COPY") and "--from" not in line]
    let_in = {
        line.removeprefix("!").rstrip("/")
        for line in (DOCKER.parent / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    assert {source for _, *sources, _ in words for source in sources} == let_in
    assert all((DOCKER.parent / name).exists() for name in let_in)
    assert "USER arena" in stage and any(line.startswith("HEALTHCHECK") for line in stage)
    assert not any(line.startswith(("ADD", "EXPOSE 0")) for line in lines)
