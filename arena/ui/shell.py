"""The HTML page around the application: language and theme before the first paint, our icon, nothing of others.

The framework serves an index page of its own; this rewrites it on the way out, so that no visitor sees a flash of
the wrong language or theme and no link preview names another product.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
from functools import cache
from pathlib import Path
from urllib.parse import quote

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from arena.access import COOKIE as VISITOR
from arena.access import new_token
from arena.strings import LANGUAGES, pick_language, tr
from arena.ui import render

YEAR = 365 * 24 * 3600
COOKIE = "arena_lang"  # set by the page before its first request and at every switch of the language
ASSETS = Path(__file__).parent.parent.parent / "assets"
MARK = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" class="mark" aria-hidden="true">'
    '<rect x="2.5" y="5" width="17" height="22" rx="4.5" fill="#3763d6"/>'
    '<rect x="12.5" y="5" width="17" height="22" rx="4.5" fill="#d2691e"/>'
    '<path d="M12.5 9.5A4.5 4.5 0 0 1 17 5h0a2.5 2.5 0 0 1 2.5 2.5v15A4.5 4.5 0 0 1 15 27h0a2.5 2.5 0 0 1-2.5-2.5z"'
    ' fill="#1d2436"/></svg>'
)
OTHERS = re.compile(r'\s*<meta\s+(?:property|name)="(?:og|twitter):[^>]*>|\s*<link rel="manifest"[^>]*>')


@cache
def locale_module() -> str:
    """The framework's own module that can switch its language at run time; "" if it was renamed."""
    found = importlib.util.find_spec("gradio")  # where it lies; whoever only wants a style sheet does not import it
    folder = Path(str(found and found.origin)).parent / "templates" / "frontend" / "assets"
    for path in sorted(folder.glob("core-*.js")):
        if "as changeLocale" in path.read_text(encoding="utf-8"):
            return f"./assets/{path.name}"
    return ""


@cache
def asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def dress(html: str, lang: str, look: str = "") -> str:
    """The index page as we serve it, in `lang` until the visitor's own choice is read. look: a class of the style
    sheet's for the whole page."""
    settings = f"window.arena={{languages:{list(LANGUAGES)},cookie:'{COOKIE}',localeModule:'{locale_module()}'}};"
    icon = f'<link rel="icon" type="image/svg+xml" href="data:image/svg+xml,{quote(MARK)}">'
    version = hashlib.sha256(asset("theme.css").encode()).hexdigest()[:12]
    style = f'<link rel="stylesheet" href="media/theme.css?v={version}">'
    about = f'<meta name="description" content="{render.text(tr("ui.tagline", lang))}">'
    about += '<meta name="color-scheme" content="light dark">'
    html = OTHERS.sub("", html)
    html = html.replace('lang="en"', f'lang="{lang}" class="{look}"', 1)
    html = html.replace("<head>", f"<head>{about}{icon}{style}<script>{settings}{asset('page_early.js')}</script>", 1)
    return html.replace("</gradio-app>", f"</gradio-app><script>{asset('page.js')}</script>", 1)


class Shell:
    """Middleware that dresses the page at ``/``."""

    def __init__(self, app: ASGIApp, look: str = "") -> None:
        self.app = app
        self.look = look

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        start: Message = {}
        body = b""

        async def collect(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
                return
            body += message.get("body", b"")
            if message.get("more_body"):
                return
            headers = MutableHeaders(raw=start["headers"])
            if headers.get("content-type", "").startswith("text/html"):
                request = Request(scope)
                chosen = request.cookies.get(COOKIE, "")
                lang = chosen if chosen in LANGUAGES else pick_language(request.headers.get("accept-language"))
                body = dress(body.decode("utf-8"), lang, self.look).encode("utf-8")
                headers["content-length"] = str(len(body))
                headers["cache-control"] = "no-store"
                if not request.cookies.get(VISITOR):
                    secure = "; Secure" if request.url.scheme == "https" else ""
                    cookie = f"{VISITOR}={new_token()}; Path=/; Max-Age={YEAR}; HttpOnly; SameSite=Lax{secure}"
                    headers.append("set-cookie", cookie)
            await send(start)
            await send({"type": "http.response.body", "body": body})

        await self.app(scope, receive, collect)
