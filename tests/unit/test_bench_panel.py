"""The benchmarks of the page as a real server answers for them: a teacher runs one, a visitor learns of none."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from page_client import PageClient, visiting
from PIL import Image
from serving import page_serving

from arena.strings import tr

PASSWORD, TEACHER = "open sesame", "chalk and board"
SECRET = "exams-of-spring"  # a set in the data folder


@dataclass
class Scene:
    home: Path
    visitor: PageClient
    teacher: PageClient


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    home = tmp_path_factory.mktemp("panel") / "data"
    folder = home / "datasets" / SECRET
    folder.mkdir(parents=True)
    for number in range(3):
        Image.new("RGB", (80, 50), (80 * number, 0, 0)).save(folder / f"{number}.png")
        (folder / f"{number}.txt").write_text("one two three")
    environ = {"ARENA_PASSWORD": PASSWORD, "ARENA_TEACHER_PASSWORD": TEACHER, "ARENA_DEV": "1"}
    with (
        page_serving(home, patience_s=120, **environ) as url,
        visiting(url, PASSWORD, TEACHER) as (visitor, teacher),
    ):
        yield Scene(home, visitor, teacher)


def opened(client: PageClient) -> str:
    """What the panel answers when its tab is opened."""
    dataset = next(
        each["id"] for each in client.config["components"] if each["props"].get("elem_id") == "benchmark-dataset"
    )
    header = next(each["id"] for each in client.config["components"] if each["props"].get("elem_id") == "header")
    found = next(
        each
        for each in client.config["dependencies"]
        if dataset in each["outputs"] and any(number == header for number, _ in each["targets"])
    )
    data = [next(each for each in client.config["components"] if each["id"] == number) for number in found["inputs"]]
    body = {
        "data": [each["props"].get("value") for each in data],
        "event_data": None,
        "fn_index": found["id"],
        "trigger_id": header,
        "session_hash": client.session,
    }
    answer = client.http.post("/gradio_api/run/predict", json=body)
    assert answer.status_code == 200, answer.text
    return answer.text


def act(client: PageClient, verb: str, value: str = "", block: str = "benchmark-kept") -> str:
    return client.run(block, "bench_act", {"verb": verb, "value": value})


def listed(client: PageClient) -> str:
    """The list of benchmarks, as the panel has it now."""
    return act(client, "show")


def start(client: PageClient, **values: Any) -> str:
    usual = {
        "benchmark_dataset": SECRET,
        "benchmark_models": ["fake"],
        "benchmark_limit": "2",
        "benchmark_name": "Trial",
    }
    return client.run("benchmark-start", "click", None, **usual | values)


def ended(client: PageClient, name: str) -> str:
    deadline = time.monotonic() + 60
    while (said := client.said("benchmark-now", "write_again")) and f"“{name}” is done." not in said:
        assert time.monotonic() < deadline, said
        time.sleep(0.05)
    return said


def the_id(home: Path) -> str:
    from sqlalchemy import create_engine, text

    engine = create_engine(f"sqlite:///{home / 'arena.db'}")
    with engine.connect() as connection:
        found = connection.execute(text("SELECT id FROM benchmark ORDER BY created_at DESC")).first()
    engine.dispose()
    assert found
    return str(found[0])


def test_a_benchmark_from_the_form_to_its_report_and_its_end(scene: Scene) -> None:
    teacher = scene.teacher
    assert SECRET in opened(teacher) and str(scene.home) not in opened(teacher)
    assert tr("bench_panel.pick.models") in start(teacher, benchmark_models=[])
    assert "from 1 to 100" in start(teacher, benchmark_repeat="0") and "from 1 to 100" in start(
        teacher, benchmark_repeat="²"
    )
    start(teacher)
    ended(teacher, "Trial")
    name = the_id(scene.home)
    teacher.said("benchmark-now", "rows_changed")
    said = act(teacher, "show", name)
    assert f"bench/{name}.html" in said and "Trial" in said and "<table>" in said
    page = teacher.http.get(f"/bench/{name}.html?lang=ru")
    assert page.status_code == 200 and page.headers["content-type"].startswith("text/html") and "Trial" in page.text
    assert tr("bench_report.title", "ru") in page.text and str(scene.home) not in page.text
    rows = teacher.http.get(f"/bench/{name}.csv")
    assert rows.headers["content-disposition"].startswith("attachment") and rows.text.count("\n") == 1 + 3
    with zipfile.ZipFile(io.BytesIO(teacher.http.get(f"/bench/{name}.md").content)) as archive:
        assert "report.md" in archive.namelist()
    assert teacher.http.get(f"/bench/{name}.exe").status_code == 422
    assert teacher.http.get("/bench/none.html").status_code == 404
    assert teacher.http.get(f"/runs.csv?benchmark={name}").text.count("\n") == 1 + 3
    assert teacher.http.get("/runs.csv?benchmark=none").text.count("\n") == 1

    start(teacher, benchmark_name="Later", benchmark_limit="3")
    ended(teacher, "Later")
    later = the_id(scene.home)
    act(teacher, "show", later)
    assert tr("bench_panel.list.change", name="Trial") in act(teacher, "compare", name)
    assert "danger" in act(teacher, "ask", later)
    assert tr("bench_panel.ask.done") in teacher.run("benchmark-ask", "confirm_bench", {"value": later})
    assert "Later" not in listed(teacher) and "Trial" in listed(teacher)


def test_a_visitor_learns_nothing_and_starts_nothing(scene: Scene) -> None:
    visitor, teacher = scene.visitor, scene.teacher
    opened(teacher)
    start(teacher, benchmark_name="Hidden")
    ended(teacher, "Hidden")
    name = the_id(scene.home)
    before = listed(teacher)
    refused = tr("bench_panel.remote")
    said = [opened(visitor), visitor.http.get("/config").text, visitor.said("benchmark-now", "write_again")]
    said += [
        visitor.said("benchmark-now", "rows_changed"),
        visitor.said("benchmark-kept", "bench_rows", {"value": name}),
    ]
    said.append(visitor.said("runs-table", "write_again"))
    changing = [
        visitor.run("benchmark-start", "click", None, benchmark_dataset=None, benchmark_models=[]),
        *(act(visitor, verb, name) for verb in ("resume", "stop", "hide", "show", "ask", "compare")),
        act(visitor, "stop", name, "benchmark-now"),
        visitor.run("benchmark-ask", "confirm_bench", {"value": name}),
    ]
    assert all(refused in each for each in changing), [each for each in changing if refused not in each]
    for each in (*said, *changing):
        assert SECRET not in each and "Hidden" not in each and name not in each and str(scene.home) not in each
    for path in (f"/bench/{name}.html", f"/bench/{name}.csv", "/bench/none.html"):
        assert visitor.http.get(path).status_code == 404, path
    with httpx.Client(base_url=str(visitor.http.base_url)) as nobody:
        assert nobody.get(f"/bench/{name}.html").status_code in (303, 401)
    assert listed(teacher) == before or name in listed(teacher)


def test_an_uploaded_set_is_kept_for_who_may_and_for_nobody_else(scene: Scene, tmp_path: Path) -> None:
    archive = tmp_path / "mine.zip"
    with zipfile.ZipFile(archive, "w") as opened_zip:
        picture = io.BytesIO()
        Image.new("RGB", (40, 30), "teal").save(picture, "PNG")
        opened_zip.writestr("a.png", picture.getvalue())
        opened_zip.writestr("a.txt", "Salve")
        opened_zip.writestr("../../escaped.txt", "no")

    def bring(client: PageClient, path: Path) -> str:
        opened(client)
        given = {"path": client.upload(path), "orig_name": path.name, "meta": {"_type": "gradio.FileData"}}
        return client.run("benchmark-own", "upload", None, benchmark_own=[given], benchmark_dataset=None)

    assert tr("bench_panel.remote") in bring(scene.visitor, archive)
    assert not (scene.home / "datasets" / "mine").exists()
    assert "The set “mine” is here: 1 picture." in bring(scene.teacher, archive)
    kept = scene.home / "datasets" / "mine"
    assert sorted(each.name for each in kept.iterdir()) == ["a.png", "a.txt"]
    assert not list(scene.home.rglob("escaped.txt"))
    archive.write_bytes(b"PK\x03\x04 no")
    said = bring(scene.teacher, archive)
    assert tr("bench_panel.own.no_images") in said or tr("bench_panel.own.broken") in said
    foreign = {"path": "/etc/passwd", "orig_name": "a.zip", "meta": {"_type": "gradio.FileData"}}
    body = scene.teacher.body("benchmark-own", "upload", None, {"benchmark_own": [foreign]})
    assert scene.teacher.http.post("/gradio_api/queue/join", json=body).status_code == 403
