"""The status of a model on this machine: the truth about files, packages and memory, and a command that helps."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import huggingface_hub
import psutil
import pytest
from huggingface_hub import constants

import adapters
from arena import hub
from arena.catalog import Mode, ModelSpec, load_catalog
from arena.config import Settings
from arena.gpu import Gpus
from arena.status import Code, Level, ModelStatus, bytes_on_disk, fit, free_gb, model_status
from arena.strings import tr

if TYPE_CHECKING:
    from nvml import Nvml

pytest_plugins = ("nvml",)

ROOT = Path(__file__).parents[2]
COMMIT = "0123456789abcdef0123456789abcdef01234567"
MODES = (Mode("transformers", {"none": 6.0, "8bit": 4.6, "4bit": 3.9}), Mode("vllm", {"none": 7.0}))
MODEL = ModelSpec("m", "M", "fake", "owner/name", "main", modes=MODES, mode="transformers", size_gb=4.3)


@pytest.fixture
def gpus(nvml: Nvml) -> Iterator[Gpus]:
    """What NVML tells of a machine without a GPU, until the test writes one."""
    found = Gpus()
    yield found
    found.close()


@pytest.fixture
def card(nvml: Nvml) -> Iterator[Callable[..., Gpus]]:
    """Puts a GPU of so many MiB into the machine."""
    opened = []

    def put(*totals: int) -> Gpus:
        nvml.write(*(f"gpu total={total} used=300 name=Test uuid=GPU-{total}" for total in totals))
        opened.append(Gpus())
        return opened[-1]

    yield put
    for found in opened:
        found.close()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty Hugging Face cache."""
    folder = tmp_path / "hub"
    folder.mkdir()
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder))
    return folder


def download(source: str, files: dict[str, bytes], ref: str | None = "main", commit: str = COMMIT) -> Path:
    """Lay files into the cache as huggingface_hub does: blobs, links to them in a snapshot, a ref."""
    folder = hub.repository(source)
    (folder / "blobs").mkdir(parents=True, exist_ok=True)
    snapshot = folder / "snapshots" / commit
    snapshot.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        blob = folder / "blobs" / f"blob-of-{name}"
        blob.write_bytes(content)
        (snapshot / name).symlink_to(os.path.relpath(blob, snapshot))
    if ref:
        (folder / "refs").mkdir(exist_ok=True)
        (folder / "refs" / ref).write_text(commit)
    return folder


WHOLE = {"config.json": b"{}", "model.safetensors": b"x" * 1000}


@pytest.fixture
def adapter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], str]]:
    """Writes an adapter's file with a class body and gives its name."""
    folder = tmp_path / "adapters"
    folder.mkdir()
    monkeypatch.setattr(adapters, "__path__", [*adapters.__path__, str(folder)])

    def write(body: str) -> str:
        (folder / "trial.py").write_text(
            f'"""A trial."""\nfrom adapters.base import Adapter\nclass Trial(Adapter):\n{body}'
        )
        return "trial"

    yield write
    sys.modules.pop("adapters.trial", None)


# --- engines that bring their weights along


def test_the_engines_of_this_installation_are_ready(settings: Settings, gpus: Gpus) -> None:
    catalog = load_catalog(settings)
    for name in ("rapidocr", "fake"):
        found = model_status(catalog.find(name), settings, gpus)
        assert found.ready and found == ModelStatus("ready"), found


def test_an_engine_without_its_packages_says_the_pip_line(settings, gpus, adapter) -> None:
    spec = ModelSpec("m", "M", adapter("    requires = ('json', 'cv2_absent', 'no_such_engine')\n"), "")
    found = model_status(spec, settings, gpus)
    assert (found.code, found.command) == (
        "needs_engine",
        f"{sys.executable} -m pip install cv2_absent no_such_engine",
    )
    assert "no_such_engine" in found.text("ru")


def test_an_engine_without_its_data_says_what_the_adapter_says(settings, gpus, adapter) -> None:
    body = "    @classmethod\n    def missing(cls):\n        return 'data (rus): apt-get install x-rus'\n"
    found = model_status(ModelSpec("m", "M", adapter(body), ""), settings, gpus)
    assert (found.code, found.command) == ("needs_engine", "apt-get install x-rus")
    assert "data (rus)" in found.text("en") and "apt-get" not in found.text("en")
    assert found.advice("ru").endswith("apt-get install x-rus")


def test_a_model_without_an_adapter_is_planned(settings, gpus) -> None:
    found = model_status(replace(MODEL, adapter="not_written_yet"), settings, gpus)
    assert (found.code, found.command, found.ready) == ("planned", "", False)


# --- packages and interpreters


def test_a_model_without_its_packages_says_make_models(settings, gpus, adapter) -> None:
    spec = replace(MODEL, adapter=adapter("    requires = ('json', 'no_such_torch')\n"))
    found = model_status(spec, settings, gpus)
    assert (found.code, found.command) == ("needs_models", "make models")
    assert "no_such_torch" in found.text("ru")


def test_a_model_of_an_older_interpreter_says_make_models_legacy(settings, gpus, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))  # where the older interpreters would be
    found = model_status(replace(MODEL, interpreter="legacy"), settings, gpus)
    assert (found.code, found.command) == ("needs_interpreter", "make models-legacy")


# --- weights


def test_weights_are_downloaded_once(settings, gpus) -> None:
    found = model_status(MODEL, settings, gpus)
    assert (found.code, found.command) == ("needs_download", f"python -m arena models download {MODEL.id}")
    assert "4,3 ГБ" in found.text("ru") and "4.3 GB" in found.text("en")
    download("owner/name", WHOLE)
    assert model_status(MODEL, settings, gpus).ready


def test_a_gated_model_says_how_to_get_in(settings, gpus) -> None:
    found = model_status(replace(MODEL, gated=True), settings, gpus)
    assert found.command == f"hf auth login && python -m arena models download {MODEL.id}"
    assert "лицензию" in found.text("ru") and "licence" in found.text("en")


def test_the_installed_hub_has_the_command_we_name() -> None:
    said = subprocess.run(
        ["hf", "auth", "login", "--help"], capture_output=True, text=True, check=False, env=with_venv()
    )
    assert said.returncode == 0, said


def with_venv() -> dict[str, str]:
    return os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "200"}


@pytest.mark.parametrize("revision", ["v1.0", "pin:v1.0", COMMIT])
def test_another_revision_is_another_download(settings, gpus, revision: str) -> None:
    spec = replace(MODEL, revision=revision)
    download("owner/name", WHOLE, commit="f" * 40)
    assert model_status(spec, settings, gpus).code == "needs_download"
    download("owner/name", WHOLE, ref="v1.0" if revision != COMMIT else None)
    assert model_status(spec, settings, gpus).ready


@pytest.mark.parametrize(
    "files",
    [
        {"config.json": b"{}"},
        {"model.safetensors": b"x"},
        {"config.json": b"{}", "pytorch_model.bin": b"x"},
        {"config.json": b"{}", "model-00001-of-00002.safetensors": b"x"},
    ],
)
def test_half_a_download_is_none(settings, gpus, files: dict[str, bytes]) -> None:
    download("owner/name", files)
    assert model_status(MODEL, settings, gpus).code == "needs_download"


def test_all_shards_are_a_download_and_a_dead_link_is_none(settings, gpus) -> None:
    folder = download("owner/name", {"config.json": b"{}"} | {f"m-0000{n}-of-00002.safetensors": b"x" for n in (1, 2)})
    assert model_status(MODEL, settings, gpus).ready
    (folder / "blobs" / "blob-of-m-00002-of-00002.safetensors").unlink()
    assert model_status(MODEL, settings, gpus).code == "needs_download"


def test_a_folder_needs_no_download(settings, gpus, tmp_path: Path) -> None:
    assert model_status(replace(MODEL, source=str(tmp_path), revision=""), settings, gpus).ready


def test_size_on_disk_is_what_the_hub_counts(cache: Path) -> None:
    assert bytes_on_disk(MODEL) == 0
    download("owner/name", WHOLE)
    (counted,) = huggingface_hub.scan_cache_dir(cache).repos
    assert counted.size_on_disk == 1002
    assert bytes_on_disk(MODEL) == 1002 + len(COMMIT)  # the ref is a file too
    (hub.repository("owner/name") / "blobs" / "abc.incomplete").write_bytes(b"x" * 500)
    assert bytes_on_disk(MODEL) == 1502 + len(COMMIT)
    assert bytes_on_disk(replace(MODEL, source="")) == 0


@pytest.mark.parametrize(
    ("variables", "expected"),
    [({"HF_HOME": "{0}/a"}, "{0}/a/hub"), ({"HF_HOME": "{0}/a", "HF_HUB_CACHE": "{0}/b"}, "{0}/b")],
)
def test_the_standard_variables_are_respected(tmp_path: Path, variables: dict[str, str], expected: str) -> None:
    code = "from arena import hub; print(hub.repository('owner/name').parent)"
    env = os.environ | {name: value.format(tmp_path) for name, value in variables.items()}
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == expected.format(tmp_path)


# --- memory


@pytest.mark.parametrize(
    ("total_mb", "available", "recommended"),
    [(12_227, 10, 8), (12_288, 10, 8), (6_144, 5, 4), (24_564, 22, 20), (143_771, 138, 136)],
)
def test_of_12_gb_10_can_be_used_and_8_are_recommended(card, total_mb: int, available: int, recommended: int) -> None:
    room = fit(MODEL, card(total_mb))
    assert (room.available_gb, room.recommended_gb) == (available, recommended)


@pytest.mark.parametrize(
    ("need", "level"), [(7.9, "fits"), (8.0, "fits"), (8.1, "tight"), (10.0, "tight"), (10.1, "too_big")]
)
def test_how_a_model_fits_12_gb(card, need: float, level: str) -> None:
    room = fit(replace(MODEL, modes=(Mode("transformers", {"none": need}),)), card(12_288))
    assert room.level == level and f"{need:g}" in room.text("en")


def test_the_gpu_that_models_run_on_counts(card) -> None:
    assert fit(MODEL, card(4_096, 24_576)).total_gb == 4


def test_fp32_takes_the_weights_twice(card) -> None:
    room = fit(replace(MODEL, dtype="fp32"), card(12_288))
    assert room.need_gb == pytest.approx(6.0 + 4.3e9 / 2**30)
    assert room.level == "too_big"


def test_what_is_at_the_limit_warns_and_runs(settings, card) -> None:
    download("owner/name", WHOLE)
    found = model_status(replace(MODEL, modes=(Mode("transformers", {"none": 9.0}),)), settings, card(12_288))
    assert found.ready and found.warns and found.key == "ready_tight"
    assert "9 GB of the 10 GB" in found.text("en") and "8 ГБ" in found.text("ru")
    assert not model_status(MODEL, settings, card(12_288)).warns


def test_what_others_hold_is_told_and_our_own_model_is_not_theirs(settings, nvml: Nvml, card) -> None:
    download("owner/name", WHOLE)
    cards, ours, other = card(12_288), os.getpid(), os.getppid()
    nvml.write(f"gpu total=12288 used=300 name=Test uuid=GPU-12288\nprocess {other} 6144")
    found = model_status(MODEL, settings, cards)  # 6 GB are wanted, 11.7 - 6 are free
    assert (found.code, found.key, found.warns) == ("ready", "ready_crowded", True)
    assert "6 GB" in found.text("en") and "5,7 ГБ" in found.text("ru")
    assert not model_status(MODEL.with_options(quantization="8bit"), settings, cards).warns
    nvml.write(f"gpu total=12288 used=300 name=Test uuid=GPU-12288\nprocess {ours} 6144")
    assert model_status(MODEL, settings, cards).warns
    assert not model_status(MODEL, settings, cards, ours=[ours]).warns
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:  # as vLLM's engine
        nvml.write(f"gpu total=12288 used=300 name=Test uuid=GPU-12288\nprocess {child.pid} 6144")
        assert not model_status(MODEL, settings, cards, ours=[ours]).warns
        child.communicate()


@pytest.mark.parametrize("line", ["process {0} 6144 hidden", "process 4194303 6144"])
def test_nothing_is_said_of_others_when_ours_cannot_be_told(settings, nvml: Nvml, card, line: str) -> None:
    download("owner/name", WHOLE)
    cards = card(12_288)
    nvml.write(f"gpu total=12288 used=300 name=Test uuid=GPU-12288\n{line.format(os.getpid())}")
    assert free_gb(cards, [os.getpid()]) is None
    assert not model_status(MODEL, settings, cards, ours=[os.getpid()]).warns


def test_nothing_is_made_up_about_memory(gpus, card) -> None:
    assert fit(MODEL, gpus).level == "no_gpu"
    assert fit(replace(MODEL, modes=(), mode="embedded"), gpus).level == "none_needed"
    cards = card(12_288)
    assert fit(replace(MODEL, modes=(Mode("transformers"),)), cards).level == "unknown"


def test_a_gpu_that_shares_the_machine_s_memory_is_measured_by_it(settings, nvml: Nvml, card) -> None:
    cards = card(1)
    nvml.write("gpu total=1 memory_error=3 memory_v2_error=3 name=Shared uuid=GPU-s")
    assert [device.total_mb for device in cards.devices()] == [None]
    assert fit(MODEL, cards).level == "unknown"
    download("owner/name", WHOLE)
    assert model_status(replace(MODEL, size_gb=0.1), settings, cards) == ModelStatus("ready")
    assert model_status(replace(MODEL, size_gb=10_000.0), settings, cards).code == "does_not_fit"


def test_a_model_too_big_for_the_gpu_says_what_is_small_enough(settings, card) -> None:
    cards = card(6_144)
    found = model_status(MODEL, settings, cards)
    assert (found.code, found.command, found.key) == ("does_not_fit", "", "does_not_fit_smaller")
    assert "8-bit (4.6 GB), 4-bit (3.9 GB)" in found.text("en") and "6 ГБ" in found.text("ru")
    download("owner/name", WHOLE)
    assert model_status(MODEL, settings, cards, anyway=True) == ModelStatus("ready")
    assert model_status(MODEL.with_options(quantization="8bit"), settings, cards).key == "ready_tight"
    assert model_status(MODEL.with_options(quantization="4bit"), settings, cards) == ModelStatus("ready")
    assert model_status(MODEL.with_options(mode="vllm"), settings, cards).code == "does_not_fit"
    lone = replace(MODEL, modes=(Mode("transformers", {"none": 6.0}),))
    assert model_status(lone, settings, cards).key == ""
    assert model_status(lone, settings, cards).code == "does_not_fit"


def test_without_a_gpu_the_machine_s_memory_counts(settings, gpus) -> None:
    free = psutil.virtual_memory().available / 1e9
    download("owner/name", WHOLE)
    found = model_status(replace(MODEL, size_gb=free / 4), settings, gpus)
    assert found.ready and found.text("en") == tr("models.status.ready_cpu", "en")
    assert model_status(replace(MODEL, size_gb=0.05), settings, gpus).text("en") == tr("models.status.ready", "en")
    huge = replace(MODEL, size_gb=free * 1.5)
    found = model_status(huge, settings, gpus)
    assert (found.code, found.key) == ("does_not_fit", "does_not_fit_ram")
    assert model_status(replace(huge, size_gb=free * 0.8, dtype="fp32"), settings, gpus).code == "does_not_fit"
    small = huge.with_options(quantization="4bit")  # 3.9 of 6.0, so 0.65 of the weights
    assert model_status(replace(small, size_gb=free * 1.2), settings, gpus).ready


# --- all of it


def test_every_status_has_its_texts() -> None:
    for lang in ("en", "ru"):
        assert all(tr(f"models.badge.{code}", lang) for code in get_args(Code))
        assert all(tr(f"models.status.{code}", lang) for code in get_args(Code))
        assert all(tr(f"models.fit.{level}", lang) for level in get_args(Level))
    assert ModelStatus("planned").label("ru") == tr("models.badge.planned", "ru")


def test_what_nobody_knows_is_a_question_mark(settings, gpus) -> None:
    assert "? GB" in model_status(replace(MODEL, size_gb=None), settings, gpus).text("en")


def test_the_whole_list_imports_nothing_heavy() -> None:
    heavy = ["torch", "transformers", "onnxruntime", "rapidocr", "tesserocr", "docker", "cv2", "vllm", "pypdfium2"]
    code = (
        "import json, sys; from arena.catalog import load_catalog; from arena.config import load_settings; "
        "from arena.gpu import Gpus; from arena.status import model_status; settings = load_settings(); gpus = Gpus(); "
        "found = [model_status(s, settings, gpus).text('ru') for s in load_catalog(settings).visible(True)]; "
        f"print(json.dumps([name for name in {heavy} if name in sys.modules]))"
    )
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(said.stdout) == []
