"""``/api``: the calls on one page of our own, since the usual ones load their scripts from other hosts."""

from __future__ import annotations

from html import escape

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from arena.api.names import language
from arena.strings import tr

STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 56rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
td { padding: .4rem .8rem .4rem 0; border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
td:first-child { white-space: nowrap; }
pre { overflow-x: auto; padding: 1rem; border-radius: .5rem;
      background: color-mix(in srgb, currentColor 8%, transparent); }
"""
EXAMPLE = """curl {base}v1/chat/completions \\
  -H "Content-Type: application/json" \\
  -H "Authorization: Bearer $ARENA_API_KEY" \\
  -d '{{
    "model": "tesseract",
    "messages": [{{"role": "user", "content": [
      {{"type": "image_url", "image_url": {{"url": "data:image/png;base64,…"}}}}
    ]}}]
  }}'"""


def router() -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.get("/api")
    async def calls(request: Request) -> HTMLResponse:
        return HTMLResponse(page(request.app.openapi(), str(request.base_url), language(request)))

    return routes


def page(schema: dict[str, dict[str, dict[str, dict[str, str]]]], base: str, lang: str) -> str:
    """The calls of an OpenAPI description; the id of each names its text."""
    rows = "".join(
        f"<tr><td><code>{method.upper()} {escape(path)}</code></td><td>{told(call, lang)}</td></tr>"
        for path, methods in schema["paths"].items()
        for method, call in methods.items()
    )
    title, example = tr("api.page.title", lang), escape(EXAMPLE.format(base=base))
    return (
        f'<!doctype html><html lang="{lang}"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{escape(title)}</title><style>{STYLE}</style>'
        f"<h1>{escape(title)}</h1><p>{escape(tr('api.page.intro', lang))}</p><table>{rows}</table>"
        f"<h2>{escape(tr('api.page.example', lang))}</h2><pre>{example}</pre>"
        f'<p><a href="openapi.json">{escape(tr("api.page.schema", lang))}</a></p></html>'
    )


def told(call: dict[str, str], lang: str) -> str:
    return escape(tr(f"api.calls.{call['operationId']}", lang))
