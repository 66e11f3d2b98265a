"""The command line: JSON on stdout alone, messages on stderr, exit codes, both languages."""

import csv
import io
import json
import os
import signal
import subprocess
import sys

import psutil
import pytest
from PIL import Image

from arena.cli import main
from arena.runtimes.process import ROOT


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("ARENA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ARENA_DEV", "1")
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def picture(home):
    path = home / "picture.png"
    Image.new("RGB", (320, 200), "white").save(path)
    return str(path)


def compare(picture, *more):
    return ["compare", "--image", picture, "--models", "fake", "fake", *more]


def test_compare_prints_both_runs_as_json_and_nothing_else(picture, home, capsys):
    reference = home / "reference.txt"
    reference.write_text("эталон", encoding="utf-8")
    assert main(compare(picture, "--json", "--prompt", "tokens=3 boxes=3", "--reference", str(reference))) == 0
    out, err = capsys.readouterr()
    answer = json.loads(out)
    assert "Test model" in err
    assert [run["side"] for run in answer["runs"]] == ["A", "B"]
    for run in answer["runs"]:
        assert set(run) == {
            "run_id", "side", "model", "status", "text", "error", "timeline", "memory", "scores", "boxes",
            "boxes_left_out", "image",
        }  # fmt: skip
        assert set(run["timeline"]) == {
            "queue_s", "unload_s", "start_s", "load_s", "first_token_s", "generate_s", "total_s", "cold",
        }  # fmt: skip
        assert set(run["memory"]) == {
            "peak_ram_mb", "peak_vram_process_mb", "peak_vram_device_mb", "torch_allocated_mb", "torch_reserved_mb",
        }  # fmt: skip
        assert run["status"] == "ok" and run["error"] is None and run["scores"]["cer"] > 0
        assert run["image"]["width"] == 320 and len(run["image"]["sha256"]) == 64
        assert run["boxes"][0]["text"] == "fake" and run["boxes_left_out"] == 2
        assert run["memory"]["peak_vram_device_mb"] is None
    assert [run["timeline"]["cold"] for run in answer["runs"]] == [True, False]


def test_a_failed_run_is_exit_code_1_with_its_kind(picture, capsys):
    assert main(compare(picture, "--json", "--prompt", "crash=11")) == 1
    runs = json.loads(capsys.readouterr().out)["runs"]
    assert [run["error"]["kind"] for run in runs] == ["worker_died", "worker_died"]


def test_the_table_marks_what_nobody_knows(picture, capsys, monkeypatch):
    monkeypatch.setenv("LANG", "ru_RU.UTF-8")
    assert main(compare(picture, "--prompt", "tokens=3")) == 0
    out, err = capsys.readouterr()
    assert "—" in out and "Пик ОЗУ" in out and "загрузка" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--models", "tesserakt"], "tesseract"),
        (["--models", "fake", "--task", "ocrr"], "ocr"),
        (["--models", "rapidocr", "--task", "question"], "rapidocr"),
        (["--models", "fake", "--reference", "/absent.txt"], "/absent.txt"),
        (["--models", "fake", "--image", "/absent.png"], "absent.png"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_says_what_to_do(picture, capsys, arguments, said):
    arguments = ["compare", *([] if "--image" in arguments else ["--image", picture]), *arguments]
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == "" and said in err


def test_an_unknown_option_is_exit_code_2(home):
    with pytest.raises(SystemExit) as caught:
        main(["compare", "--colour"])
    assert caught.value.code == 2


def test_what_is_no_image_is_refused(home, capsys):
    path = home / "text.png"
    path.write_text("not an image")
    assert main(compare(str(path), "--json")) == 2
    assert capsys.readouterr().out == ""


def test_models_lists_the_catalogue_with_statuses(home, capsys):
    assert main(["models", "--json"]) == 0
    models = {model["id"]: model for model in json.loads(capsys.readouterr().out)["models"]}
    assert models["rapidocr"]["ready"] and not models["qwen3_vl_2b"]["ready"]
    assert len(models) >= 18 and all(model["text"] for model in models.values())
    assert main(["models"]) == 0
    assert "RapidOCR" in capsys.readouterr().out


def test_export_writes_every_run(picture, home, capsys):
    main(compare(picture, "--prompt", "say=+1;2"))
    assert main(["export", "--csv", str(home / "runs.csv"), "--semicolon"]) == 0
    text = (home / "runs.csv").read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text), delimiter=";"))
    assert len(rows) == 2 and rows[0]["side"] == "A" and rows[0]["text"] != "+1;2 "
    assert main(["export", "--csv", "/absent/runs.csv"]) == 1
    assert "/absent/runs.csv" in capsys.readouterr().err


def test_doctor_says_what_works(home, capsys):
    assert main(["doctor", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["findings"]) > 5
    assert main(["doctor"]) == 0


def test_wrong_settings_are_told_all_at_once(home, capsys, monkeypatch):
    monkeypatch.setenv("ARENA_PORT", "often")
    monkeypatch.setenv("ARENA_RUN_TIMEOUT", "-1")
    assert main(["models"]) == 1
    err = capsys.readouterr().err
    assert "ARENA_PORT" in err and "ARENA_RUN_TIMEOUT" in err


@pytest.mark.battery("G12")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("stage", [b"loading", b"answering"])
def test_an_interrupt_stops_the_comparison_and_keeps_its_runs(picture, home, stage, number):
    """With no process left of the model, that loads for good or writes without end, and of its warm parent."""
    (home / "home").mkdir(exist_ok=True)
    options = {"load_hang": True} if stage == b"loading" else {"always": "tokens=99999 delay=0.01"}
    entry = {"adapter": "fake", "modes": {"embedded": {}}, "tasks": ["ocr"], "options": options}
    (home / "home" / "models.yaml").write_text(json.dumps({"models": {"endless": entry}}))
    command = [sys.executable, "-m", "arena", "compare", "--image", picture, "--models", "endless", "fake", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, env=os.environ) as process:
        for line in process.stderr:
            if stage in line:
                break
        family = psutil.Process(process.pid).children(recursive=True)
        assert family
        process.send_signal(number)
        out, _ = process.communicate(timeout=30)
    assert not psutil.wait_procs(family, 5)[1]
    runs = json.loads(out)["runs"]
    assert process.returncode == 1 and [run["status"] for run in runs] == ["cancelled", "cancelled"]


def test_the_python_names_of_the_seeds(home, picture):
    script = f"""
from arena import ModelLoader, compare, load_model
runs = compare({picture!r}, ["fake", "fake"], prompt="tokens=2")
assert [run.status for run in runs] == ["ok", "ok"]
with load_model("tesseract") as model:
    assert model.extract_text({picture!r}, language="Russian") == ""
    assert model.process_image({picture!r}).boxes == ()
model = ModelLoader.load_model("fake")
assert model.chat({picture!r}, "say=hello") == "hello "
ModelLoader.unload_all_models()
"""
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, timeout=60)
