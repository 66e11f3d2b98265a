"""What can be wrong with a database on a server: told without the password, and found again when it is back."""

from __future__ import annotations

import traceback
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from runs import make_run

from arena.compare import Request, Side, compare
from arena.config import Settings
from arena.core import arena_of
from arena.errors import ArenaError, RunError
from arena.store import Store
from arena.strings import LANGUAGES
from arena.types import Delta, Run

if TYPE_CHECKING:
    from postgres import Cluster

pytest_plugins = ("postgres",)


def refusal(url: str) -> ArenaError:
    with pytest.raises(ArenaError) as caught:
        Store(url)
    assert len({caught.value.text(lang) for lang in LANGUAGES}) == len(LANGUAGES)
    return caught.value


@pytest.mark.battery("S10", "S11")
@pytest.mark.postgres
def test_a_wrong_password_is_told_without_the_password(cluster: Cluster) -> None:
    for secret in ("hunter2", "p%40ss%2Fword"):
        with pytest.raises(ArenaError) as caught:
            Store(cluster.url("postgres", password=secret))
        shown = caught.value.text() + caught.value.text("ru") + "".join(traceback.format_exception(caught.value))
        assert caught.value.key == "store.unreachable" and "password authentication failed" in shown
        assert secret not in shown and "p@ss/word" not in shown and "***" in shown


@pytest.mark.postgres
def test_a_database_there_is_not(cluster: Cluster) -> None:
    error = refusal(cluster.url("nowhere"))
    assert error.key == "store.unreachable" and '"nowhere" does not exist' in error.text()


@pytest.mark.battery("S10", "S11")
@pytest.mark.parametrize("password", ["hunter2", "5/hunter2", "hunter2/x"])
def test_a_server_there_is_not(password: str) -> None:
    error = refusal(f"postgres://arena:{password}@127.0.0.1:1/arena?application_name=hunter2")
    assert error.key == "store.unreachable" and "hunter2" not in error.text()
    assert "postgresql://arena:***@127.0.0.1:1/arena" in error.text()


@pytest.mark.battery("S10")
@pytest.mark.postgres
def test_a_server_that_restarts_is_found_again(cluster: Cluster) -> None:
    store = Store(cluster.url(cluster.new_database()))
    store.save(make_run(1))
    cluster.stop()
    with pytest.raises(RunError) as caught:
        store.save(make_run(2))
    assert (caught.value.kind, caught.value.key) == ("storage", "store.unreachable")
    cluster.start()
    store.save(make_run(2))
    assert store.counts()["runs"] == 2
    store.close()


@pytest.mark.battery("S10")
@pytest.mark.postgres
def test_a_server_that_restarts_in_the_middle_of_a_run_costs_no_row(cluster: Cluster, settings: Settings) -> None:
    def said(*, stopping: bool = False) -> Run:
        for event in compare(arena, asked := Request((Side(model),), None, task, "tokens=5")):
            if isinstance(event, Delta) and stopping:
                cluster.stop()
                stopping = False
        assert isinstance(event, Run) and event.comparison_id == asked.comparison_id
        return event

    with arena_of(replace(settings, database_url=cluster.url(cluster.new_database()))) as arena:
        model, task = arena.catalog.find("fake"), arena.catalog.task("question")
        first = said(stopping=True)
        cluster.start()
        assert first.status == "ok" and "127.0.0.1" in first.error_text["ru"]
        assert "correct-horse" not in str(first)
        second = said()
        assert not second.error_text
        assert [arena.store.get(run.run_id).text for run in (first, second)] == [first.text] * 2  # type: ignore[union-attr]


@pytest.mark.postgres
def test_a_server_whose_table_is_locked_or_may_only_be_read(cluster: Cluster) -> None:
    name = cluster.new_database()
    store = Store(cluster.url(name), timeout_s=0.3)
    with cluster.connect(name) as other, other.transaction():
        other.execute("LOCK TABLE run IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(RunError) as caught:
            store.save(make_run(1))
        assert caught.value.key == "store.locked"
    store.save(make_run(1))
    with cluster.connect(name) as other:
        other.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    store.close()
    with pytest.raises(RunError) as caught:
        store.save(make_run(2))
    assert caught.value.key == "store.read_only"
    store.close()


@pytest.mark.postgres
def test_a_newer_schema_and_foreign_tables_on_a_server(cluster: Cluster) -> None:
    name = cluster.new_database()
    Store(cluster.url(name)).close()
    with cluster.connect(name) as connection:
        connection.execute("UPDATE arena_version SET version_num = '9999'")
    assert refusal(cluster.url(name)).key == "store.newer"
    name = cluster.new_database()
    with cluster.connect(name) as connection:
        connection.execute("CREATE TABLE run (mine text)")
    assert refusal(cluster.url(name)).key == "store.foreign"
