"""The catalogue that is shipped: whole and true, its models found by name and set as their entries allow."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import adapters
from adapters.base import adapter_class
from arena import catalog
from arena.catalog import MODELS, TASKS, Catalog, Mode, ModelSpec, load_catalog
from arena.compare import Request, Side, job_of
from arena.config import Settings
from arena.errors import ConfigError, RunError
from arena.models_table import models_table
from arena.status import adapter_exists

SEEDS = [
    *("qwen3_vl_2b", "qwen2_vl_2b", "qwen2_vl_7b", "got_ocr_hf", "smolvlm_2b", "smolvlm_256m"),
    *("llama32_vision_11b", "dots_ocr", "phi35_vision", "phi3_vision_128k", "internvl2_2b", "minicpm_v26"),
    *("moondream2", "deepseek_vl2_tiny", "deepseek_ocr"),
]


WATCHED: list[str] = []
WATCHING = threading.local()


def watch(event: str, _: tuple[object, ...]) -> None:
    """Python tells every look at the disk and the network; a hook for that cannot be taken away again."""
    if getattr(WATCHING, "on", False) and event.startswith(("open", "os.", "socket.", "subprocess.")):
        WATCHED.append(event)


sys.addaudithook(watch)


@contextlib.contextmanager
def touching_nothing() -> Iterator[None]:
    """Fails when a file is opened, a folder is listed or a connection is tried meanwhile."""
    import rapidfuzz.process  # noqa: F401 - or its own files would be what is read

    WATCHED.clear()
    WATCHING.on = True
    try:
        yield
    finally:
        WATCHING.on = False
    assert WATCHED == []


def settings_with(models_file: Path | None, home: Path) -> Settings:
    return Settings(home=home, database_url="sqlite://", models_file=models_file)


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    return load_catalog(settings_with(None, tmp_path_factory.mktemp("home")))


# --- what is shipped


def test_every_model_and_task_is_there(shipped: Catalog) -> None:
    assert {"rapidocr", "tesseract", "fake", *SEEDS} <= set(shipped.models)
    assert {"chat", "description", "formatted_ocr", "grounding", "layout", "ocr", "question"} <= set(shipped.tasks)
    assert [spec.id for spec in shipped.visible(dev=True) if spec.dev_only] == ["fake"]
    assert "fake" not in [spec.id for spec in shipped.visible(dev=False)]


def test_every_entry_says_what_a_teacher_needs(shipped: Catalog) -> None:
    for spec in shipped.models.values():
        assert set(spec.notes) == {"en", "ru"}, spec.id
        assert spec.licence and spec.languages, spec.id
        assert all(len(note) <= 140 for note in spec.notes.values()), spec.id
        for mode in spec.modes:
            assert set(mode.why_not) in (set(), {"en", "ru"}), spec.id
            assert bool(mode.why_not) != bool(mode.vram_gb) or mode.name == "embedded", spec.id
        if spec.mode != "embedded":
            assert spec.source and spec.parameters and bool(spec.size_gb) != spec.local, spec.id
            needs = list(spec.in_mode("transformers").vram_gb.values())
            assert needs == sorted(needs, reverse=True), f"{spec.id}: a smaller quantization needs less"
            assert needs[0] > (spec.size_gb or 0) / 1.074, f"{spec.id}: needs more than its weights"


def test_one_file_adds_a_task_and_one_a_family(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task says which one it is like, and every model that does that one does it; an adapter is found by its file."""
    tasks, families, own = tmp_path / "tasks", tmp_path / "families", tmp_path / "models.yaml"
    shutil.copytree(TASKS, tasks)
    told = "{en: Count words, ru: Сосчитать слова}"
    (tasks / "count.yaml").write_text(f"id: count\nlike: question\nversion: 1\ntitles: {told}\nprompts: {told}\n")
    families.mkdir()
    (families / "quiet.py").write_text("from adapters.base import Adapter\nclass Quiet(Adapter): pass\n")
    own.write_text("models:\n  mine:\n    adapter: quiet\n    modes: {embedded: {}}\n")
    monkeypatch.setattr(catalog, "TASKS", tasks)
    monkeypatch.setattr(adapters, "__path__", [*adapters.__path__, str(families)])
    found = load_catalog(settings_with(own, tmp_path))
    assert "quiet" in catalog.adapter_names() and found.find("mine").tasks == ("ocr",)
    able = {spec.id for spec in found.models.values() if "count" in spec.tasks}
    assert able == {spec.id for spec in found.models.values() if "question" in spec.tasks} and "fake" in able
    asked = Request((), None, found.task("count"), "How many?")
    assert job_of(asked, Side(found.find("fake"), {})).task == "question", (
        "adapters know the tasks they were written for"
    )
    (tasks / "count.yaml").write_text(f"id: count\nlike: questoin\nversion: 1\ntitles: {told}\nprompts: {told}\n")
    with pytest.raises(ConfigError, match=r"count\.yaml: like: .*did you mean 'question'"):
        load_catalog(settings_with(own, tmp_path))


def test_an_adapter_that_exists_can_do_the_tasks_of_its_entries(shipped: Catalog) -> None:
    there = [spec for spec in shipped.models.values() if adapter_exists(spec.adapter)]
    assert {"rapidocr", "tesseract", "fake"} <= {spec.id for spec in there}
    for spec in there:
        asked = {shipped.task(name).known_as for name in spec.tasks}
        assert asked <= set(adapter_class(spec.adapter).tasks), spec.id


def test_the_same_facts_as_research_found(shipped: Catalog) -> None:
    impossible = {spec.id for spec in shipped.models.values() if spec.in_mode("vllm").why_not}
    assert impossible == {"got_ocr_hf", "llama32_vision_11b", "moondream2"}
    assert {spec.id for spec in shipped.models.values() if spec.gated} == {"llama32_vision_11b"}
    for spec in shipped.models.values():
        if spec.mode == "transformers":
            assert spec.trust_remote_code == (spec.interpreter != "main"), "code of its own goes with older libraries"


@pytest.mark.battery("M5")
def test_every_shipped_model_with_code_is_pinned(shipped: Catalog) -> None:
    trusted = [spec for spec in shipped.models.values() if spec.trust_remote_code]
    assert len(trusted) == 8
    assert all(spec.pinned or spec.revision.startswith("pin:") for spec in trusted)


def test_tasks_are_asked_in_both_languages(shipped: Catalog) -> None:
    for task in shipped.tasks.values():
        assert task.version >= 1
        assert task.prompt_for("ru") != task.prompt_for("en") == task.prompt_for("de")
        assert task.title_for("ru") != task.title_for("en")
    assert shipped.tasks["layout"].output == "boxes"
    assert shipped.tasks["formatted_ocr"].output == "markdown"
    assert shipped.tasks["ocr"].metrics[:2] == ("cer", "wer")


def test_the_table_has_a_row_for_each_model_in_both_languages(shipped: Catalog) -> None:
    for lang, why in (("en", "Removed from vLLM"), ("ru", "Удалена из vLLM")):
        table = models_table(shipped, lang).splitlines()
        assert len(table) == 2 + len(shipped.visible(dev=False))
        assert len({line.count("|") for line in table}) == 1
        assert sum(why in line for line in table) == 1
    assert "6,5 · 5,1 (8bit) · 4,5 (4bit)" in models_table(shipped, "ru")


def test_the_shipped_files_are_read_the_same_by_plain_yaml() -> None:
    plain = yaml.safe_load(MODELS.read_text(encoding="utf-8"))
    assert list(plain) == ["models"]
    assert sorted(path.stem for path in TASKS.glob("*.yaml")) == sorted(
        yaml.safe_load(path.read_text(encoding="utf-8"))["id"] for path in TASKS.glob("*.yaml")
    )


# --- finding


def test_a_model_is_found_by_id_alias_and_source(shipped: Catalog) -> None:
    assert shipped.find("got_ocr").id == shipped.find("stepfun-ai/GOT-OCR-2.0-hf").id == "got_ocr_hf"
    assert shipped.find("rednote-hilab/dots.ocr").id == "dots_ocr"


@pytest.mark.parametrize(
    ("name", "meant"),
    [("qwen3vl_2b", "qwen3_vl_2b"), ("Tesserac", "tesseract"), ("dots.ocr", "dots_ocr"), ("MOONDREAM2", "moondream2")],
)
def test_a_misspelt_name_is_told_the_nearest(shipped: Catalog, name: str, meant: str) -> None:
    with pytest.raises(RunError) as caught:
        shipped.find(name)
    assert (caught.value.kind, caught.value.key) == ("bad_input", "models.unknown")
    for lang in ("en", "ru"):
        assert meant in caught.value.text(lang)


@pytest.mark.battery("M1", "M2", "M3", "M7")
@pytest.mark.parametrize(
    "name",
    [
        "../../etc",
        "..",
        "/",
        "http://evil.example/x",
        "C:\\x",
        "-rf",
        "--trust-remote-code",
        "qwen3_vl_2b;ls",
        "qwen3_vl_2b\n-rf",
        "openbmb/MiniCPM-V-4",  # on the Hub, but not in the catalogue
        "qwen3_vl_2b ",
        "QWEN3_VL_2B",
        "qwеn3_vl_2b",  # the e is Cyrillic
        "q" * 10_000,
        "",
        "\ud800",
    ],
)
def test_what_is_no_name_is_unknown_and_shown_harmlessly(shipped: Catalog, name: str) -> None:
    with touching_nothing(), pytest.raises(RunError) as caught:
        shipped.find(name)
    assert caught.value.key == "models.unknown"
    text = caught.value.text("ru")
    assert len(text) < 600 and "\n" not in text and "fake" not in text
    text.encode()


def test_an_unknown_task_is_told_the_nearest(shipped: Catalog) -> None:
    assert shipped.task("ocr").id == "ocr"
    with pytest.raises(RunError, match="formatted_ocr") as caught:
        shipped.task("format_ocr")
    assert caught.value.key == "tasks.unknown"


# --- the same model set differently


def test_options_are_taken_as_far_as_the_entry_allows(shipped: Catalog) -> None:
    spec = shipped.find("qwen2_vl_7b")
    small = spec.with_options(quantization="4bit", dtype="bf16")
    assert (small.quantization, small.dtype, small.vram_gb) == ("4bit", "bf16", 9.2)
    assert small.key != spec.key and small.id == spec.id
    assert small.with_options() == small
    served = small.with_options(mode="vllm")
    assert (served.mode, served.quantization, served.vram_gb) == ("vllm", "none", 20.0)


@pytest.mark.parametrize(
    ("name", "options", "allowed"),
    [
        ("moondream2", {"quantization": "4bit"}, "none"),
        ("qwen3_vl_2b", {"quantization": "5bit"}, "none, 8bit, 4bit"),
        ("dots_ocr", {"dtype": "fp16"}, "auto, bf16"),
        ("moondream2", {"mode": "vllm"}, "transformers"),
        ("rapidocr", {"mode": "transformers"}, "embedded"),
        ("rapidocr", {"quantization": "8bit"}, "none"),
        ("qwen3_vl_2b", {"mode": "vllm", "quantization": "4bit"}, "none"),
    ],
)
def test_options_the_entry_does_not_allow_are_refused(
    shipped: Catalog, name: str, options: dict[str, str], allowed: str
) -> None:
    with pytest.raises(RunError) as caught:
        shipped.find(name).with_options(**options)
    assert caught.value.key == "models.bad_option"
    for lang in ("en", "ru"):
        assert caught.value.text(lang).endswith(f": {allowed}.")


def test_the_key_tells_apart_whatever_is_loaded_differently() -> None:
    spec = ModelSpec("m", "M", "fake", "owner/name", modes=(Mode("transformers", {"none": 1.0, "4bit": 0.5}),))
    loaded = {"adapter": "a", "source": "o/n", "revision": "r", "interpreter": "legacy", "mode": "vllm"}
    loaded |= {"quantization": "4bit", "dtype": "bf16", "options": {"delay": 1}}
    keys = {dataclasses.replace(spec, **{name: value}).key for name, value in loaded.items()} | {spec.key}
    assert len(keys) == len(loaded) + 1
    same = dataclasses.replace(spec, title="other", params={"seed": 1}, notes={"en": "x"})
    assert same.key == spec.key


def test_a_name_may_say_how_the_model_is_to_run(shipped) -> None:
    served = shipped.find("Qwen/Qwen2-VL-2B-Instruct:vllm")
    assert (served.mode, served.adapter, served.interpreter) == ("vllm", "openai_chat", "main")
    assert served.in_mode("vllm").container.port == 8011
    small = shipped.find("dots_ocr:8bit:bf16")
    assert (small.quantization, small.dtype, small.interpreter) == ("8bit", "bf16", "legacy-dots")
    assert shipped.find(small.variant) == small
    back = shipped.find("dots_ocr:vllm").with_options(mode="transformers")
    assert (back.adapter, back.interpreter) == ("dots_ocr", "legacy-dots")


@pytest.mark.parametrize("name", ["dots_ocr:4bit", "dots_ocr:", "dots_ocr:fast", "moondream2:vllm"])
def test_a_way_to_run_that_the_model_has_not_is_refused_with_those_it_has(shipped, name) -> None:
    with pytest.raises(RunError) as caught:
        shipped.find(name)
    assert caught.value.key == "models.bad_option"


def test_no_two_models_share_a_container_or_its_port(shipped) -> None:
    containers = [
        mode.container
        for spec in shipped.models.values()
        if (mode := spec.in_mode("vllm")).container and not mode.why_not
    ]
    assert len({each.name for each in containers}) == len({each.port for each in containers}) == len(containers)
