"""Runs go in and come out the same, are found, ordered, counted and deleted, whatever the database."""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from runs import NOON, any_runs, make_run
from sqlalchemy import event, text

import arena.store
from arena.columns import FIELDS, clean, flatten, to_row
from arena.errors import RunError
from arena.query import ordered
from arena.store import RunQuery, Store
from arena.tables import RUN, SORTED
from arena.types import Cell, Memory, Run, Timeline

pytest_plugins = ("postgres",)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = Store(url)
    yield opened
    opened.close()


def names(runs: list[Run]) -> list[str]:
    return [run.run_id for run in runs]


# --- what is saved is what is found ---


def test_a_run_comes_back_as_it_was_saved(store: Store) -> None:
    runs = [
        make_run(0, boxes_left_out=3),
        make_run(1, boxes=(), scores={}, seed=None, status="error", error_kind="timeout"),
    ]
    for run in runs:
        store.save(run)
    assert [store.get(run.run_id) for run in runs] == runs
    assert store.comparison(runs[0].comparison_id) == runs
    assert store.get("nothing") is None and store.comparison("nothing") == []


@pytest.mark.parametrize(
    "query",
    [
        RunQuery(),
        RunQuery(models=("a",)),
        RunQuery(models=("a", "b"), statuses=("ok",)),
        RunQuery(statuses=("timeout",)),
        RunQuery(tasks=("ocr",), models=("nothing",)),
    ],
    ids=["all", "model", "models and status", "status", "none"],
)
def test_what_the_database_counts_is_what_is_there(store: Store, query: RunQuery) -> None:
    runs = [make_run(at, model="ab"[at % 2], status=("ok", "ok", "timeout")[at % 3]) for at in range(12)]
    for run in [*runs, runs[0]]:
        store.save(run)
    store.delete([runs[2].run_id, runs[3].run_id, "nothing"])
    assert store.count(query) == len(list(store.iterate(query)))
    store.veil(runs[4].comparison_id)
    assert store.count(query) == len(list(store.iterate(query)))
    store.delete(RunQuery(statuses=("timeout",)))
    assert store.counts() == {"runs": len(list(store.iterate(RunQuery()))) + 1, "ok": 7}


def kept(run: Run) -> Run:
    """The run with what no database keeps replaced, as documented."""
    values = {
        field.name: getattr(run, field.name) for field in FIELDS if isinstance(getattr(run, field.name, None), str)
    }
    return replace(run, **{name: clean(value) for name, value in values.items()})


@given(run=any_runs())
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_any_run_comes_back(store: Store, run: Run) -> None:
    run = replace(run, run_id=str(uuid.uuid4()))
    store.save(run)
    assert store.get(run.run_id) == kept(run)


def test_characters_that_no_database_keeps_are_replaced(store: Store) -> None:
    odd = make_run(text="a\x00b\ud800c\U0001f600\u202e", params={"stop": "x\ud800\x00"}, scores={"cer": float("nan")})
    store.save(replace(odd, seed=2**64 - 1, error_text={"ru": "Не хранится"}))
    found = store.get(odd.run_id)
    assert found is not None
    assert found.text == "a\ufffdb\ufffdc\U0001f600\u202e"
    assert found.params == {"stop": "x\ufffd\x00"}
    assert (found.seed, found.scores, found.error_text) == (None, {"cer": None}, {})


def test_a_save_may_be_repeated(store: Store) -> None:
    store.save(make_run(0, text="first"))
    store.save(make_run(0, text="second"))
    assert [run.text for run in store.page(RunQuery()).runs] == ["first"]


def test_a_large_answer_is_kept_whole(store: Store) -> None:
    answer = "Очень длинный ответ, 'quoted' \"twice\";\r\n" * 30_000
    store.save(make_run(text=answer))
    assert store.page(RunQuery(text="длинный")).runs[0].text == answer


def test_rows_are_the_flat_form_of_runs(store: Store) -> None:
    runs = [make_run(number) for number in range(3)]
    for run in runs:
        store.save(run)
    rows = [tuple(row) for row in store.rows(RunQuery(descending=False))]
    assert rows == [to_row(run) for run in runs]
    assert rows[0][len(FIELDS) - 1 : len(FIELDS) + 2] == (2, 0.125, None)  # boxes and scores
    assert len(flatten(runs[0])) == len(FIELDS)


# --- filter, search, order, page ---


def some_runs(count: int) -> list[Run]:
    """Runs that differ in everything one can filter and sort by, with ties and unknown values."""
    chance = random.Random(7)
    words = ("чек", "Счёт", "ИТОГО", "invoice", "total", "表格", "50%", "a_b")
    return [
        make_run(
            number,
            created_at=NOON.replace(second=chance.randrange(20)),
            model=chance.choice(["got-ocr", "tesseract", "rapidocr"]),
            task=chance.choice(["ocr", "layout"]),
            status=chance.choice(["ok", "ok", "ok", "empty", "oom"]),
            text=" ".join(chance.choices(words, k=3)),
            characters=chance.randrange(5),
            timeline=Timeline(total_s=chance.choice([None, 0.5, 1.5, chance.random()])),
            memory=Memory(peak_vram_process_mb=chance.choice([None, None, 2000.0])),
            scores=chance.choice([{}, {"cer": None}, {"cer": chance.random()}, {"cer": 0.5, "wer": 1.0}]),
        )
        for number in range(count)
    ]


def expected(runs: list[Run], query: RunQuery) -> list[Run]:
    """What the query means, in plain Python: unknown values last, ties in the order of saving."""

    def wanted(run: Run) -> bool:
        searched = " \n ".join((run.text, run.prompt, run.model, run.error_detail or "")).lower()
        return (
            (not query.models or run.model in query.models)
            and (not query.tasks or run.task in query.tasks)
            and (not query.statuses or run.status in query.statuses)
            and (not query.run_ids or run.run_id in query.run_ids)
            and (not query.comparison_id or run.comparison_id == query.comparison_id)
            and all(word in searched for word in query.text.lower().split())
        )

    def value(run: Run) -> object:
        flat = dict(zip((field.name for field in FIELDS), flatten(run), strict=True))
        return flat[query.sort] if query.sort in flat else run.scores.get(query.sort)

    found = [(value(run), number, run) for number, run in enumerate(runs) if wanted(run)]
    known = sorted((one for one in found if one[0] is not None), key=lambda one: one[:2], reverse=query.descending)
    unknown = sorted((one for one in found if one[0] is None), key=lambda one: one[1], reverse=query.descending)
    return [run for *_, run in known + unknown]


def subsets(*values: str) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), max_size=2, unique=True).map(tuple)


@pytest.fixture(scope="module")
def many_runs() -> list[Run]:
    return some_runs(60)


@pytest.mark.parametrize(("many", "most"), [(5000, 5000), (0, 5000), (0, 0)], ids=["gather", "walk", "read"])
def test_every_query_finds_what_it_means(
    store: Store, many_runs: list[Run], many: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arena.store, "MANY", many)
    monkeypatch.setattr(arena.store, "MOST", most)
    for run in many_runs:
        store.save(run)

    @given(
        query=st.builds(
            RunQuery,
            text=st.sampled_from(
                ["", "", "чек", "ИТ", "счёт итого", "rapid", "表格", "%", "_", "a_b", '"', "нет такого"]
            ),
            models=subsets("got-ocr", "tesseract", "other"),
            tasks=subsets("ocr", "layout"),
            statuses=subsets("ok", "oom"),
            run_ids=st.sampled_from([(), (), ("run-00003", "run-00004", "run-00050")]),
            comparison_id=st.sampled_from(["", "", "comparison-00002"]),
            sort=st.sampled_from(
                ["created_at", "model", "characters", "total_s", "peak_vram_process_mb", "cer", "wer"]
            ),
            descending=st.booleans(),
            offset=st.integers(0, 70),
            limit=st.integers(0, 30),
        )
    )
    def asked(query: RunQuery) -> None:
        wanted = expected(many_runs, query)
        page = store.page(query)
        assert page.total == len(wanted) == store.count(query)
        assert names(page.runs) == names(wanted[query.offset : query.offset + query.limit])
        assert names(list(store.iterate(query))) == names(wanted)

    asked()


@pytest.mark.parametrize(
    ("sought", "found"),
    [
        ("кассовый", True),
        ("КАССОВЫЙ", True),
        ("ассов", True),
        ("№", True),
        ("17", True),
        ("чек итого", True),
        ("итого чек", True),
        ("чек выручка", False),
        ('"чек"', False),
        ("чек AND итого", False),
        ("1 234,50", True),
        ("100%_", True),
        ("10%", False),
        ("c:\\temp", True),
        ("прочитай", True),
        ("tesser", True),
        ("out of memory", True),
        ("发票", True),
        ("发票号", True),
        ("票", True),
        ("* NEAR(", False),
        ("\x00\ud800", False),
        ("я" * 300, False),
        ("   ", True),
    ],
)
def test_a_search_finds_any_piece_of_any_letters(store: Store, sought: str, found: bool) -> None:
    said = "Кассовый чек № 17\nИТОГО 1 234,50 100%_ C:\\Temp 发票号"
    store.save(make_run(text=said, error_detail="CUDA out of memory"))
    assert store.page(RunQuery(text=sought)).total == int(found)


def test_a_sort_there_is_not_is_refused(store: Store) -> None:
    with pytest.raises(RunError) as caught:
        store.page(RunQuery(sort="text; DROP TABLE run"))
    assert caught.value.kind == "bad_input" and "DROP TABLE" in caught.value.text("ru")


def test_pages_do_not_shift_while_equal_runs_are_sorted(store: Store) -> None:
    for number in range(30):
        store.save(make_run(number, created_at=NOON))
    pages = [names(store.page(RunQuery(offset=offset, limit=7)).runs) for offset in range(0, 30, 7)]
    assert [run_id for page in pages for run_id in page] == [f"run-{number:05d}" for number in reversed(range(30))]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("sort", [*SORTED, "cer"])
def test_a_walk_goes_along_an_index_and_sorts_nothing(store: Store, sort: str, descending: bool) -> None:
    if store.name.startswith("postgresql"):
        return  # it plans by the data, and there is none yet
    query = RunQuery(text="чек", models=("a",), tasks=("b",), statuses=("c",), sort=sort, descending=descending)
    with store._engine.connect() as connection:
        for part in ordered(query, (RUN.c.seq, RUN.c.text), "sqlite", "walk"):
            literal = part.limit(50).compile(store._engine, compile_kwargs={"literal_binds": True})
            plan = [row.detail for row in connection.execute(text(f"EXPLAIN QUERY PLAN {literal}".replace(":", "\\:")))]
            assert not [step for step in plan if "TEMP B-TREE" in step], plan


def test_the_newest_rows_of_an_old_benchmark_are_found_without_passing_all_that_came_later(store: Store) -> None:
    if store.name.startswith("postgresql"):
        return  # it plans by the data, and there is none yet
    with store._engine.connect() as connection:
        (part,) = ordered(RunQuery(benchmark_id="old"), (RUN.c.seq, RUN.c.text), "sqlite", "walk")
        literal = part.limit(50).compile(store._engine, compile_kwargs={"literal_binds": True})
        plan = [row.detail for row in connection.execute(text(f"EXPLAIN QUERY PLAN {literal}".replace(":", "\\:")))]
    assert plan == ["SEARCH run USING INDEX ix_run_benchmark (benchmark_id=?)"]


def test_counting_is_done_once_for_all_pages_and_anew_when_runs_come_or_go(store: Store) -> None:
    for number in range(10):
        store.save(make_run(number))
    counted: list[str] = []
    event.listen(store._engine, "before_cursor_execute", lambda *said: counted.append(said[2]))
    totals = [store.page(RunQuery(text="чек", limit=2, offset=offset)).total for offset in (0, 2, 4)]
    assert totals == [10, 10, 10]
    assert sum("count(*)" in statement for statement in counted) == 1
    store.save(make_run(10))
    assert store.page(RunQuery(text="чек", limit=2)).total == 11
    store.delete(["run-00000"])
    assert store.page(RunQuery(text="чек", limit=2)).total == 10


def test_a_cell_of_a_benchmark_is_filled_once_whoever_fills_it(store: Store) -> None:
    cell = Cell("benchmark", "item", 1, "here")
    first = make_run(1, side="A", cell=cell)
    store.save(first)
    store.save(first)
    store.save(make_run(2, side="A", cell=replace(cell, host="elsewhere"), scores={"cer": 1.0}))
    assert list(store.iterate(RunQuery())) == [first]
    others = [replace(cell, benchmark_id="another"), replace(cell, item="another"), replace(cell, repeat=0)]
    for number, other in enumerate(others, 3):
        store.save(make_run(number, side="A", cell=other))
    store.save(make_run(6, side="B", cell=cell))
    for number in (7, 8):  # without a benchmark there is no cell
        store.save(make_run(number, side="A"))
    assert store.counts()["runs"] == 7


# --- lists for the page ---


def test_facets_counts_and_points(store: Store) -> None:
    assert store.facets() == {"models": [], "tasks": [], "statuses": []}
    assert store.counts() == {"runs": 0} and store.points(RunQuery(), 10) == []
    for number, (model, status) in enumerate([("b", "ok"), ("a", "oom"), ("b", "ok"), ("ё", "empty")]):
        store.save(make_run(number, model=model, status=status))
    assert store.facets() == {"models": ["a", "b", "ё"], "tasks": ["ocr"], "statuses": ["empty", "ok", "oom"]}
    assert store.counts() == {"runs": 4, "empty": 1, "ok": 2, "oom": 1}
    points = store.points(RunQuery(models=("b", "ё"), sort="total_s", offset=3), 2)
    assert [point["run_id"] for point in points] == ["run-00002", "run-00003"]
    assert points[0]["total_s"] == 1.75 and points[0]["cer"] == 0.125 and "text" not in points[0]


def test_deleting_takes_what_was_meant_and_nothing_else(store: Store) -> None:
    for number in range(12):
        store.save(make_run(number, model="a" if number < 5 else "b"))
    assert store.delete([]) == 0
    assert store.delete(["run-00000", "run-00011", "nothing"]) == 2
    assert store.delete(RunQuery(models=("a",), text="чек", limit=1, offset=3)) == 4
    assert store.page(RunQuery(text="чек")).total == 6
    assert names(list(store.iterate(RunQuery(sort="cer", descending=False)))) == [f"run-{n:05d}" for n in range(5, 11)]
    assert store.delete(RunQuery()) == 6
    with store._engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM score")) == 0
    store.save(make_run(99))
    assert names(store.page(RunQuery()).runs) == ["run-00099"]


# --- many at once ---


@pytest.mark.battery("S5")
def test_eight_threads_save_and_read_at_once(store: Store) -> None:
    failed: list[BaseException] = []

    def work(thread: int) -> None:
        try:
            for number in range(15):
                run = make_run(thread * 1000 + number)
                store.save(run)
                assert store.get(run.run_id) == run
                store.page(RunQuery(text="чек", sort="total_s", limit=5))
        except BaseException as error:  # noqa: BLE001 - shown by the assertion below
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert store.counts()["runs"] == 120


def test_a_stream_shows_one_moment_and_stops_nobody_from_saving(url: str) -> None:
    reader, writer = Store(url), Store(url, timeout_s=0.5)
    for number in range(600):
        reader.save(make_run(number, boxes=(), scores={}))
    stream = reader.rows(RunQuery(descending=False))
    first = next(stream)
    for number in range(600, 620):
        writer.save(make_run(number))
    assert writer.delete(["run-00001"]) == 1
    rest = list(stream)
    assert first[0] == "run-00000" and len(rest) == 599
    assert reader.counts()["runs"] == 619
    reader.close()
    writer.close()


def test_a_stream_that_is_given_up_gives_its_connection_back(store: Store) -> None:
    for number in range(3):
        store.save(make_run(number))
    for _ in range(40):
        stream = store.iterate(RunQuery())
        next(stream)
        stream.close()
    assert store._engine.pool.checkedout() == 0
