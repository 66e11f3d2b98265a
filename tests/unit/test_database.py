"""What can be wrong with a database: each is told clearly, in both languages, and what is there is left as it was."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from runs import make_run
from sqlalchemy import select, update

from arena.cli import main
from arena.errors import ArenaError, RunError
from arena.store import RunQuery, Store
from arena.strings import tr
from arena.tables import RUN

ROOT = Path(__file__).parent.parent.parent
# Root may write anywhere, so as root the programs of these tests give that right up.
BOUND = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.getuid() == 0 else []


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database with a hundred runs, closed."""
    path = tmp_path / "arena.db"
    store = Store(f"sqlite:///{path}")
    for number in range(100):
        store.save(make_run(number))
    store.close()
    return path


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def refusal(path: Path | str) -> ArenaError:
    """The error of opening, which must not change the file."""
    before = digest(path) if isinstance(path, Path) and path.is_file() else ""
    with pytest.raises(ArenaError) as caught:
        Store(f"sqlite:///{path}" if isinstance(path, Path) else path)
    assert before == (digest(path) if before and isinstance(path, Path) else "")
    assert caught.value.text("ru") != caught.value.text("en")
    return caught.value


HEAD = """
import os, sys
from arena.errors import ArenaError
from arena.store import RunQuery, Store
from runs import make_run
"""


def child(code: str, *arguments: object, within: Sequence[str] = ()) -> subprocess.Popen[str]:
    """A program of its own that has the store and the runs of the tests at hand."""
    command = [*within, sys.executable, "-c", HEAD + textwrap.dedent(code), *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "PYTHONDONTWRITEBYTECODE": "1"}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment, cwd="/")


# --- opening ---


@pytest.mark.battery("S9")
def test_a_newer_database_is_refused_and_not_touched(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as file:
        file.execute("UPDATE arena_version SET version_num = '9999'")
        file.commit()
    error = refusal(path)
    assert error.key == "store.newer" and "9999" in error.text() and str(path) in error.text()


@pytest.mark.battery("S9")
def test_a_newer_database_whose_program_was_killed_is_not_touched_either(path: Path) -> None:
    """The new version stands in the log alone: opening must not write it back into the file."""
    code = """
        import sqlite3
        file = sqlite3.connect(sys.argv[1])
        file.execute("UPDATE arena_version SET version_num = '9999'")
        file.commit()
        os.kill(os.getpid(), 9)
    """
    child(code, path).communicate(timeout=30)
    log = path.with_name("arena.db-wal")
    before = digest(log)
    assert refusal(path).key == "store.newer"
    assert digest(log) == before


@pytest.mark.battery("S8")
@pytest.mark.parametrize(
    "content", [b"not a database at all" * 500, b"\x00" * 8192, b"SQLite format 3\x00 and no more"]
)
def test_a_file_that_is_no_database_is_refused_and_not_touched(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "arena.db"
    path.write_bytes(content)
    assert refusal(path).key == "store.damaged"
    assert os.listdir(tmp_path) == ["arena.db"]


@pytest.mark.battery("S8")
@pytest.mark.parametrize("page", [2, 5, 20])
def test_a_database_with_an_overwritten_page_is_refused_and_not_touched(path: Path, page: int) -> None:
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(random.Random(page).randbytes(4096))
    assert refusal(path).key == "store.damaged"


def test_a_database_cut_in_half_is_refused_and_not_touched(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)
    assert refusal(path).key == "store.damaged"


def test_a_database_of_another_program_is_refused_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "places.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as file:
        file.execute("CREATE TABLE bookmarks (url)")
    assert refusal(path).key == "store.foreign"


@pytest.mark.battery("S8")
def test_damage_met_later_is_told(path: Path) -> None:
    store = Store(f"sqlite:///{path}")
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(random.Random(0).randbytes(path.stat().st_size - 4096))
    with pytest.raises(RunError) as caught:
        list(store.iterate(RunQuery()))
    store.close()
    assert (caught.value.kind, caught.value.key) == ("storage", "store.damaged")


@pytest.mark.battery("S8")
def test_an_empty_file_and_a_missing_folder_are_a_new_database(tmp_path: Path) -> None:
    (tmp_path / "arena.db").touch()
    for path in (tmp_path / "arena.db", tmp_path / "a папка with spaces & ?" / "b" / "arena.db"):
        store = Store(f"sqlite:///{str(path).replace('?', '%3F')}")
        store.save(make_run())
        store.close()


@pytest.mark.parametrize("what", ["file as folder", "folder as file"])
def test_a_path_that_cannot_be(tmp_path: Path, what: str) -> None:
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "arena.db" if what == "file as folder" else tmp_path
    assert refusal(path).key in ("store.unwritable", "store.failed")


@pytest.mark.battery("S8")
@pytest.mark.parametrize("locked", ["folder", "file", "home"])
def test_a_database_that_may_not_be_written(tmp_path: Path, locked: str) -> None:
    folder = tmp_path / "data"
    path = folder / "arena.db"
    if locked != "home":
        store = Store(f"sqlite:///{path}")
        store.save(make_run())
        store.close()
    place = {"folder": folder, "file": path, "home": tmp_path}[locked]
    place.chmod(0o500)
    code = """
        try:
            Store(f"sqlite:///{sys.argv[1]}")
        except ArenaError as error:
            print(error.key, sys.argv[1] in error.text("ru"))
    """
    said = child(code, path, within=BOUND).communicate(timeout=30)[0]
    place.chmod(0o700)
    assert said == "store.unwritable True\n"


@pytest.mark.battery("S8")
def test_the_program_says_at_its_start_which_file_is_damaged_and_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "arena.db"
    path.write_bytes(b"not a database at all" * 500)
    monkeypatch.setenv("ARENA_HOME", str(tmp_path))
    assert main(["ratings"]) == 1
    said = capsys.readouterr()
    assert said.out == "" and tr("store.damaged", database=path, detail="file is not a database") in said.err


@pytest.mark.parametrize(
    "url",
    [
        "",
        "arena.db",
        "sqlite://",
        "sqlite:///:memory:",
        "mysql://root:hunter2@localhost/x",
        "postgresql://arena:hunter2@x@localhost/x",
    ],
)
def test_an_address_that_is_none(url: str) -> None:
    error = refusal(url)
    assert error.key == "store.url" and "hunter2" not in error.text()


# --- saving ---


HOLDING = """
import sqlite3, sys
file = sqlite3.connect(sys.argv[1], isolation_level=None)
file.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.battery("S4")
def test_a_save_waits_for_another_program_and_then_says_that_it_waited(path: Path) -> None:
    hasty, patient = Store(f"sqlite:///{path}", timeout_s=0.5), Store(f"sqlite:///{path}", timeout_s=60)
    holding = [sys.executable, "-S", "-c", HOLDING, str(path)]
    with subprocess.Popen(holding, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdin and other.stdout and other.stdout.readline() == b"held\n"
        started = time.monotonic()
        with pytest.raises(RunError) as caught:
            hasty.save(make_run(500))
        assert time.monotonic() - started > 0.4
        assert (caught.value.kind, caught.value.key) == ("storage", "store.locked")
        assert hasty.page(RunQuery()).total == 100  # who reads need not wait
        release = threading.Timer(0.3, other.stdin.close)
        release.start()
        patient.save(make_run(500))
        release.join()
    assert hasty.get("run-00500") == make_run(500)
    for store in (hasty, patient):
        store.close()


@pytest.mark.battery("S7")
def test_a_database_that_is_full_is_told_and_still_read(path: Path) -> None:
    store = Store(f"sqlite:///{path}")
    with store._engine.connect() as connection:  # the only one in the pool
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(RunError) as caught:
        store.save(make_run(500, text="x" * 10**6))
    assert (caught.value.kind, caught.value.key) == ("storage", "store.full")
    assert "кончилось место" in caught.value.text("ru")
    assert store.page(RunQuery()).total == 100 and store.get("run-00500") is None
    store.close()
    store.save(make_run(500, text="x" * 10**6))  # on a new connection, without the limit
    store.close()


@pytest.mark.battery("S7")
def test_a_full_disk(tmp_path: Path) -> None:
    """A real one, of two megabytes: what was saved is read, and saving goes on when there is room again."""
    mount = ["unshare", "--mount", *([] if os.getuid() == 0 else ["--map-root-user"])]
    if subprocess.run([*mount, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a file system")
    code = """
        store = Store(f"sqlite:///{sys.argv[1]}/arena.db")
        with open(f"{sys.argv[1]}/filler", "wb") as filler:
            filler.write(bytes(600_000))
        saved = 0
        try:
            while saved < 1000:
                store.save(make_run(saved, text="x" * 5000))
                saved += 1
        except ArenaError as error:
            print(error.key)
        assert store.get("run-00000") and 0 < len(list(store.iterate(RunQuery()))) == saved < 1000
        os.remove(f"{sys.argv[1]}/filler")
        store.save(make_run(saved))
        print(store.page(RunQuery()).total - saved)
        store.close()
        os.system(f"mount -o remount,ro {sys.argv[1]}")
        try:
            store.save(make_run(saved + 1))
        except ArenaError as error:
            print(error.key)
    """
    script = 'mount -t tmpfs -o size=2m tmpfs "$0" && exec "$@"'
    process = child(code, tmp_path, within=[*mount, "sh", "-c", script, str(tmp_path)])
    assert process.communicate(timeout=60)[0].split() == ["store.full", "1", "store.unwritable"]


KILLED = """
    for line in sys.stdin:
        for first in map(int, line.split()):
            if not os.fork():
                store = Store(f"sqlite:///{sys.argv[1]}")
                for number in range(first, first + 10**6):
                    store.save(make_run(number))
                    os.write(1, b"%d %d\\n" % (os.getpid(), number))
        for _ in line.split():
            os.write(1, b"%d was ended by %d\\n" % os.wait())
"""


@pytest.mark.battery("S6")
def test_kill_9_while_saving_loses_no_row_that_was_acknowledged(tmp_path: Path) -> None:
    """Twenty programs are killed, four at a time, each after another number of rows; one has done all the imports."""
    path, chance, acknowledged = tmp_path / "arena.db", random.Random(3), set()
    Store(f"sqlite:///{path}").close()
    with child(KILLED, path) as program:
        assert program.stdin and program.stdout
        for turn in range(5):
            program.stdin.write(" ".join(str((turn * 4 + number + 1) * 10**6) for number in range(4)) + "\n")
            program.stdin.flush()
            left: dict[int, int] = {}
            ended = 0
            while ended < 4:
                pid, *said = program.stdout.readline().split()
                if len(said) > 1:
                    assert int(said[-1]) == signal.SIGKILL
                    ended += 1
                    continue
                acknowledged.add(int(said[0]))
                left[int(pid)] = left.get(int(pid), chance.randrange(1, 40)) - 1
                if not left[int(pid)]:
                    os.kill(int(pid), signal.SIGKILL)
        program.stdin.close()
    store = Store(f"sqlite:///{path}")
    found = {int(run.run_id.removeprefix("run-")) for run in store.iterate(RunQuery())}
    assert acknowledged <= found and len(found) - len(acknowledged) <= 20
    assert store.page(RunQuery(text="кассовый")).total == len(found)
    store.close()
    with contextlib.closing(sqlite3.connect(path)) as file:
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        file.execute("INSERT INTO run_search(run_search, rank) VALUES ('integrity-check', 1)")


@pytest.mark.battery("S5")
def test_eight_threads_that_read_a_row_to_change_it_lose_no_change(tmp_path: Path) -> None:
    """In SQLite, where who reads first and wants to write then is refused; on a server nothing of ours does so."""
    store = Store(f"sqlite:///{tmp_path / 'arena.db'}")
    store.save(make_run(0, characters=0))

    def work(_number: int) -> None:
        for _ in range(20):
            with store.writing() as connection:
                seen = connection.scalar(select(RUN.c.characters))
                connection.execute(update(RUN).values(characters=seen + 1))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))
    assert store.page(RunQuery()).runs[0].characters == 160
    store.close()


def test_opening_and_closing_leaks_nothing(path: Path) -> None:
    def once() -> int:
        store = Store(f"sqlite:///{path}")
        store.save(make_run(500))
        store.page(RunQuery())
        store.close()
        return len(os.listdir("/proc/self/fd"))

    open_files = once()
    assert [once() for _ in range(20)] == [open_files] * 20
    assert threading.active_count() == 1 or "sqlite" not in str(threading.enumerate())
