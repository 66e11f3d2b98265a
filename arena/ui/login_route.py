"""``/login`` and ``/logout``: a password becomes a pass. One guess at a time is looked at, and guessing gets slow."""

from __future__ import annotations

import asyncio
import math
from html import escape
from typing import Literal
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Request
from starlette.datastructures import FormData
from starlette.responses import HTMLResponse, RedirectResponse, Response

from arena.access import HOURS, PASS, as_hash, end_pass, matches, new_pass, passed
from arena.config import Settings
from arena.public.addresses import origin_of
from arena.public.throttle import Throttle
from arena.strings import LANGUAGES, tr
from arena.ui.i18n import language
from arena.ui.shell import MARK

EVERYWHERE = "everywhere"
STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; --paper: #f6f4ef; --card: #fffefb;
        --ink: #1d2230; --line: #e2ddd2; --strong: #8d8778; --accent: #2f5bd0; --button: #1d2a4d; --on: #fffefb;
        --bad: #a8272f; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #12151c; --card: #1a1e28; --ink: #eceef4; --line: #303746; --strong: #717b90; --accent: #8fb0ff;
          --button: #dfe7fb; --on: #141a2b; --bad: #ff9d98; }
}
* { box-sizing: border-box; }
body { min-height: 100vh; margin: 0; display: grid; place-items: center; background: var(--paper); color: var(--ink); }
main { width: min(25rem, calc(100vw - 2rem)); margin: 1rem; padding: 2rem; background: var(--card);
       border: 1px solid var(--line); border-radius: 14px; }
h1 { display: flex; align-items: center; gap: .6rem; margin: 0; font-size: 1.4rem; }
.mark { width: 2rem; height: 2rem; }
p { margin: .5rem 0 0; }
label { display: block; margin: 1.5rem 0 .35rem; font-weight: 600; }
input { width: 100%; font: inherit; padding: .6rem .7rem; border: 1px solid var(--strong); border-radius: 8px;
        background: var(--paper); color: inherit; }
button { width: 100%; margin-top: 1rem; padding: .7rem; font: inherit; font-weight: 600; border: 0; border-radius: 10px;
         background: var(--button); color: var(--on); cursor: pointer; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
[role=alert] { margin: 1rem 0 0; padding: .6rem .8rem; border-left: 4px solid var(--bad); border-radius: 4px;
               background: color-mix(in srgb, var(--bad) 14%, transparent); }
.languages { margin-top: 1.75rem; display: flex; gap: 1rem; }
a { color: var(--accent); }
a[aria-current] { color: inherit; text-decoration: none; font-weight: 600; }
"""


class Login:
    """What the two routes share: the passwords as hashes, and who has guessed how often."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._visitor, self._teacher = as_hash(settings.password), as_hash(settings.teacher_password)
        # A whole class behind one address may mistype; together, all the world gets two guesses a minute in the end.
        self._here, self._all = Throttle(10, 900), Throttle(100, 30)
        self._one = asyncio.Lock()

    async def attempt(self, password: str, origin: str) -> Literal["visitor", "teacher", ""] | float:
        """What the password opens, "" for nothing; or the seconds to wait, in which no password is looked at."""
        async with self._one:
            wait = max(self._here.wait_s(origin), self._all.wait_s(EVERYWHERE))
            if wait:
                return wait
            role = await asyncio.to_thread(self._opens, password)
            if not role:
                self._here.failed(origin)
                self._all.failed(EVERYWHERE)
            return role

    def _opens(self, password: str) -> Literal["visitor", "teacher", ""]:
        teacher, visitor = matches(password, self._teacher), matches(password, self._visitor)  # both, always
        return "teacher" if teacher else "visitor" if visitor else ""


def router(settings: Settings) -> APIRouter:
    """The routes. Without any password there is nothing to log in to."""
    routes = APIRouter(include_in_schema=False)
    login = Login(settings)

    @routes.get("/login")
    async def ask(request: Request) -> Response:
        if not (settings.password or settings.teacher_password):
            raise HTTPException(404)
        return page(spoken(request), back=local_path(request.query_params.get("next", "")))

    @routes.post("/login")
    async def answer(request: Request) -> Response:
        if not (settings.password or settings.teacher_password):
            raise HTTPException(404)
        form, lang = await request.form(max_files=0, max_fields=4), spoken(request)
        back = local_path(field(form, "next"))
        found = await login.attempt(field(form, "password"), origin_of(request))
        if isinstance(found, float):
            return page(lang, tr("public.login.wait", lang, seconds=math.ceil(found)), back, 429, math.ceil(found))
        if not found:
            return page(lang, tr("public.login.wrong", lang), back, 401)
        response = RedirectResponse(back, 303)
        proxied = request.headers.get("x-forwarded-proto", "")
        response.set_cookie(
            PASS,
            new_pass(found, settings),
            max_age=HOURS[found] * 3600,
            httponly=True,
            samesite="lax",
            secure="https" in (request.url.scheme, proxied),
        )
        return response

    @routes.post("/logout")
    async def leave(request: Request) -> Response:
        """To the door, where there is one for visitors, else to the page."""
        shown = request.cookies.get(PASS, "")
        role = passed(shown, settings)
        await asyncio.to_thread(end_pass, shown, settings)
        response = RedirectResponse("/login" if settings.password and role else "/", 303)
        response.delete_cookie(PASS)
        return response

    return routes


def spoken(request: Request) -> str:
    chosen = request.query_params.get("lang", "")
    return chosen if chosen in LANGUAGES else language(request)


def local_path(asked: str) -> str:
    """A path of this site to go back to, "/" for anything else.

    >>> local_path("/c/1?a=b"), local_path("//elsewhere.example"), local_path("https://elsewhere.example")
    ('/c/1?a=b', '/', '/')
    """
    sound = asked.startswith("/") and not asked.startswith(("//", "/\\")) and asked.isprintable()
    return asked if sound else "/"


def field(form: FormData, name: str) -> str:
    value = form.get(name)
    return value if isinstance(value, str) else ""


def page(lang: str, trouble: str = "", back: str = "/", status: int = 200, retry: int = 0) -> HTMLResponse:
    """The page of its own: no script, nothing from elsewhere, nothing of what lies behind the door."""

    def said(key: str) -> str:
        return escape(tr(f"public.login.{key}", lang))

    wrong = f'<p role="alert" id="trouble">{escape(trouble)}</p>' if trouble else ""
    described = ' aria-describedby="trouble" aria-invalid="true"' if trouble else ""
    other = {"en": "English", "ru": "Русский"}
    here = {each: " aria-current=true" if each == lang else "" for each in LANGUAGES}
    links = " ".join(
        f'<a href="?lang={each}&amp;next={quote(back)}" lang="{each}"{here[each]}>{other[each]}</a>'
        for each in LANGUAGES
    )
    html = (
        f'<!doctype html><html lang="{lang}"><meta charset="utf-8"><meta name="robots" content="noindex">'
        f'<meta name="viewport" content="width=device-width"><title>{said("title")}</title><style>{STYLE}</style>'
        f'<link rel="icon" href="data:,"><main><h1>{MARK}VLM Arena</h1>'
        f'<p>{said("intro")}</p><form method="post" action="login?lang={lang}">'
        f'<input type="hidden" name="next" value="{escape(back)}">'
        f'<label for="password">{said("password")}</label>'
        f'<input id="password" name="password" type="password" required autofocus autocomplete="current-password"'
        f"{described}>{wrong}<button>{said('enter')}</button></form>"
        f'<nav class="languages" aria-label="Language · Язык">{links}</nav></main></html>'
    )
    headers = {"cache-control": "no-store"} | ({"retry-after": str(retry)} if retry else {})
    return HTMLResponse(html, status, headers)
