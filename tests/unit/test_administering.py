"""Who may change what is on this machine, and that the words for all others say the same as the rule."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from arena.access import PASS, new_pass
from arena.config import Settings, load_settings
from arena.strings import LANGUAGES, tr
from arena.ui.visitor import may_administer


def caller(host: str, shown: str = "") -> Any:
    cookies = {PASS: shown} if shown else {}
    return SimpleNamespace(cookies=cookies, headers={"host": "localhost"}, client=SimpleNamespace(host=host))


@pytest.fixture
def school(tmp_path: Path) -> Settings:
    return load_settings({"ARENA_HOME": str(tmp_path), "ARENA_SCHOOL": "1", "ARENA_TEACHER_PASSWORD": "chalk"})


def test_the_owner_at_his_machine_and_the_teacher_anywhere_may(school: Settings, tmp_path: Path) -> None:
    here, far = "127.0.0.1", "192.168.1.9"
    plain = load_settings({"ARENA_HOME": str(tmp_path)})
    assert may_administer(caller(here), plain) and not may_administer(caller(far), plain)
    teacher = new_pass("teacher", school)
    assert may_administer(caller(here, teacher), school) and may_administer(caller(far, teacher), school)
    assert not may_administer(caller(here), school), "a pupil's browser may run on it as well"


@pytest.mark.parametrize("key", ["downloads_panel.remote", "benchmark.delete.remote"])
def test_whoever_may_not_is_told_of_both_ways(key: str) -> None:
    words = {"en": ("at its own computer", "teacher’s password"), "ru": ("за её компьютером", "паролем учителя")}
    assert words.keys() == set(LANGUAGES)
    for lang, ways in words.items():
        assert all(way in tr(key, lang) for way in ways)
