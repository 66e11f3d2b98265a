"""The steps of the schema: they end in the tables of the code, keep what is stored, and two programs do not collide."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from runs import make_run
from sqlalchemy import insert, inspect

from arena import benchmarks_kept, conversations, migrations, pictures, votes
from arena.columns import FIELDS, flatten
from arena.database import _engine, parse, writing
from arena.store import RunQuery, Store
from arena.tables import METADATA, RUN, SCORE

if TYPE_CHECKING:
    from postgres import Cluster

pytest_plugins = ("postgres",)
ROOT = Path(__file__).parent.parent.parent


def steps() -> ScriptDirectory:
    return ScriptDirectory(str(migrations.FOLDER), version_locations=[str(migrations.FOLDER)])


def test_the_newest_step_is_the_head_the_code_knows() -> None:
    assert steps().get_heads() == [migrations.HEAD]
    assert {path.name[1:5] for path in migrations.FOLDER.glob("r*.py")} == {
        step.revision for step in steps().walk_revisions()
    }


def test_the_steps_end_in_exactly_the_tables_of_the_code(url: str) -> None:
    theirs = {benchmarks_kept.ITEM, conversations.MESSAGE, pictures.PICTURE, votes.VOTE}
    assert theirs <= set(METADATA.tables.values())
    store = Store(url)

    def ours(name: str | None, kind: str, parents: object) -> bool:
        """The search index is the database's own and no part of the tables."""
        return not (kind in ("table", "index") and "search" in str(name))

    with store._engine.connect() as connection:
        options = {"version_table": migrations.VERSION_TABLE, "compare_type": True, "include_name": ours}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), METADATA) == []
    store.close()


def test_every_field_of_a_run_has_a_column_and_no_column_is_without_a_field() -> None:
    assert [column.name for column in RUN.columns] == ["seq", "box_count", *(field.name for field in FIELDS)]
    assert all(RUN.c[field.name].nullable == field.nullable for field in FIELDS)


@pytest.mark.battery("S9")
@pytest.mark.parametrize("version", [f"{number:04d}" for number in range(1, int(migrations.HEAD))])
def test_an_older_database_is_brought_up_to_date_with_its_runs(url: str, version: str) -> None:
    old = make_run(1, text="Старый чек")
    engine = _engine(parse(url), 10)
    with writing(engine).begin() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": migrations.VERSION_TABLE})
        with Operations.context(context):
            for step in reversed(list(steps().iterate_revisions(version, "base"))):
                step.module.upgrade()
        context.stamp(steps(), version)
        had = {column["name"] for column in inspect(connection).get_columns("run")}
        named = zip((field.name for field in FIELDS), flatten(old), strict=True)
        values = {name: value for name, value in named if name in had}
        seq = connection.scalar(insert(RUN).values(**values, box_count=2).returning(RUN.c.seq))
        scores = [{"run_seq": seq, "metric": name, "value": value} for name, value in old.scores.items()]
        connection.execute(insert(SCORE), scores)
    engine.dispose()

    store = Store(url)
    assert store.page(RunQuery(text="старый")).runs == [old]
    with store._engine.connect() as connection:
        assert migrations.current(connection) == migrations.HEAD
    store.close()


OPEN_AND_SAVE = """
import sys
from runs import make_run
from arena.store import Store
print("ready", flush=True)
sys.stdin.readline()
store = Store(sys.argv[1])
store.save(make_run(int(sys.argv[2])))
store.close()
"""


def test_programs_that_start_at_once_on_an_empty_database_all_work(url: str, tmp_path: Path) -> None:
    """From another folder than the program's own, as an installed command would."""
    started = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", OPEN_AND_SAVE, url, str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env={"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "PATH": "/usr/bin:/bin"},
        )
        for number in range(4)
    ]
    assert [process.stdout.readline() for process in started if process.stdout] == ["ready\n"] * 4
    for process in started:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    complaints = [process.communicate(timeout=60)[1] for process in started]
    assert complaints == [""] * 4
    store = Store(url)
    assert store.counts()["runs"] == 4
    store.close()


def test_the_boxes_stand_last_so_that_a_list_of_runs_does_not_read_them(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'arena.db'}")
    with store._engine.connect() as connection:
        assert inspect(connection).get_columns("run")[-1]["name"] == "boxes"
    store.close()


@pytest.mark.postgres
def test_without_the_right_to_add_extensions_a_search_is_as_right(cluster: Cluster) -> None:
    name = cluster.new_database()
    with cluster.connect(name) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'x'")
        connection.execute(f"GRANT CREATE, USAGE ON SCHEMA public TO {name}")
    store = Store(f"postgresql://{name}:x@127.0.0.1:{cluster.port}/{name}")
    store.save(make_run(1))
    assert store.page(RunQuery(text="кассов")).total == 1
    store.close()
    with cluster.connect(name) as connection:
        found = connection.execute("SELECT count(*) FROM pg_indexes WHERE indexname = 'ix_run_search'").fetchone()
    assert found == (0,)


def test_a_current_database_is_opened_without_loading_alembic(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'arena.db'}"
    Store(url).close()
    code = "import sys; from arena.store import Store; Store(sys.argv[1]).close(); print('alembic' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code, url], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout == "False\n"
