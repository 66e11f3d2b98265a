"""What suits a machine by the size of its GPU, and what is said when memory runs out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy
import pytest
from PIL import Image
from safetensors.numpy import save_file

from arena import advice, python_api, status
from arena.advice import NAMED, Choice, name_of, recommend, smaller, variants
from arena.catalog import Catalog, Mode, ModelSpec, load_catalog
from arena.cli import main
from arena.compare import Request, Side, compare
from arena.config import Settings, load_settings
from arena.core import Arena, arena_of
from arena.errors import RunError
from arena.status import fit
from arena.strings import LANGUAGES, tr
from arena.types import Run

if TYPE_CHECKING:
    from nvml import Nvml

pytest_plugins = ("nvml",)


@dataclass(frozen=True)
class Gpu:
    total_mb: float | None


class Machine:
    def __init__(self, *totals: float | None) -> None:
        self.cards = [Gpu(total) for total in totals]

    def devices(self) -> list[Gpu]:
        return self.cards


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    return load_catalog(Settings(tmp_path_factory.mktemp("home"), "sqlite://", None))


# --- the mode and the models


@pytest.mark.parametrize(
    ("totals", "docker", "choice", "first"),
    [
        ((), True, "no_gpu", ["rapidocr", "tesseract", "got_ocr_hf", "smolvlm_256m"]),
        ((4096,), True, "transformers", ["got_ocr_hf:4bit", "smolvlm_256m"]),
        ((6144,), True, "both", ["qwen3_vl_2b:4bit", "got_ocr_hf"]),
        ((8188,), True, "both", ["qwen3_vl_2b:8bit", "qwen2_vl_2b:8bit"]),
        ((10240,), False, "both_no_docker", ["qwen3_vl_2b", "qwen2_vl_2b"]),
        ((12227,), True, "vllm", ["qwen3_vl_2b:vllm", "qwen2_vl_2b:vllm", "got_ocr_hf"]),
        ((12227,), False, "vllm_no_docker", ["qwen3_vl_2b", "qwen2_vl_2b"]),
        ((24564, 4096), True, "vllm", ["qwen3_vl_2b:vllm", "qwen2_vl_2b:vllm", "qwen2_vl_7b:vllm"]),
        ((None,), True, "unknown", []),
    ],
)
def test_the_mode_goes_by_the_memory(catalog: Catalog, totals, docker, choice, first) -> None:
    found = recommend(catalog, Machine(*totals), docker)
    assert found.choice == choice
    assert list(found.variants[: len(first)]) == first
    assert found.total_gb == (round(totals[0] / 1024) if totals and totals[0] else None)
    for lang in LANGUAGES:
        said = found.text(lang)
        assert all(name in said for name in first[:NAMED])
        assert said.startswith(tr(f"advice.mode.{choice}", lang, total=found.total_gb and f"{found.total_gb:.0f}"))


def test_every_name_is_a_model_that_fits_and_what_has_room_comes_first(catalog: Catalog) -> None:
    for total in (4096, 6144, 8192, 10240, 12288, 16384, 24576, 49152, 81920):
        for docker in (True, False):
            specs = [catalog.find(name) for name in recommend(catalog, Machine(total), docker).variants]
            levels = [fit(spec, Machine(total)).level for spec in specs]
            assert levels == sorted(levels) and set(levels) <= {"fits", "tight"}, (total, levels)
            assert docker or not any(spec.mode == "vllm" for spec in specs)
    assert [spec.variant for spec in specs] == [catalog.find(name_of(spec, catalog)).variant for spec in specs]


def test_a_card_for_nothing_says_so(catalog: Catalog) -> None:
    found = recommend(catalog, Machine(1024), docker=True)
    assert found.variants == () and tr("advice.models.none", "ru") in found.text("ru")


def test_a_mode_that_is_impossible_is_not_advised(catalog: Catalog) -> None:
    assert [spec.mode for spec in variants(catalog.find("got_ocr_hf"), Machine(24576), docker=True)] == ["transformers"]
    assert [spec.mode for spec in variants(catalog.find("qwen3_vl_2b"), Machine(24576), docker=True)] == [
        "vllm",
        "transformers",
    ]
    assert variants(catalog.find("llama32_vision_11b"), Machine(6144), docker=True) == []


def test_every_choice_has_its_text() -> None:
    assert set(advice.MODES) == set(get_args(Choice))
    for lang in LANGUAGES:
        assert all(tr(f"advice.mode.{choice}", lang) for choice in get_args(Choice))


# --- when memory runs out


def test_what_needs_less_and_fits_is_named_with_its_need(catalog: Catalog) -> None:
    found = smaller(catalog.find("qwen3_vl_2b"), catalog, Machine(12288))
    assert [spec.quantization for spec in found.settings] == ["8bit", "4bit"]
    assert "8-bit (4.6 GB), 4-bit (3.9 GB)" in found.text("en") and "8 бит (4,6 ГБ)" in found.text("ru")
    assert found.other and found.other.id == "got_ocr_hf" and "GOT-OCR 2.0" in found.text("ru")
    assert tr("advice.smaller.pixels", "ru") in found.text("ru")
    large = smaller(catalog.find("qwen2_vl_7b"), catalog, Machine(12288))
    assert [spec.quantization for spec in large.settings] == ["4bit"]  # in 8 bits it does not fit either
    assert not large.pixels  # however small the picture


def test_fp32_is_told_to_be_given_up_first(catalog: Catalog) -> None:
    found = smaller(catalog.find("qwen3_vl_2b:fp32"), catalog, Machine(12288))
    first = found.settings[0]
    assert (first.quantization, first.dtype) == ("none", "auto")


def test_what_vllm_cannot_quantize_transformers_can(catalog: Catalog) -> None:
    found = smaller(catalog.find("qwen3_vl_2b:vllm"), catalog, Machine(6144))
    assert [(spec.mode, spec.quantization) for spec in found.settings] == [
        ("transformers", "8bit"),
        ("transformers", "4bit"),
    ]
    assert "In transformers" in found.text("en") and "8-bit" in found.text("en")
    assert found.other is not None and found.other.mode == "vllm" and f"({found.other.id}:vllm)" in found.text("en")


@pytest.fixture
def arena(settings: Settings, nvml: Nvml) -> Iterator[Arena]:
    nvml.write("gpu total=12288 used=300 name=Test uuid=GPU-a")
    with arena_of(settings) as opened:
        yield opened


def fake(tmp_path: Path, **vram_gb: float) -> ModelSpec:
    """The test model as one that is loaded from a folder."""
    modes = (Mode("transformers", {name.strip("_"): gb for name, gb in vram_gb.items()}, adapter="fake"),)
    spec = ModelSpec("fake", "Fake", "fake", str(tmp_path), modes=modes, mode="transformers")
    return replace(spec, tasks=("ocr", "question"))


def runs(arena: Arena, tmp_path: Path, *specs: ModelSpec, prompt: str = "tokens=3", anyway: bool = False) -> list[Run]:
    Image.new("RGB", (64, 64), "white").save(tmp_path / "page.png")
    image, task = arena.images.add(tmp_path / "page.png"), arena.catalog.task("ocr")
    request = Request(tuple(Side(spec) for spec in specs), image, task, prompt, anyway=anyway)
    return [event for event in compare(arena, request) if isinstance(event, Run)]


def test_out_of_memory_says_which_smaller_setting_fits(arena: Arena, tmp_path: Path) -> None:
    (run,) = runs(arena, tmp_path, fake(tmp_path, none=6.0, _8bit=4.6, _4bit=3.9), prompt="oom=1")
    assert (run.status, run.error_kind) == ("oom", "out_of_memory")
    assert run.error_text["en"].startswith(tr("errors.out_of_memory", "en"))
    assert "8-bit (4.6 GB), 4-bit (3.9 GB)" in run.error_text["en"]
    assert "8 бит (4,6 ГБ), 4 бита (3,9 ГБ)" in run.error_text["ru"]
    assert "(got_ocr_hf)" in run.error_text["en"]
    assert run.error_detail and all(text.endswith(run.error_detail) for text in run.error_text.values())


def test_while_loading_too(arena: Arena, tmp_path: Path) -> None:
    spec = replace(fake(tmp_path, none=6.0, _4bit=3.9), options={"load_oom": 1})
    (run,) = runs(arena, tmp_path, spec)
    assert run.status == "oom" and "4-bit (3.9 GB)" in run.error_text["en"]


def test_what_does_not_fit_says_what_does_and_runs_anyway(arena: Arena, tmp_path: Path) -> None:
    large = fake(tmp_path, none=19.0, _8bit=12.0)
    (refused,) = runs(arena, tmp_path, large)
    assert (refused.status, refused.error_kind) == ("error", "unavailable")
    assert "19 GB" in refused.error_text["en"] and "Qwen3-VL 2B (qwen3_vl_2b)" in refused.error_text["en"]
    assert "Модель поменьше" in refused.error_text["ru"]
    (refused,) = runs(arena, tmp_path, fake(tmp_path, none=19.0, _8bit=9.0))
    assert refused.error_text["en"].count("8-bit (9 GB)") == 1
    (run,) = runs(arena, tmp_path, large, anyway=True)
    assert run.status == "ok"


def test_the_loaded_model_does_not_stand_in_its_own_way(arena: Arena, nvml: Nvml, tmp_path: Path) -> None:
    spec = fake(tmp_path, none=6.0)
    assert [run.status for run in runs(arena, tmp_path, spec)] == ["ok"]
    (pid,) = arena.slots.pids()
    nvml.write("gpu total=12288 used=300 name=Test uuid=GPU-a", f"process {pid} 7000 while_alive")
    assert status.free_gb(arena.gpus) == pytest.approx((12288 - 300 - 7000) / 1024)
    assert not arena.status(spec).warns


# --- the same from the command line and from Python


@pytest.fixture
def own(settings: Settings, nvml: Nvml, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A home on a machine with 12 GB whose catalogue has a model too large and one at the limit; an image's path."""
    nvml.write("gpu total=12288 used=300 name=Test uuid=GPU-a")
    folder = settings.home
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    save_file({"weight": numpy.zeros(4, numpy.float32)}, folder / "model.safetensors")
    entry = "  {0}: {{adapter: fake, source: {1}, modes: {{transformers: {{vram_gb: {{none: {2}}}}}}}}}\n"
    lines = [entry.format(name, folder, gb) for name, gb in (("huge", 19.0), ("tight", 9.5))]
    (folder / "models.yaml").write_text("models:\n" + "".join(lines))
    monkeypatch.setenv("ARENA_HOME", str(folder))
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    Image.new("RGB", (64, 64), "white").save(tmp_path / "page.png")
    return str(tmp_path / "page.png")


def test_the_command_line_warns_and_tries_anyway(own: str, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["compare", "--image", own, "--models", "huge", "tight", "--prompt", "tokens=2"]
    assert main(asked) == 1
    out, err = capsys.readouterr()
    assert "Tight" not in err and "tight (transformers): At the limit" in err
    assert "A smaller model: Qwen3-VL 2B" in err and "A: huge (transformers)" in out
    assert main([*asked, "--anyway"]) == 0
    assert main(["models"]) == 0
    assert capsys.readouterr().err.endswith("more.\n")


def test_python_warns_and_tries_anyway(own: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with arena_of(load_settings()) as opened:
        monkeypatch.setattr(python_api, "_arena", opened)
        assert [run.status for run in python_api.compare(own, ["huge"])] == ["error"]
        assert [run.status for run in python_api.compare(own, ["huge"], prompt="tokens=2", anyway=True)] == ["ok"]
        with pytest.warns(UserWarning, match="At the limit"):
            python_api.compare(own, ["tight"], prompt="tokens=2")
        with pytest.raises(RunError, match="19 GB"):
            python_api.load_model("huge")
        with python_api.load_model("huge", anyway=True) as model:
            assert model.process_image(own, "tokens=2").output_tokens == 2
