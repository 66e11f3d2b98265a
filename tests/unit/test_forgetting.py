"""What strangers left is forgotten on request, by age and from the command line, and nothing else is."""

from __future__ import annotations

import hashlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from runs import make_run
from sqlalchemy import update

from arena.cli import main
from arena.comparisons import Comparisons
from arena.config import load_settings
from arena.conversations import CONVERSATION, Conversations, fresh
from arena.images import ImageStore
from arena.passwords import matches
from arena.pictures import EVERYBODY, PICTURE, Pictures
from arena.public import retention
from arena.public.retention import Left, forget_older, forget_visitor, keeping
from arena.store import RunQuery, Store
from arena.strings import LANGUAGES
from arena.tables import COMPARISON, METADATA
from arena.votes import VOTE, Vote, Votes

pytest_plugins = ("postgres",)


class Leavings:
    """A database and pictures in which two visitors and a program on the command line have left something."""

    def __init__(self, url: str, folder: Path) -> None:
        self.store, self.images = Store(url), ImageStore(folder / "images")
        self.comparisons, self.pictures = Comparisons(self.store), Pictures(self.store)
        self.votes, self.conversations = Votes(self.store), Conversations(self.store)
        self.hashes: dict[str, str] = {}

    def picture(self, name: str, *visitors: str) -> str:
        if name not in self.hashes:
            source = self.images.folder.parent / f"{name}.png"
            Image.new("RGB", (40, 30 + len(self.hashes)), name if name in ("red", "blue", "green") else "white").save(
                source
            )
            self.hashes[name] = self.images.add(source).sha256
        for visitor in visitors:
            self.pictures.brought(visitor, self.hashes[name])
        return self.hashes[name]

    def comparison(self, number: int, visitor: str, image: str, **more: Any) -> str:
        run = make_run(number, comparison_id=f"c{number}", image_sha256=image, **more)
        if visitor:
            self.comparisons.begin(run.comparison_id, visitor)
        self.store.save(run)
        return run.comparison_id

    def there(self, name: str) -> bool:
        return self.images.get(self.hashes[name]) is not None

    def close(self) -> None:
        self.images.close()
        self.store.close()


@pytest.fixture
def left(url: str, tmp_path: Path) -> Iterator[Leavings]:
    left = Leavings(url, tmp_path)
    yield left
    left.close()


def vote(comparison_id: str, visitor: str, name: str = "") -> Vote:
    return Vote(comparison_id, "a", "b", "m", "n", "ocr", "a", visitor=visitor, name=name)


def test_a_visitor_is_forgotten_and_nobody_else(left: Leavings) -> None:
    for name, visitors in (("red", ["v"]), ("blue", ["v", "w"]), ("green", ["w"]), ("sample", [EVERYBODY])):
        left.picture(name, *visitors)
    page = left.picture("page")
    left.comparison(1, "v", left.hashes["red"], params={"pages": [f"../{page[:2]}/{page}.png"]})
    left.comparison(2, "v", left.hashes["sample"])
    theirs = left.comparison(3, "w", left.hashes["green"])
    left.comparison(4, "", left.picture("command line"))
    for comparison in ("c1", theirs):
        left.votes.cast(vote(comparison, "v", "Маша"))
    left.votes.cast(vote(theirs, "w", "Петя"))
    left.conversations.begin(fresh("v", "hello", {}, [left.picture("talked about", "v")]))
    left.conversations.begin(fresh("w", "hello", {}))

    assert forget_visitor(left.store, left.images, "v") == Left(2, 2, 1, 2, 3, 3)

    assert [left.there(name) for name in ("red", "page", "talked about")] == [False] * 3
    assert all(left.there(name) for name in ("blue", "green", "sample", "command line"))
    assert {run.comparison_id for run in left.store.iterate(RunQuery())} == {theirs, "c4"}
    assert left.comparisons.of("v") == [] and left.comparisons.of("w") == [theirs]
    assert sorted((vote.visitor, vote.name) for vote in left.votes.iterate()) == [("", ""), ("", ""), ("w", "Петя")]
    assert not left.conversations.list("v") and left.conversations.list("w")
    assert not left.pictures.may_see("v", left.hashes["blue"]) and left.pictures.may_see("w", left.hashes["blue"])
    assert forget_visitor(left.store, left.images, "v") == Left()


@pytest.mark.parametrize("nobody", ["", EVERYBODY, "unknown"])
def test_nobody_has_left_nothing(left: Leavings, nobody: str) -> None:
    left.picture("sample", EVERYBODY)
    left.comparison(1, "", left.hashes["sample"])
    assert forget_visitor(left.store, left.images, nobody) == Left()
    assert left.there("sample") and left.store.count(RunQuery()) == 1


def test_what_is_old_is_forgotten_and_what_is_new_stays(left: Leavings) -> None:
    for name in ("red", "blue", "green"):
        left.picture(name, "v")
    left.picture("sample", EVERYBODY)
    left.picture("nobody's")
    left.comparison(1, "v", left.hashes["red"])
    left.comparison(2, "v", left.hashes["blue"])
    left.comparison(3, "", left.picture("command line"))
    for number in (1, 2):
        left.votes.cast(vote(f"c{number}", "v", "Маша"))
        left.conversations.begin(fresh("v", f"talk {number}", {}))
    old = datetime.now(UTC) - timedelta(days=8)
    with left.store.writing() as connection:
        connection.execute(update(COMPARISON).where(COMPARISON.c.id == "c1").values(created_at=old))
        connection.execute(update(VOTE).where(VOTE.c.comparison_id == "c1").values(created_at=old))
        connection.execute(update(CONVERSATION).where(CONVERSATION.c.title == "talk 1").values(updated_at=old))
        connection.execute(update(PICTURE).where(PICTURE.c.sha256 != left.hashes["blue"]).values(created_at=old))
    for name, sha256 in left.hashes.items():
        stored = left.images.get(sha256)
        assert stored
        if name != "blue":
            os.utime(stored.path, (old.timestamp(), old.timestamp()))
    left.picture("green", "v")  # shown again today

    assert forget_older(left.store, left.images, 7) == Left(1, 1, 1, 1, 1, 2)

    assert not left.there("red") and not left.there("nobody's")
    assert all(left.there(name) for name in ("blue", "green", "sample", "command line"))
    assert {run.comparison_id for run in left.store.iterate(RunQuery())} == {"c2", "c3"}
    assert sorted(vote.visitor for vote in left.votes.iterate()) == ["", "v"]
    assert forget_older(left.store, left.images, 7) == Left()


def test_a_picture_that_was_deleted_can_be_brought_again(left: Leavings) -> None:
    red = left.picture("red", "v")
    forget_visitor(left.store, left.images, "v")
    assert left.images.add(left.images.folder.parent / "red.png").sha256 == red and left.there("red")


def test_every_table_that_names_a_visitor_is_thought_of() -> None:
    named = {table.name for table in METADATA.tables.values() if "visitor" in table.c}
    assert named == {"comparison", "conversation", "picture", "vote"}


def test_what_is_old_goes_in_the_background(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "HOUR", 0.05)
    settings = load_settings({"ARENA_HOME": str(tmp_path), "ARENA_KEEP_DAYS": "1", "ARENA_PASSWORD": "x"})
    left = Leavings(f"sqlite:///{tmp_path / 'arena.db'}", tmp_path)
    with keeping(left.store, left.images, settings):
        left.comparison(1, "v", left.picture("red", "v"))
        with left.store.writing() as connection:
            connection.execute(update(COMPARISON).values(created_at=datetime.now(UTC) - timedelta(days=2)))
        deadline = time.monotonic() + 20
        while left.store.count(RunQuery(visitor="v")) or left.comparisons.of("v"):
            assert time.monotonic() < deadline
            time.sleep(0.02)
    assert left.there("red"), "the picture itself is of today"
    left.close()


def test_without_a_time_nothing_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "forget_older", None)  # would fail
    before = threading.active_count()
    with keeping(None, None, load_settings({"ARENA_HOME": str(tmp_path)})):  # type: ignore[arg-type]
        assert threading.active_count() == before


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_was_deleted_is_counted(lang: str) -> None:
    assert Left().text(lang) == {"en": "There was nothing to delete.", "ru": "Удалять было нечего."}[lang]
    said = Left(1, 2, 5, 21, 3, 11).text(lang)
    wanted = {
        "en": "Deleted: 1 comparison, 2 answers, 5 conversations, the name on 21 votes, 3 entries about pictures, "
        "11 pictures on the disk.",
        "ru": "Удалено: 1 сравнение, 2 ответа, 5 бесед, имя в 21 голосе, 3 записи о картинках, 11 картинок на диске.",
    }
    assert said == wanted[lang]


# On the command line.


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ARENA_HOME", str(tmp_path))
    return tmp_path


def test_the_owner_forgets_a_visitor_who_asks(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    left = Leavings(f"sqlite:///{home / 'arena.db'}", home)
    left.comparison(1, "0123456789abcdef", left.picture("red", "0123456789abcdef"))
    assert main(["forget", "--visitor", "0123456789abcdef"]) == 0
    assert "1 comparison, 1 answer" in capsys.readouterr().err
    assert not left.there("red") and left.store.count(RunQuery()) == 0
    assert main(["forget", "--older-than", "0.5"]) == 0
    assert "nothing" in capsys.readouterr().err
    left.close()


@pytest.mark.parametrize("wrong", [[], ["--older-than", "-1"], ["--older-than", "x"], ["--older-than", "nan"]])
def test_what_to_forget_must_be_said(home: Path, wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["forget", *wrong])
    assert ended.value.code == 2 and capsys.readouterr().err


def test_a_password_becomes_a_hash_for_the_environment(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, feed: Callable[[str], None]
) -> None:
    feed("open sesame\n")
    assert main(["password"]) == 0
    said = capsys.readouterr()
    assert matches("open sesame", said.out.strip()) and "sesame" not in said.out + said.err
    feed("\n")
    assert main(["password"]) == 1
    assert "empty" in capsys.readouterr().err


@pytest.fixture
def feed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    opened: list[Any] = []

    def feed(text: str) -> None:
        path = tmp_path / hashlib.sha256(text.encode()).hexdigest()
        path.write_text(text)
        opened.append(path.open())
        monkeypatch.setattr(sys, "stdin", opened[-1])

    yield feed
    for file in opened:
        file.close()


def test_a_link_is_not_opened_without_a_password(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--share", "--port", "0"]) == 1
    assert "ARENA_PASSWORD" in capsys.readouterr().err
