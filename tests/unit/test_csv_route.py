"""The download of the Benchmark tab: the same file as everywhere, in pieces, for nobody but the page."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import httpx
import pytest
from fastapi import FastAPI
from runs import make_run

from arena.columns import to_row
from arena.config import load_settings
from arena.export import write_csv
from arena.store import RunQuery, Store
from arena.strings import LANGUAGES, tr
from arena.ui.csv_route import BATCH, pieces, router, streamed

T = TypeVar("T")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path / 'arena.db'}")
    yield store
    store.close()


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """In a thread of its own: that of the tests may have a loop of a browser's."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


def get(store: Store, path: str, **headers: str) -> httpx.Response:
    app = FastAPI()
    app.include_router(router(SimpleNamespace(store=store, settings=load_settings({}))))  # type: ignore[arg-type]

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
            return await client.get(path, headers=headers)

    return run(ask())


def models(answer: httpx.Response, delimiter: str = ",") -> list[str]:
    return [row["model"] for row in csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff")), delimiter=delimiter)]


@pytest.mark.parametrize("count", [0, 1, BATCH, BATCH + 1, 2 * BATCH + 3])
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_the_pieces_are_the_file(count: int, delimiter: str) -> None:
    runs = [make_run(number) for number in range(count)]
    whole = io.StringIO(newline="")
    write_csv(runs, whole, delimiter)
    assert "".join(pieces((to_row(run) for run in runs), delimiter)) == whole.getvalue()


def test_what_is_filtered_comes_in_its_order(store: Store) -> None:
    for number, model in enumerate(["a", "b", "c", "a"]):
        store.save(make_run(number, model=model, text=f"слово {model}", scores={"cer": 0.1 * number}))
    answer = get(store, "/runs.csv?model=a&model=b&sort=cer&descending=1&delimiter=%3B")
    assert models(answer, ";") == ["a", "b", "a"]
    assert models(get(store, "/runs.csv?text=СЛОВО%20c")) == ["c"]
    assert models(get(store, "/runs.csv?status=error")) == []


def test_the_name_carries_the_date_and_nothing_is_kept(store: Store) -> None:
    headers = get(store, "/runs.csv").headers
    assert headers["content-disposition"].startswith('attachment; filename="vlm-arena-20')
    assert headers["content-type"] == "text/csv; charset=utf-8"
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize("lang", LANGUAGES)
def test_another_site_cannot_start_it(store: Store, site: str, lang: str) -> None:
    answer = get(store, "/runs.csv", **{"Sec-Fetch-Site": site, "Accept-Language": lang})
    assert answer.status_code == 403
    assert answer.json()["detail"] == tr("benchmark.csv.foreign", lang)
    assert get(store, "/runs.csv", **{"Sec-Fetch-Site": "same-origin"}).status_code == 200


@pytest.mark.parametrize("wrong", ["delimiter=x", "text=" + "a" * 1001])
def test_a_wrong_question_is_refused(store: Store, wrong: str) -> None:
    assert get(store, f"/runs.csv?{wrong}").status_code == 422


def test_an_unknown_order_is_that_of_time(store: Store) -> None:
    for number in (2, 1):
        store.save(make_run(number, model=f"model-{number}"))
    assert models(get(store, "/runs.csv?sort=no-such-column")) == ["model-1", "model-2"]


def test_who_leaves_in_the_middle_lets_the_database_go(store: Store) -> None:
    for number in range(3 * BATCH // 2):
        store.save(make_run(number))
    rows = store.rows(RunQuery())
    rest = pieces(rows, ",")
    closed = []

    async def leave() -> None:
        stream = streamed(next(rest), rest)
        assert (await anext(stream)).startswith(b"\xef\xbb\xbfrun_id")
        await stream.aclose()
        closed.append(next(rows, None))

    run(leave())
    assert closed == [None]
    assert store.delete(RunQuery()) == 3 * BATCH // 2
