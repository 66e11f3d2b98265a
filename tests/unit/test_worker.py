"""A worker process: what it survives, how it ends, and that nothing of it is left."""

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from adapters.base import Job, Output
from arena.cancel import Cancel
from arena.errors import RunError
from arena.runtimes.process import ROOT, Interpreters
from tests.processes import exists


@pytest.fixture(params=["warm", "plain"], scope="module")
def interpreters(request):
    """Workers forked from a warm parent, and workers started plainly: everything holds for both."""
    started = Interpreters(warm=request.param == "warm")
    yield started
    started.stop()


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "image.png"
    path.write_bytes(b"any bytes do for the fake model")
    return str(path)


def loaded(interpreters, **options):
    worker = interpreters.start("fake")
    drain(worker.wait_started(20, Cancel()))
    drain(worker.load({"options": options}, 20, Cancel()))
    return worker


def drain(iterator):
    return [item for item in iterator if item is not None]


def ask(worker, image, prompt, timeout=20.0, cancel=None):
    return drain(worker.predict(Job(image, prompt), timeout, cancel or Cancel()))


def end(worker):
    worker.kill()
    drain(worker.wait_gone())


def wait_until(true, seconds=5.0):
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.01)
    return true()


def test_pieces_concatenate_to_the_whole_answer(interpreters, image):
    worker = loaded(interpreters)
    *pieces, output = ask(worker, image, "tokens=7")
    assert isinstance(output, Output) and output.output_tokens == 7
    assert "".join(pieces) == output.text != ""
    assert worker.versions["fake"] == "1"
    end(worker)


@pytest.mark.battery("G5")
def test_noise_lands_in_the_log_and_harms_nothing(interpreters, image):
    """To stdout and to stderr in turn; a gigabyte once, for how a worker was started makes no difference to it."""
    megabytes = 1024 if interpreters.warm else 2
    worker = loaded(interpreters)
    before = psutil.Process().memory_info().rss
    assert ask(worker, image, f"noise={megabytes * 2**16}", 100)[-1].text == ask(worker, image, "tokens=12")[-1].text
    assert wait_until(lambda: "noise of a child" in worker.log)
    assert len(worker.log) <= 4000
    assert psutil.Process().memory_info().rss - before < 30 * 2**20
    end(worker)


@pytest.mark.battery("G1", "G3")
@pytest.mark.parametrize(
    ("prompt", "kind", "said", "usable"),
    [
        ("crash=11", "worker_died", "SIGSEGV", False),
        ("crash=9", "worker_died", "SIGKILL", False),
        ("exit=3", "worker_died", "exit code 3", False),
        ("oom=1", "out_of_memory", "CUDA out of memory", False),
        ("raise=oops", "model_error", "RuntimeError: oops", True),
        ("raise=CUDA_error", "model_error", "CUDA_error", True),
        ("bad_input=1", "bad_input", "does not like", True),
    ],
)
def test_a_fault_has_a_kind_and_says_what_it_was(interpreters, image, prompt, kind, said, usable):
    worker = loaded(interpreters)
    with pytest.raises(RunError) as caught:
        ask(worker, image, prompt)
    assert (caught.value.kind, said in caught.value.detail) == (kind, True)
    assert worker.alive() == usable
    if usable:
        assert ask(worker, image, "")[-1].text
    end(worker)
    assert not exists(worker.pid)


def test_the_last_words_on_stderr_are_in_the_error(interpreters, image):
    worker = loaded(interpreters)
    with pytest.raises(RunError, match="about to crash on command"):
        ask(worker, image, "crash=9")
    end(worker)


@pytest.mark.battery("G2")
@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"load_oom": 1}, "out_of_memory"),
        ({"load_raise": "broken file"}, "start_failed"),
        ({"load_crash": 1}, "worker_died"),
    ],
)
def test_a_failed_load_is_told(interpreters, options, kind):
    worker = interpreters.start("fake")
    drain(worker.wait_started(20, Cancel()))
    with pytest.raises(RunError) as caught:
        drain(worker.load({"options": options}, 20, Cancel()))
    assert caught.value.kind == kind and not worker.alive()
    end(worker)


@pytest.mark.battery("G4")
def test_a_hanging_answer_and_a_hanging_load_end_at_their_limits(interpreters, image):
    worker = loaded(interpreters, ignore_sigterm=True)
    with pytest.raises(RunError) as caught:
        ask(worker, image, "hang=1", timeout=0.3)
    assert caught.value.kind == "timeout"
    end(worker)
    assert not exists(worker.pid)
    worker = interpreters.start("fake")
    drain(worker.wait_started(20, Cancel()))
    with pytest.raises(RunError) as caught:
        drain(worker.load({"options": {"load_hang": True}}, 0.3, Cancel()))
    assert caught.value.kind == "start_timeout"
    end(worker)
    assert not exists(worker.pid)


def test_a_cancel_between_two_pieces_keeps_the_model(interpreters, image):
    worker = loaded(interpreters)
    cancel = Cancel()
    pieces = worker.predict(Job(image, "tokens=100000 delay=0.01"), 60, cancel)
    next(pieces)
    cancel.set()
    with pytest.raises(RunError) as caught:
        drain(pieces)
    assert caught.value.kind == "cancelled" and worker.alive()
    assert ask(worker, image, "say=still_here")[-1].text == "still here "
    end(worker)


def test_a_cancel_of_a_model_that_does_not_listen_ends_it(interpreters, image):
    worker = loaded(interpreters)
    cancel = Cancel()
    threading.Timer(0.2, cancel.set).start()
    start = time.monotonic()
    with pytest.raises(RunError) as caught:
        ask(worker, image, "hang=1", cancel=cancel)
    assert caught.value.kind == "cancelled" and time.monotonic() - start < 10 and not worker.alive()
    end(worker)


def test_an_abandoned_answer_stops_the_model(interpreters, image):
    worker = loaded(interpreters)
    pieces = worker.predict(Job(image, "tokens=100000 delay=0.01"), 60, Cancel())
    next(pieces)
    pieces.close()
    assert worker.alive() and ask(worker, image, "say=next")[-1].text == "next "
    end(worker)


def test_what_the_model_started_ends_with_it(interpreters):
    worker = loaded(interpreters, child=True)
    child = psutil.Process(worker.pid).children()[0].pid
    end(worker)
    assert wait_until(lambda: not exists(child))


def test_an_unknown_adapter_or_a_missing_package_is_told(interpreters):
    with pytest.raises(ImportError):
        interpreters.start("no_such_adapter")


def test_many_starts_leave_no_descriptor_and_no_thread(interpreters, image):
    end(loaded(interpreters))
    me = psutil.Process()
    wait_until(lambda: False, 0.3)  # readers of earlier tests
    descriptors, threads = me.num_fds(), threading.active_count()
    for _ in range(6):
        end(loaded(interpreters))
    assert wait_until(lambda: me.num_fds() <= descriptors and threading.active_count() <= threads), (
        me.num_fds() - descriptors,
        threading.enumerate(),
    )


@contextlib.contextmanager
def files_open(count):
    """That many more files are open inside."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 2 * count)), hard))
    with contextlib.ExitStack() as held:
        held.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        for _ in range(count):
            held.callback(os.close, os.open(os.devnull, os.O_RDONLY))
        yield


def test_a_program_with_a_thousand_files_open_still_has_models_answer(interpreters, image):
    with files_open(1_100):
        worker = loaded(interpreters)
        assert ask(worker, image, "say=here")[-1].text == "here "
        end(worker)


def test_a_worker_with_a_thousand_files_open_still_ends_with_the_application():
    watching = """
import os, resource, sys, time
from adapters.worker import watch_application
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
held = [os.open(os.devnull, os.O_RDONLY) for _ in range(1_100)]
watch_application(int(sys.argv[1]))
print("watching", flush=True)
time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as application:
        command = [sys.executable, "-c", watching, str(application.pid)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as worker:
            try:
                assert worker.stdout.readline() == b"watching\n"
                assert worker.poll() is None
                application.kill()
                assert worker.wait(10) and worker.stderr.read() == b""
            finally:
                application.kill()
                worker.kill()


APPLICATION = """
import sys, json, time
from adapters.base import Job
from arena.cancel import Cancel
from arena.runtimes.process import Interpreters
interpreters = Interpreters(warm=sys.argv[1] == "warm")
worker = interpreters.start("fake")
list(worker.wait_started(20, Cancel()))
list(worker.load({"options": {"child": True}}, 20, Cancel()))
pieces = worker.predict(Job(sys.argv[2], sys.argv[3]), 600, Cancel())
next(pieces)
parent = interpreters.parent("fake").pid if interpreters.warm else None
print(json.dumps({"worker": worker.pid, "parent": parent}), flush=True)
time.sleep(600)
"""


@pytest.mark.battery("G6")
@pytest.mark.parametrize("how", ["warm", "plain"])
@pytest.mark.parametrize("prompt", ["tokens=100000 delay=0.05", "hang=1 after=0"])
def test_killing_the_application_leaves_no_worker(how, prompt, image):
    """Busy, or hanging with Python's lock held; forked or started plainly, with a child of its own: all are gone."""
    command = [sys.executable, "-c", APPLICATION, how, image, prompt]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as application:
        pids = json.loads(application.stdout.readline())
        family = [pids["worker"], *(child.pid for child in psutil.Process(pids["worker"]).children(recursive=True))]
        family += [pids["parent"]] if pids["parent"] else []
        assert len(family) >= 2 and all(exists(pid) for pid in family)
        application.kill()
        assert wait_until(lambda: not any(exists(pid) for pid in family), 2.0), [pid for pid in family if exists(pid)]


@pytest.mark.battery("G7")
def test_the_death_of_the_warm_parent_ends_its_workers_and_the_next_start_works(image):
    interpreters = Interpreters(warm=True)
    worker = loaded(interpreters, child=True)
    child = psutil.Process(worker.pid).children()[0].pid
    parent = interpreters.parent("fake")
    assert parent.threads == 1
    os.kill(parent.pid, signal.SIGKILL)
    with pytest.raises(RunError) as caught:
        ask(worker, image, "tokens=100000 delay=0.05")
    assert caught.value.kind == "worker_died"
    end(worker)
    assert wait_until(lambda: not exists(worker.pid) and not exists(child))
    end(loaded(interpreters))
    interpreters.stop()


def test_a_worker_has_nothing_of_what_other_adapters_import():
    interpreters = Interpreters(warm=True)
    try:
        interpreters.preload("rapidocr")
        interpreters.start("rapidocr").kill()
        worker = interpreters.start("tesseract")
        drain(worker.wait_started(20, Cancel()))
        libraries = Path(f"/proc/{worker.pid}/maps").read_text()
        end(worker)
        assert "tesserocr" in libraries
        assert "cv2" not in libraries
    finally:
        interpreters.stop()


@pytest.mark.battery("S11")
def test_workers_know_no_secret_and_have_no_network(monkeypatch):
    from arena.runtimes.process import worker_env

    monkeypatch.setenv("HF_TOKEN", "hf_0d9c1")
    monkeypatch.setenv("ARENA_DATABASE_URL", "postgresql://user:0d9c1@host/db")
    for name in (
        "ARENA_API_KEYS",
        "OPENAI_API_KEY",
        "SOME_CLOUD_KEY",
        "AWS_SECRET_ACCESS_KEY",
        "PGPASSWORD",
        "x_token",
    ):
        monkeypatch.setenv(name, "sk-0d9c1")
    monkeypatch.setenv("KEYBOARD", "qwerty")
    env = worker_env()
    assert env["KEYBOARD"] == "qwerty" and env["TOKENIZERS_PARALLELISM"] == "false"
    assert "0d9c1" not in json.dumps(env) and env["HF_HUB_OFFLINE"] == "1"
    assert Path(env["PYTHONPATH"].split(os.pathsep)[0]) == ROOT
