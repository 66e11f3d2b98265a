"""The CSV: what spreadsheets and pandas read back, what no spreadsheet may run, and how it streams."""

from __future__ import annotations

import csv
import io
import itertools
import tracemalloc
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace

import pandas
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from runs import make_run

from arena.export import BOM, columns, defuse, plain, write_csv
from arena.store import RunQuery, Store
from arena.types import Cell, Memory, Run, Timeline
from benchmarks.metrics import METRICS

csv.field_size_limit(10**7)
FORMULA_SIGNS = "=+-@＝＋－＠"


def written(*runs: Run, delimiter: str = ",") -> str:
    file = io.StringIO(newline="")
    assert write_csv(runs, file, delimiter) == len(runs)
    return file.getvalue()


def read(text: str, delimiter: str = ",") -> list[dict[str, str]]:
    assert text.startswith(BOM)
    return list(csv.DictReader(io.StringIO(text[1:], newline=""), delimiter=delimiter))


def frame(text: str, **options: object) -> pandas.DataFrame:
    return pandas.read_csv(io.BytesIO(text.encode("utf-8")), keep_default_na=False, na_values={}, **options)  # type: ignore[call-overload, no-any-return]


# --- columns and cells ---


def test_the_columns_are_the_fields_of_a_run_and_the_metrics() -> None:
    order: list[str] = []
    for field in fields(Run):
        nested = {"timeline": Timeline, "memory": Memory, "cell": Cell}.get(field.name)
        order += [part.name for part in fields(nested)] if nested else [field.name]
    order = [name for name in order if name not in ("scores", "error_text")]
    assert columns() == [*order, *METRICS]


def test_every_cell_says_what_the_run_says() -> None:
    (row,) = read(written(make_run(3, error_text={"ru": "no"}, boxes_left_out=5)))
    assert list(row) == columns()
    assert row["created_at"] == "2026-01-31T12:00:03Z"
    assert row["params"] == '{"max_new_tokens": 256, "temperature": 0.5}'
    assert row["library_versions"] == '{"tesserocr": "2.13.1"}'
    assert row["boxes_left_out"] == "5" and read(written(make_run()))[0]["boxes_left_out"] == ""
    assert (row["boxes"], row["cold"], row["seed"], row["order"]) == ("2", "true", "42", "1")
    assert (row["total_s"], row["peak_ram_mb"], row["cer"]) == ("1.75", "120.5", "0.125")
    assert (row["wer"], row["first_token_s"], row["reference"], row["seen_height"]) == ("", "", "", "")
    assert row["text"] == "Кассовый чек № 3\nИТОГО: 1 234,50"


def test_times_are_utc() -> None:
    moscow = datetime(2026, 1, 31, 15, 0, 0, 250_000, tzinfo=timezone(timedelta(hours=3)))
    assert read(written(make_run(created_at=moscow)))[0]["created_at"] == "2026-01-31T12:00:00.250000Z"


def test_pandas_reads_what_was_written() -> None:
    runs = [make_run(number, text='a,b;"c"\r\nd\re') for number in range(3)]
    for delimiter, decimal in ((",", "."), (";", ",")):
        table = frame(written(*runs, delimiter=delimiter), sep=delimiter, decimal=decimal)
        assert list(table.columns) == columns()
        assert list(table["text"]) == ['a,b;"c"\r\nd\re'] * 3
        assert table["total_s"].dtype == float and list(table["total_s"]) == [1.75] * 3
        assert table["order"].dtype == int and table["cold"].dtype == bool
        assert list(pandas.to_datetime(table["created_at"])) == [run.created_at for run in runs]


@pytest.mark.battery("S1")
@pytest.mark.parametrize("value", [-5.0, -1.5, 0.1 + 0.2, 1e-05, 1.5e300, 5e-324, 123456789.123])
def test_numbers_stay_numbers(value: float) -> None:
    run = make_run(tokens_per_s=value, scores={"cer": value}, order=-1, seed=-(2**60))
    (row,) = read(written(run))
    assert (float(row["tokens_per_s"]), float(row["cer"])) == (value, value)
    assert (row["order"], row["seed"]) == ("-1", str(-(2**60)))
    (row,) = read(written(run, delimiter=";"), ";")
    assert "." not in row["tokens_per_s"] + row["cer"]
    assert float(row["tokens_per_s"].replace(",", ".")) == value
    table = frame(written(run, delimiter=";"), sep=";", decimal=",")
    assert table["tokens_per_s"][0] == pytest.approx(value, rel=1e-12, abs=0)


def test_another_delimiter_is_refused() -> None:
    with pytest.raises(ValueError, match="comma"):
        write_csv([], io.StringIO(), "\t")


# --- formulas ---

NASTY = [
    "=1+1",
    "+1",
    "-1",
    "@x",
    "\t",
    "\r",
    "\n",
    "\tx",
    " =1",
    "\xa0=1",
    "＝1",
    "＋1",
    "－1",
    "＠1",
    "\ufeff=1",
    "'=1",
]
NASTY_INSIDE = ["a\n=1", "a\r=1", "a\r\n =1", ";=1", "a,=1", 'a;"=1"', "a\t@x", "x\n\n+1", "a; ＝1", "''\n'=1"]
HARMLESS = ["", "a", "1", "a=1", "a - b", "a+b@c.ru", "итого: -5", "'", "''a", "a 'quoted' b", " a", '{"a": 1}', "№=1"]


@pytest.mark.battery("S1")
@pytest.mark.parametrize("text", NASTY)
def test_a_cell_that_begins_a_formula_gets_an_apostrophe(text: str) -> None:
    for run in (make_run(text=text), make_run(model=text), make_run(error_detail=text), make_run(prompt=text)):
        cell = next(value for value in read(written(run))[0].values() if value == "'" + text or plain(value) == text)
        assert cell.startswith("'") and plain(cell) == text


@pytest.mark.battery("S1")
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("text", NASTY + NASTY_INSIDE)
def test_no_reader_finds_a_formula(text: str, delimiter: str) -> None:
    """Also one that splits lines and cells elsewhere than we do, and knows nothing of quotes."""
    for ours in (",", ";"):
        said = written(make_run(text=text), delimiter=ours)
        for line in said.replace("\r", "\n").split("\n"):
            for cell in line.split(delimiter):
                seen = cell.strip(' "\xa0\ufeff')
                assert not seen or seen[0] not in FORMULA_SIGNS


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_formula_is_left_alone(text: str) -> None:
    assert defuse(text) == text


risky = st.text(st.sampled_from("=+-@＝'\"\t\r\n,; \xa0\ufeffaя1"), max_size=12) | st.text(max_size=20)


@pytest.mark.battery("S1")
@given(risky)
@example("'\t=")
@example("\t\n'=1")
@example("''=")
def test_the_apostrophes_can_be_taken_away_again(text: str) -> None:
    assert plain(defuse(text)) == text


@given(risky)
def test_no_text_begins_a_formula(text: str) -> None:
    safe = defuse(text)
    assert not safe.startswith(("\t", "\r", "\n"))
    assert not safe.lstrip(' "\xa0\ufeff').startswith(tuple(FORMULA_SIGNS))


@pytest.mark.battery("S2")
@given(st.lists(risky, min_size=1, max_size=3), st.sampled_from([",", ";"]))
@example(["comma, semicolon; \"quote\" 'and'", "line\nline\r\nline\rline", '"'], ",")
def test_any_text_parses_back(texts: list[str], delimiter: str) -> None:
    said = written(*(make_run(text=text) for text in texts), delimiter=delimiter)
    kept = [text.replace("\x00", "\ufffd") for text in texts]
    assert [plain(row["text"]) for row in read(said, delimiter)] == kept
    assert [plain(text) for text in frame(said, sep=delimiter, dtype=str)["text"]] == kept


# --- odd text ---


@pytest.mark.battery("S2")
def test_nul_and_lone_surrogates_become_the_replacement_character(tmp_path: Path) -> None:
    run = make_run(text="a\x00b\ud83dc", model="\udfff", params={"stop": "\ud800"})
    with (tmp_path / "runs.csv").open("w", encoding="utf-8", newline="") as file:
        write_csv([run], file)
    said = (tmp_path / "runs.csv").read_bytes().decode("utf-8")
    for row in (read(said)[0], frame(said).iloc[0]):
        assert (row["text"], row["model"], row["params"]) == ("a\ufffdb\ufffdc", "\ufffd", '{"stop": "\ufffd"}')


@pytest.mark.battery("S2")
def test_a_cell_of_a_megabyte() -> None:
    text = 'Строка, с "кавычками"; и\nпереносом\n' * 30_000
    said = written(make_run(text=text))
    assert read(said)[0]["text"] == text
    assert frame(said)["text"][0] == text


# --- from the store ---


def test_rows_of_the_store_and_runs_are_written_alike(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'arena.db'}")
    runs = [make_run(number, text="=1", scores={"cer": number / 8, "gone": 1.0}) for number in range(5)]
    for run in runs:
        store.save(run)
    query = RunQuery(sort="cer", descending=False, limit=1)
    streamed, built = io.StringIO(newline=""), io.StringIO(newline="")
    assert write_csv(store.rows(query), streamed) == 5 == write_csv(store.iterate(query), built)
    assert streamed.getvalue() == built.getvalue() == written(*runs)
    store.close()


class Counted:
    """A file that keeps nothing but the number of its characters."""

    def __init__(self) -> None:
        self.size = 0

    def write(self, text: str) -> None:
        self.size += len(text)


@pytest.mark.battery("S3")
def test_nothing_is_held_while_rows_stream() -> None:
    def endless(count: int) -> Iterator[Run]:
        for number in range(count):
            yield replace(make_run(number), text="я" * 2000)

    def peak(count: int) -> int:
        tracemalloc.start()
        file = Counted()
        write_csv(endless(count), file)
        assert file.size > count * 2000
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(1200) < 1.5 * peak(400)


@pytest.mark.battery("S3")
def test_an_export_and_writers_do_not_wait_for_each_other(tmp_path: Path) -> None:
    """A run is saved at every piece that the export writes; each file has the runs of the moment it was begun in."""
    store = Store(f"sqlite:///{tmp_path / 'arena.db'}", timeout_s=0.2)
    numbers = itertools.count()

    def save(_piece: str = "") -> None:
        store.save(make_run(next(numbers), boxes=(), scores={}))

    for _ in range(600):  # more than are read at once
        save()
    file = SimpleNamespace(write=save)
    assert [write_csv(store.rows(RunQuery()), file) for _ in range(2)] == [601, 606]
    store.close()
