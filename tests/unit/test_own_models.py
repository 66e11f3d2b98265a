"""The user's own models.yaml: merged into ours field by field, or refused with every problem at once."""

from __future__ import annotations

import json
from pathlib import Path

import numpy
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from arena.catalog import Catalog, ModelSpec, load_catalog
from arena.config import Settings
from arena.errors import ConfigError, RunError

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def settings_with(models_file: Path | None, home: Path) -> Settings:
    return Settings(home=home, database_url="sqlite://", models_file=models_file)


@pytest.fixture
def own(tmp_path: Path):
    """Writes the user's own file and loads the catalogue with it."""

    def load(text: str) -> Catalog:
        file = tmp_path / "models.yaml"
        file.write_text(text, encoding="utf-8")
        return load_catalog(settings_with(file, tmp_path))

    return load


@pytest.fixture
def problems(own):
    """Every problem of the user's own file, without the path it begins with."""

    def find(text: str) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            own(text)
        return [problem.partition("models.yaml: ")[2] for problem in caught.value.problems]

    return find


def checkpoint(folder: Path, auto_map: dict[str, str] | None = None) -> Path:
    """A folder that looks like a model: a configuration and real safetensors."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(
        json.dumps({"model_type": "tiny"} | ({"auto_map": auto_map} if auto_map else {}))
    )
    save_file({"weight": numpy.zeros((2, 2), numpy.float32)}, folder / "model.safetensors")
    return folder


def test_an_entry_of_ours_is_changed_field_by_field(own) -> None:
    spec = own(
        """
models:
  qwen3_vl_2b:
    revision: 2025-06-21
    quantization: 4bit
    params: {max_new_tokens: 99}
    notes: {ru: Моя}
    modes: {transformers: {vram_gb: {4bit: 3.1}}}
"""
    ).find("qwen3_vl_2b")
    assert (spec.revision, spec.quantization, spec.vram_gb) == ("2025-06-21", "4bit", 3.1)
    assert (spec.title, spec.source) == ("Qwen3-VL 2B", "Qwen/Qwen3-VL-2B-Instruct")
    assert spec.in_mode("transformers").vram_gb["none"] == 6.0
    assert spec.note("ru") == "Моя" and spec.note("en").startswith("The best start")
    assert spec.params == {"max_new_tokens": 99}


def test_null_takes_a_field_of_ours_away(own) -> None:
    catalog = own("models: {llama32_vision_11b: {gated: null, modes: {vllm: {why_not: null, vram_gb: {none: 25}}}}}")
    spec = catalog.find("llama32_vision_11b")
    assert not spec.gated
    assert spec.with_options(mode="vllm").vram_gb == 25.0


def test_a_new_entry_needs_three_fields(own) -> None:
    catalog = own("models: {mine: {adapter: transformers_chat, source: me/model, modes: {transformers: {}}}}")
    spec = catalog.find("mine")
    assert (spec.title, spec.revision, spec.mode, spec.quantization) == ("mine", "main", "transformers", "none")
    assert spec.vram_gb is None
    assert list(catalog.models)[-1] == "mine"


@pytest.mark.parametrize("written", ["{folder}", "./tiny", "tiny", "../{parent}/tiny"])
def test_a_source_may_be_a_folder(own, tmp_path: Path, written: str) -> None:
    folder = checkpoint(tmp_path / "tiny")
    source = written.format(folder=folder, parent=tmp_path.name)
    spec = own(f"models: {{qwen3_vl_2b: {{source: {source}}}}}").find("qwen3_vl_2b")
    assert spec.local and Path(spec.source) == folder
    assert spec.revision == ""


@pytest.mark.battery("M1")
def test_a_folder_with_a_model_in_it_is_no_name(own, tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "stray")
    catalog = own(f"models: {{mine: {{adapter: transformers_chat, source: {folder}, modes: {{transformers: {{}}}}}}}}")
    with pytest.raises(RunError):
        catalog.find(str(folder))


@pytest.mark.battery("M6")
def test_a_folder_without_a_usable_model_is_refused(problems, tmp_path: Path) -> None:
    checkpoint(tmp_path / "pickled").joinpath("model.safetensors").rename(tmp_path / "pickled" / "pytorch_model.bin")
    (tmp_path / "bare").mkdir()
    (tmp_path / "weightless").mkdir()
    (tmp_path / "weightless" / "config.json").write_text("{}")
    (tmp_path / "file").write_text("")
    entry = "{{adapter: transformers_chat, source: {}, modes: {{transformers: {{}}}}}}"
    names = ["./pickled", "./bare", "./weightless", "./nowhere", "./file", "/nowhere/at/all"]
    found = problems("models:\n" + "".join(f"  m{n}: {entry.format(name)}\n" for n, name in enumerate(names)))
    assert len(found) == len(names)
    assert all(problem.startswith(f"m{n}.source: ") for n, problem in enumerate(found))
    assert "pytorch_model.bin" in found[0] and "safetensors" in found[0]
    assert "no config.json" in found[1]
    assert "no *.safetensors" in found[2]
    assert all("there is no folder" in problem for problem in found[3:])


@pytest.mark.battery("M1", "M2")
@pytest.mark.parametrize(
    "source",
    [
        "http://evil.example/x",
        "owner/name/more",
        "name",
        "-rf/x",
        "--trust-remote-code",
        "a;b/c",
        "a/$(id)",
        "a/b --trust-remote-code",
        "a--b/c",
        "a/..",
        "a/b.git",
        "a b/c",
        "a/b\\nc",
        "C:\\\\x",
        "owner/nаme",  # Cyrillic
    ],
)
def test_a_source_that_is_neither_is_refused(problems, source: str) -> None:
    (problem,) = problems(f'models: {{m: {{adapter: fake, source: "{source}", modes: {{transformers: {{}}}}}}}}')
    assert problem.startswith("m.source: ") and "neither" in problem


@pytest.mark.battery("M2")
@pytest.mark.parametrize(
    "name", ["-rf", "--trust-remote-code", "a b", "a;b", "a\\nb", "../../x", "A", "1a", "a" * 65, ""]
)
def test_what_could_be_more_than_a_name_is_no_id(problems, name: str) -> None:
    """An id becomes an argument of vLLM and the name of a container."""
    (problem,) = problems(f'models: {{"{name}": {{adapter: fake, modes: {{embedded: {{}}}}}}}}')
    assert "an id is 1 to 64 of a-z, 0-9 and _" in problem


def test_a_model_that_is_not_embedded_needs_a_source(problems) -> None:
    (problem,) = problems("models: {m: {adapter: fake, modes: {transformers: {}}}}")
    assert problem.startswith("m.source: is missing")


# --- code that comes with a model


@pytest.mark.battery("M5")
@pytest.mark.parametrize("revision", ["", "revision: main", "revision: 2025-06-21", "revision: refs/pr/1"])
def test_code_of_a_model_needs_a_pinned_revision(problems, revision: str) -> None:
    entry = "adapter: moondream, source: me/model, trust_remote_code: true, modes: {transformers: {}}"
    (problem,) = problems(f"models: {{m: {{{', '.join(filter(None, [entry, revision]))}}}}}")
    assert problem.startswith("m.revision: ") and "40 hex" in problem and "pin:" in problem


def test_a_pin_and_a_commit_are_pinned(own) -> None:
    entry = (
        "{{adapter: moondream, source: me/model, trust_remote_code: true, modes: {{transformers: {{}}}}, revision: {}}}"
    )
    catalog = own(f"models: {{a: {entry.format(COMMIT)}, b: {entry.format('pin:2025-06-21')}}}")
    assert (catalog.find("a").pinned, catalog.find("a").ref) == (True, COMMIT)
    assert (catalog.find("b").pinned, catalog.find("b").ref) == (False, "2025-06-21")


@pytest.mark.battery("M5")
def test_one_cannot_unpin_what_we_pinned(problems) -> None:
    (problem,) = problems("models: {dots_ocr: {revision: main}}")
    assert problem.startswith("dots_ocr.revision: ")


@pytest.mark.battery("M2")
@pytest.mark.parametrize("revision", ["-x", "a b", "../x", "a..b", "pin:", "x" * 200])
def test_a_revision_that_is_no_name_is_refused(problems, revision: str) -> None:
    (problem,) = problems(f'models: {{qwen3_vl_2b: {{revision: "{revision}"}}}}')
    assert problem.startswith("qwen3_vl_2b.revision: ")


@pytest.mark.battery("M4")
def test_code_of_another_repository_is_refused(own, problems, tmp_path: Path) -> None:
    checkpoint(tmp_path / "honest", {"AutoModel": "modeling.Tiny"})
    checkpoint(tmp_path / "foreign", {"AutoModel": "evil/code--modeling.Tiny"})
    (checkpoint(tmp_path / "broken") / "config.json").write_text("{")
    entry = "{{adapter: moondream, source: ./{}, trust_remote_code: {}, modes: {{transformers: {{}}}}}}"
    own(f"models: {{a: {entry.format('honest', 'true')}, b: {entry.format('foreign', 'false')}}}")
    found = problems(f"models: {{a: {entry.format('foreign', 'true')}, b: {entry.format('broken', 'true')}}}")
    assert len(found) == 2
    assert found[0].startswith("a.trust_remote_code: ") and "evil/code" in found[0]
    assert found[1].startswith("b.trust_remote_code: ")


# --- what is wrong is said, all of it


def test_every_problem_is_told_at_once(problems) -> None:
    found = problems(
        """
models:
  qwen3_vl_2b:
    licens: MIT
    tasks: [ocr, desciption]
    quantization: 6bit
  mine:
    adapter: transformer_chat
    source: owner/name
    modes: {transformrs: {vram_gb: {4bits: 2}}, vllm: {vram_gb: {none: -1}}}
    gated: maybe
    revision: 123456
    interpreter: legacy_dots
  Bad-Id: {}
  empty:
  twice: {adapter: fake, modes: {embedded: {}}, aliases: [got_ocr], title: a, title: b}
notes: x
"""
    )
    expected = [
        "qwen3_vl_2b.licens: unknown field (did you mean 'licence'?)",
        "qwen3_vl_2b.tasks: unknown task 'desciption' (did you mean 'description'?)",
        "qwen3_vl_2b.quantization: unknown value '6bit' (did you mean '8bit'?)",
        "mine.adapter: unknown adapter 'transformer_chat' (did you mean 'transformers_chat'?)",
        "mine.modes.transformrs: unknown value 'transformrs' (did you mean 'transformers'?)",
        "mine.modes.transformrs.vram_gb.4bits: unknown value '4bits' (did you mean '4bit'?)",
        "mine.modes.vllm.vram_gb.none: Input should be greater than 0, not '-1'",
        "mine.gated: Input should be a valid boolean, not 'maybe'",
        "mine.revision: a text is expected, not the number 123456; put it in quotes",
        "mine.interpreter: unknown value 'legacy_dots' (did you mean 'legacy-dots'?)",
        "'Bad-Id': an id is 1 to 64 of a-z, 0-9 and _, and begins with a letter",
        "empty: a mapping of fields is expected",
        "twice.aliases: 'got_ocr' already means got_ocr_hf",
        "line 16: 'title' is written twice",
        "notes: unknown field; entries stand under models:",
    ]
    assert sorted(found) == sorted(expected)


def test_a_problem_names_the_file_it_stands_in(own, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        own("models: {rapidocr: {titel: x}, mine: {source: a/b}}")
    assert all(problem.startswith(f"{tmp_path / 'models.yaml'}: ") for problem in caught.value.problems)
    assert len(caught.value.problems) == 3  # the title, and two missing fields
    for lang in ("en", "ru"):
        assert "rapidocr.titel" in caught.value.text(lang)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"models: [", "is not YAML"),
        (b"\tmodels:", "is not YAML"),
        (b"- models", "a mapping with text keys"),
        (b"models: [rapidocr]", "a mapping of ids"),
        (b"models: {? [a] : {}}", "is not YAML"),
        (b"models: !!python/object/apply:os.system [ls]", "is not YAML"),
        (b"models: \xff", "is not UTF-8"),
        (b"1: x", "a mapping with text keys"),
    ],
)
def test_a_file_that_is_no_catalogue_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "models.yaml"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=said):
        load_catalog(settings_with(file, tmp_path))


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_catalog(settings_with(tmp_path, tmp_path))


@pytest.mark.parametrize("content", ["", "# nothing yet\n", "models:\n", "\ufeffmodels: {}\n"])
def test_an_empty_file_changes_nothing(own, tmp_path: Path, content: str) -> None:
    assert own(content) == load_catalog(settings_with(None, tmp_path))


def test_a_mode_that_cannot_run_is_not_the_default(own, problems) -> None:
    entry = "adapter: fake, source: a/b, modes: {vllm: {why_not: {en: no}}, transformers: {vram_gb: {4bit: 2}}}"
    spec = own(f"models: {{m: {{{entry}}}}}").find("m")
    assert (spec.mode, spec.quantization, spec.vram_gb) == ("transformers", "4bit", 2.0)
    assert problems(f"models: {{m: {{{entry}, mode: vllm}}}}")[0].startswith("m.mode: ")
    assert problems("models: {m: {adapter: fake, modes: {embedded: {why_not: {en: no}}}}}")[0].startswith("m.mode: ")
    assert problems(f"models: {{m: {{{entry}, quantization: none}}}}")[0].startswith("m.quantization: ")
    assert problems(f"models: {{m: {{{entry}, dtypes: [bf16], dtype: fp16}}}}")[0].startswith("m.dtype: ")


@settings(max_examples=25)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=8), each, max_size=3),
        max_leaves=12,
    ),
    st.sampled_from(["models", "entry", *ModelSpec.__dataclass_fields__]),
)
def test_whatever_is_written_is_taken_or_refused(tmp_path_factory: pytest.TempPathFactory, value, place: str) -> None:
    file = tmp_path_factory.mktemp("own") / "models.yaml"
    data = (
        {"models": value} if place == "models" else {"models": {"fake": value if place == "entry" else {place: value}}}
    )
    file.write_text(yaml.safe_dump(data), encoding="utf-8")
    try:
        load_catalog(settings_with(file, file.parent))
    except ConfigError as error:
        assert all("models.yaml" in problem for problem in error.problems)
