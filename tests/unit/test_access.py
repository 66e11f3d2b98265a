"""Who may do what: passwords as hashes, passes that are signed and end, roles that follow from both."""

from __future__ import annotations

import base64
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.requests import Request

from arena import access
from arena.access import COOKIE, PASS, Role, hashed, matches, new_pass, new_token, passed, role_of, visitor_of, whose
from arena.config import Settings, load_settings
from arena.passwords import as_hash, is_hash


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings({"ARENA_HOME": str(tmp_path), "ARENA_PASSWORD": "open", "ARENA_TEACHER_PASSWORD": "chalk"})


def asked(shown: str = "", *, host: str = "127.0.0.1", token: str = "", **headers: str) -> Request:
    cookies = "; ".join(f"{name}={value}" for name, value in ((PASS, shown), (COOKIE, token)) if value)
    sent = {"host": "localhost:7860" if host == "127.0.0.1" else "arena.example", "cookie": cookies} | headers
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in sent.items()]
    return Request({"type": "http", "headers": raw, "client": (host, 5000)})


def test_a_hash_is_of_its_password_alone() -> None:
    kept = hashed("сорок два")
    assert matches("сорок два", kept)
    assert not matches("сорок три", kept) and not matches("", kept)
    assert hashed("сорок два") != kept and "сорок" not in kept
    assert not set(kept) & set("$'\"\\ #"), "it stands in an environment file as it is"


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "open",
        "scrypt:1:2:3",
        "scrypt:16384:8:1:AAAA:AAAA",
        "scrypt:16384:8:1:AAAA:" + "=" * 44,
        f"scrypt:{2**20}:8:1:AAAA:{base64.urlsafe_b64encode(bytes(32)).decode()}",
        f"scrypt:1000:8:1:AAAA:{base64.urlsafe_b64encode(bytes(32)).decode()}",
        "scrypt:x:8:1:AAAA:AAAA",
    ],
)
def test_what_is_no_hash_matches_nothing(stored: str) -> None:
    assert not is_hash(stored)
    assert not matches(stored, stored) and not matches("", stored)


def test_a_setting_may_be_clear_or_a_hash() -> None:
    kept = hashed("open")
    assert as_hash(kept) == kept and as_hash("") == ""
    assert matches("open", as_hash("open"))


def test_the_shortest_password_is_not_none(settings: Settings) -> None:
    assert not matches("", hashed(""))


@pytest.mark.parametrize(("role", "far", "here"), [("visitor", "visitor", "visitor"), ("teacher", "teacher", "owner")])
def test_a_pass_says_as_what_one_came_in(settings: Settings, role: str, far: Role, here: Role) -> None:
    shown = new_pass(role, settings)  # type: ignore[arg-type]
    assert role_of(asked(shown, host="192.168.0.7"), settings) == far
    assert role_of(asked(shown), settings) == here


def test_without_a_pass_one_is_nobody_where_a_password_is_set(settings: Settings) -> None:
    assert role_of(asked(), settings) == "nobody", "nor at the machine itself: a proxy may stand there"


@pytest.mark.parametrize(
    ("set_to", "here", "far"),
    [
        ({}, "owner", "visitor"),
        ({"school": True}, "visitor", "visitor"),
        ({"school": True, "teacher_password": "chalk"}, "visitor", "visitor"),
        ({"teacher_password": "chalk"}, "owner", "visitor"),
        ({"share": True, "password": "open"}, "nobody", "nobody"),
    ],
)
def test_roles_without_a_pass(settings: Settings, set_to: dict[str, object], here: Role, far: Role) -> None:
    settings = replace(settings, **({"password": "", "teacher_password": ""} | set_to))  # type: ignore[arg-type]
    assert role_of(asked(), settings) == here
    assert role_of(asked(host="192.168.0.7"), settings) == far
    assert role_of(asked(x_forwarded_for="203.0.113.7"), settings) == far


def test_a_forged_pass_opens_nothing(settings: Settings, tmp_path: Path) -> None:
    good = new_pass("visitor", settings)
    said, _, signature = good.rpartition(".")
    foreign = new_pass("teacher", replace(settings, home=tmp_path / "elsewhere"))
    for bad in (
        said,
        f"{said}.",
        f"{said}.{signature[:-1]}",
        f"{said.replace('visitor', 'teacher')}.{signature}",
        f"{said}.{signature.upper()}",
        foreign,
        "teacher.9999999999.x.",
        "....",
        "é.1.2.3",
        "\udcff",
    ):
        assert passed(bad, settings) == "", bad


def test_a_pass_ends(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    shown, now = new_pass("teacher", settings), access.time.time()
    for later, role in ((11 * 3600, "teacher"), (13 * 3600, "")):
        monkeypatch.setattr(access.time, "time", lambda later=later: now + later)
        assert passed(shown, settings) == role


def test_another_password_ends_every_pass(settings: Settings) -> None:
    shown = new_pass("visitor", settings)
    assert passed(shown, replace(settings, port=1)) == "visitor"
    assert passed(shown, replace(settings, password="other")) == ""
    assert passed(shown, replace(settings, teacher_password="other")) == ""
    swapped = replace(settings, password=settings.teacher_password, teacher_password=settings.password)
    assert passed(shown, swapped) == ""


def test_the_key_is_this_users_alone_and_stays(settings: Settings) -> None:
    shown = new_pass("visitor", settings)
    key = settings.home / "pass.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600 and len(key.read_bytes()) == 32
    access._key.cache_clear()  # as after a restart
    assert passed(shown, settings) == "visitor"
    assert [path.name for path in settings.home.iterdir()] == ["pass.key"]


def test_who_answers_for_the_arena_sees_everybodys(settings: Settings) -> None:
    token = new_token()
    assert whose(asked(new_pass("visitor", settings), token=token), settings) == visitor_of(asked(token=token))
    assert whose(asked(new_pass("visitor", settings)), settings) == "nobody"
    for host in ("127.0.0.1", "192.168.0.7"):
        assert whose(asked(new_pass("teacher", settings), host=host, token=token), settings) is None
