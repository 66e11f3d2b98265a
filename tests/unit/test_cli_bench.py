"""The command ``bench``: from a folder of pictures to rows, stopped by Ctrl+C and gone on with, listed and repeated."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from PIL import Image

from arena.cli import main
from arena.config import load_settings
from arena.query import RunQuery
from arena.runtimes.process import ROOT
from arena.store import Store
from arena.strings import tr


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("ARENA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ARENA_DEV", "1")
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "set"
    folder.mkdir()
    for number in range(3):
        Image.new("RGB", (40 + number, 30), "white").save(folder / f"p{number}.png")
        (folder / f"p{number}.txt").write_text("abcd", encoding="utf-8")
    return tmp_path


def bench(*arguments, out=None):
    code = main(["bench", *map(str, arguments)])
    return code if out is None else (code, json.loads(out.readouterr().out))


def test_a_benchmark_is_run_listed_locked_repeated_and_forgotten(home, capsys):
    code, said = bench("run", "--dataset", home / "set", "--models", "fake", "--limit", 2, "--json", out=capsys)
    assert code == 0 and said["state"] == "done" and said["done"] == said["total"] == 3
    assert said["models"][0]["statuses"] == {"ok": 2} and said["models"][0]["median_s"] > 0
    name = said["benchmark_id"]

    assert bench("list") == 0
    shown = capsys.readouterr().out
    assert name in shown and "3/3" in shown and "done" in shown
    code, listed = bench("list", "--json", out=capsys)
    assert [each["models"] for each in listed["benchmarks"]] == [["fake"]]

    assert bench("lock", name, "--out", home / "lock.yaml") == 0
    assert bench("run", "--lock", home / "lock.yaml", "--dataset", home / "set") == 0
    assert "those of the lock file" in capsys.readouterr().err
    (home / "set" / "p0.txt").write_text("else", encoding="utf-8")
    assert bench("run", "--lock", home / "lock.yaml", "--dataset", home / "set") == 2
    said = capsys.readouterr().err
    assert "dataset.sha256" in said and "--anyway" in said
    assert bench("run", "--lock", home / "lock.yaml", "--dataset", home / "set", "--anyway", "--cached") == 0
    assert capsys.readouterr().out.split()[-2] == "2", "both answers are taken over"

    store = Store(load_settings().database_url)
    row = next(run for run in store.iterate(RunQuery(benchmark_id=name)) if run.cell.repeat)
    code, said = bench("rerun", row.run_id, "--json", out=capsys)
    assert code == 0 and said["same"] and said["ratios"]["generate_s"] > 0
    assert bench("rerun", row.run_id) == 0 and "×" in capsys.readouterr().out

    assert bench("forget", name) == 0
    assert store.count(RunQuery(benchmark_id=name)) == 0
    store.close()
    assert bench("resume", name) == 2 and bench("resume") == 2


def test_what_is_wrong_is_said_in_the_users_language(home, capsys, monkeypatch):
    assert bench("run", "--dataset", home / "nothing", "--models", "fake") == 2
    assert "nothing" in capsys.readouterr().err
    monkeypatch.setenv("LANG", "ru_RU.UTF-8")
    assert bench("run", "--dataset", home / "set") == 2
    assert tr("bench.no_models", "ru") in capsys.readouterr().err
    assert bench("list") == 0 and tr("bench.cli.none", "ru") in capsys.readouterr().out


def test_ctrl_c_stops_and_says_how_to_go_on(home, capsys):
    (home / "home").mkdir()
    models = (
        "models: {slow: {adapter: fake, modes: {embedded: {}}, tasks: [ocr], licence: MIT, options: {load_delay: 60}}}"
    )
    (home / "home" / "models.yaml").write_text(models, encoding="utf-8")
    program = subprocess.Popen(
        [sys.executable, "-m", "arena", "bench", "run", "--dataset", str(home / "set"), "--models", "fake", "slow"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env=os.environ.copy(),
    )
    with program:
        said = []
        for line in program.stderr:
            said.append(line)
            if "4/8" in line and "slow" in line:
                break
        stopped = time.monotonic()
        program.send_signal(signal.SIGINT)
        said += program.stderr.readlines()
    assert program.returncode == 1 and time.monotonic() - stopped < 20
    code, listed = bench("list", "--json", out=capsys)
    (kept,) = listed["benchmarks"]
    assert kept["state"] == "stopped" and (kept["done"], kept["total"]) == (4, 8)
    assert f"bench resume {kept['id']}" in said[-1]
    (home / "home" / "models.yaml").write_text(models.replace("60", "0"), encoding="utf-8")
    code, said = bench("resume", "--json", out=capsys)
    assert code == 0 and said["benchmark_id"] == kept["id"] and said["done"] == 8
