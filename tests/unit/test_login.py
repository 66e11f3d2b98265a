"""The door, over real HTTP: what is shut, what opens it, and that guessing gets slow without a word of why."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from serving import page_serving

from arena import passwords
from arena.access import COOKIE, PASS, end_pass, hashed, new_pass, passed
from arena.config import load_settings
from arena.public.addresses import named
from arena.public.throttle import QUIET_S, REMEMBERED, Throttle
from arena.strings import LANGUAGES, tr
from arena.ui.login_route import Login, local_path

HTML = {"accept": "text/html,*/*"}
SHUT = (
    "/",
    "/config",
    "/gradio_api/info",
    "/gradio_api/startup-events",
    "/gradio_api/app_id",
    "/gradio_api/queue/data?session_hash=a",
    "/gradio_api/heartbeat/a",
    "/theme.css",
    "/assets/index.js",
    "/media/theme.css",
    "/media/sample/receipt_ru.webp",
    "/media/run/a.txt",
    f"/media/{'0' * 64}.webp",
    "/runs.csv",
    "/api",
    "/openapi.json",
    "/LOGIN",
    "/login/",
    "/login/../config",
    "//login",
    "/nothing",
)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("door") / "data"
    passwords = {"ARENA_PASSWORD": hashed("open sesame"), "ARENA_TEACHER_PASSWORD": "chalk"}
    with page_serving(home, patience_s=120, **passwords) as url:
        yield url


@pytest.fixture
def client(url: str) -> Iterator[httpx.Client]:
    """Each from an address of its own, as a proxy on this machine would tell it."""
    client_number = next(NUMBERS)
    headers = {"x-forwarded-for": f"198.51.100.{client_number}", "origin": url}
    with httpx.Client(base_url=url, timeout=30, headers=headers) as client:
        yield client


NUMBERS = iter(range(1, 250))


def enter(client: httpx.Client, password: str, **more: str) -> httpx.Response:
    return client.post("/login", data={"password": password, **more})


@pytest.mark.parametrize("path", SHUT)
def test_nothing_is_served_without_a_pass(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 401, path
    assert answer.json() == {"detail": "a password is needed: see /login"}
    assert client.get(path, headers=HTML).status_code == 303


@pytest.mark.parametrize("path", ["queue/join", "upload", "cancel", "run/predict", "reset"])
def test_no_event_is_taken_without_a_pass(client: httpx.Client, path: str) -> None:
    assert client.post(f"/gradio_api/{path}", json={"data": []}).status_code == 401


def test_health_is_told_and_the_api_has_its_own_keys(client: httpx.Client) -> None:
    assert client.get("/health").status_code == 200
    assert client.post("/v1/chat/completions", json={}).json()["error"]["code"] == "invalid_api_key"


def test_a_person_is_led_to_the_door_and_back(client: httpx.Client) -> None:
    led = client.get("/runs.csv?model=a&text=b%20c", headers=HTML)
    assert led.headers["location"] == "/login?next=/runs.csv%3Fmodel%3Da%26text%3Db%2520c"
    asked = client.get(led.headers["location"])
    back = re.search(r'name="next" value="([^"]*)"', asked.text)
    assert back and back[1] == "/runs.csv?model=a&amp;text=b%20c"
    entered = enter(client, "open sesame", next="/runs.csv?model=a&text=b%20c")
    assert (entered.status_code, entered.headers["location"]) == (303, "/runs.csv?model=a&text=b%20c")
    assert client.get("/runs.csv").status_code == 200


def test_the_password_opens_everything_and_leaving_shuts_it(client: httpx.Client) -> None:
    entered = enter(client, "open sesame")
    said = entered.headers["set-cookie"]
    assert "HttpOnly" in said and "SameSite=lax" in said and "Secure" not in said
    assert "open sesame" not in said and PASS in said
    page = client.get("/")
    assert page.status_code == 200 and COOKIE in page.headers["set-cookie"]
    assert client.get("/config").status_code == client.get("/media/theme.css").status_code == 200
    assert client.post("/logout").headers["location"] == "/login"
    assert client.get("/config").status_code == 401


def test_a_pass_ends_when_its_bearer_leaves_whoever_has_copied_it(client: httpx.Client, url: str) -> None:
    enter(client, "open sesame")
    copied = {"cookie": f"{PASS}={client.cookies[PASS]}"}
    enter(client, "open sesame")
    later = {"cookie": f"{PASS}={client.cookies[PASS]}"}
    with httpx.Client(base_url=url, timeout=30, headers={"origin": url}) as thief:
        assert thief.get("/config", headers=copied).status_code == 200
        assert thief.post("/logout", headers=copied).status_code == 303
        assert thief.get("/config", headers=copied).status_code == 401
        assert thief.get("/config", headers=later).status_code == 200, "another pass of his is good"
        forged = {"cookie": f"{PASS}={client.cookies[PASS]}0"}
        assert thief.post("/logout", headers=forged).status_code == 303
        assert thief.get("/config", headers=later).status_code == 200


def test_a_pass_that_was_ended_stays_so_and_takes_no_room_once_it_would_be_over(tmp_path: Path) -> None:
    settings = load_settings({"ARENA_HOME": str(tmp_path), "ARENA_PASSWORD": "open sesame"})
    ended, other = new_pass("visitor", settings), new_pass("visitor", settings)
    end_pass(ended, settings)
    again = load_settings({"ARENA_HOME": str(tmp_path), "ARENA_PASSWORD": "open sesame"})
    assert passed(ended, again) == "" and passed(other, again) == "visitor"
    (record,) = (tmp_path / "ended").iterdir()
    os.utime(record, (0, 0))
    end_pass(other, settings)
    assert not record.exists() and passed(other, again) == ""
    end_pass("visitor.9999999999.x.y", settings)
    assert len(list((tmp_path / "ended").iterdir())) == 1, "what is no pass of ours is not written down"


def test_over_tls_the_pass_never_goes_without_it(client: httpx.Client) -> None:
    entered = client.post("/login", data={"password": "open sesame"}, headers={"x-forwarded-proto": "https"})
    assert "Secure" in entered.headers["set-cookie"]


def test_the_teachers_password_opens_as_well(client: httpx.Client) -> None:
    assert PASS + "=teacher." in enter(client, "chalk").headers["set-cookie"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_wrong_password_is_told_in_the_visitors_language(client: httpx.Client, lang: str) -> None:
    answer = client.post("/login", data={"password": "Open sesame"}, headers={"accept-language": lang})
    assert answer.status_code == 401 and "set-cookie" not in answer.headers
    assert f'lang="{lang}"' in answer.text and tr("public.login.wrong", lang) in answer.text
    assert client.get(f"/login?lang={lang}", headers={"accept-language": "de"}).text.count(f'lang="{lang}"') == 2


@pytest.mark.parametrize("wrong", ["", "open sesame ", "é" * 5000, "\x00"])
def test_what_is_not_the_password_opens_nothing(client: httpx.Client, wrong: str) -> None:
    assert client.post("/login", data={"password": wrong}).status_code == 401


def test_the_door_leads_to_no_other_site(client: httpx.Client) -> None:
    for back in ("//elsewhere.example", "https://elsewhere.example/", "/\\elsewhere.example", "\r\n/x", ""):
        assert local_path(back) == "/", back
    assert enter(client, "open sesame", next="//elsewhere.example").headers["location"] == "/"


def test_what_a_visitor_sends_is_no_part_of_the_page(client: httpx.Client) -> None:
    asked = client.get("/login", params={"next": '/"><script>alert(1)</script>', "lang": '"><script>'})
    assert "<script" not in asked.text


def test_another_sites_form_does_not_log_in(client: httpx.Client) -> None:
    foreign = {"origin": "https://elsewhere.example"}
    assert client.post("/login", data={"password": "open sesame"}, headers=foreign).status_code == 403


@pytest.mark.battery("W10")
def test_guessing_gets_slow_and_then_even_the_right_word_waits(client: httpx.Client, url: str) -> None:
    answers = [enter(client, f"guess {number}") for number in range(100)]
    assert [answer.status_code for answer in answers[:11]] == [401] * 10 + [429]
    assert sum(answer.status_code == 401 for answer in answers) < 20, "the others were not looked at"
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in answers if answer.status_code == 429)
    assert enter(client, "open sesame").status_code == 429
    with httpx.Client(base_url=url, headers={"x-forwarded-for": "203.0.113.200"}, timeout=30) as other:
        assert enter(other, "open sesame").status_code == 303, "others are not kept waiting"


@pytest.mark.battery("W6")
@pytest.mark.parametrize("direct", [True, False], ids=["direct", "through a proxy"])
def test_a_forged_origin_gives_no_further_guesses(url: str, direct: bool) -> None:
    """Whoever comes directly is known by his own address; of a proxy's list only what the proxy itself has added."""
    way = httpx.HTTPTransport(local_address="127.0.0.2" if direct else "127.0.0.1")  # the proxies' is 127.0.0.1
    with httpx.Client(base_url=url, transport=way, timeout=30) as client:
        codes = []
        for number in range(11):
            forged = f"203.0.113.{number}" + ("" if direct else ", 198.51.100.251")
            headers = {"x-forwarded-for": forged, "x-real-ip": forged, "forwarded": f"for={forged}", "origin": url}
            codes.append(client.post("/login", data={"password": "guess"}, headers=headers).status_code)
    assert codes == [401] * 10 + [429]


@pytest.mark.battery("W10")
def test_the_time_of_a_comparison_says_nothing_of_the_password() -> None:
    """Both passwords are always tried, each hashed whole, and hashes are compared in constant time."""
    settings = load_settings({"ARENA_PASSWORD": "open sesame", "ARENA_TEACHER_PASSWORD": "chalk"})
    login, tried = Login(settings), []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(passwords.hmac, "compare_digest", lambda one, other: tried.append((one, other)) or one == other)
        found = [login._opens(given) for given in ("open sesame", "chalk", "o", "")]
    assert found == ["visitor", "teacher", "", ""]
    assert len(tried) == 8 and all(len(one) == len(other) == 32 for one, other in tried)


@pytest.mark.battery("W10")
def test_every_failure_doubles_the_wait_up_to_the_longest() -> None:
    now = 0.0
    throttle = Throttle(2, 900, lambda: now)
    waits = []
    for _ in range(14):
        throttle.failed("x")
        waits.append(throttle.wait_s("x"))
        now += waits[-1]
    assert waits == [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]
    assert throttle.wait_s("x") == throttle.wait_s("y") == 0
    now += QUIET_S + 1
    throttle.failed("x")
    assert throttle.wait_s("x") == 0, "forgotten"


def test_the_memory_of_failures_is_bounded() -> None:
    throttle = Throttle(1, 900)
    for number in range(REMEMBERED + 10):
        throttle.failed(str(number))
    assert len(throttle._seen) == REMEMBERED


def test_a_place_has_one_name_and_no_address_in_it() -> None:
    assert named("192.0.2.1") == named("192.0.2.1") == named("::ffff:192.0.2.1") != named("192.0.2.2")
    assert named("2001:db8::1") == named("2001:db8::ffff:1%eth0") != named("2001:db8:0:1::1")
    assert "192" not in named("192.0.2.1") or len(named("192.0.2.1")) == 16
    assert named("") == named("") and named("no address")
