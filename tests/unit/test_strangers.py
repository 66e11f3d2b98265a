"""Two visitors of a real server, both with the password, one of whom speaks to the page's API as he likes: everything
he could reach of the other's, of the teacher's or of the machine is refused."""

from __future__ import annotations

import csv
import io
import itertools
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from page_client import PageClient, visiting
from PIL import Image, ImageDraw
from serving import ROOT, page_serving

from arena.access import PASS
from arena.strings import tr

PASSWORD, TEACHER = "open sesame", "chalk and board"
QUOTA = 4
WORD = "SECRETWORD"
pytestmark = pytest.mark.timeout(300)  # the program is started once for all, and the quota is spent by real comparisons


@dataclass
class Scene:
    """A has brought a picture and has compared; B wants it."""

    home: Path
    a: PageClient
    b: PageClient
    teacher: PageClient
    sha256: str
    comparison: str
    runs: list[str]


def rows(client: PageClient, query: str = "") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(client.http.get(f"/runs.csv{query}").text.lstrip("\ufeff"))))


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("strangers")
    home, source = folder / "data", folder / "mine.png"
    image = Image.new("RGB", (900, 160), "white")
    ImageDraw.Draw(image).text((30, 30), WORD, fill="black", font_size=90)
    image.save(source)
    environ = {
        "ARENA_PASSWORD": PASSWORD,
        "ARENA_TEACHER_PASSWORD": TEACHER,
        "ARENA_SCHOOL": "1",
        "ARENA_HOST": "127.0.0.1",
        "ARENA_VISITOR_QUOTA": str(QUOTA),
        "ARENA_KEEP_DAYS": "7",
        "ARENA_FIRST_MODELS": "tesseract,tesseract",  # the quickest that reads
    }
    with (
        page_serving(home, patience_s=120, **environ) as url,
        visiting(url, PASSWORD, PASSWORD, TEACHER) as (a, b, teacher),
    ):
        assert a.visitor != b.visitor != teacher.visitor
        a.bring(source)
        said = a.run("run", "click")
        assert WORD in said, re.findall(r'"log":"[^"]*"', said)
        mine = rows(a)
        assert len(mine) == 2 and WORD in mine[0]["text"]
        runs = [row["run_id"] for row in mine]
        yield Scene(home, a, b, teacher, mine[0]["image_sha256"], mine[0]["comparison_id"], runs)
    said = (folder / "log.txt").read_text()
    assert "198.51.100" not in said, "no address of a visitor's is written down"


def test_what_is_ones_own_is_there(scene: Scene) -> None:
    """What the attempts below ask for exists, and its owner gets it the same way."""
    get = scene.a.http.get
    assert get(f"/media/{scene.sha256}.webp").status_code == 200
    assert WORD in get(f"/media/run/{scene.runs[0]}.txt").text
    assert WORD in get(f"/c/{scene.comparison}.json").text
    assert f"media/{scene.sha256}.webp" in scene.a.said("runs-table", "open_run", {"value": scene.runs[0]})
    assert scene.runs[0] in scene.a.said("runs-table", "write_again")
    assert "delete" in scene.a.said("runs-table", "ask_delete", {"value": "chosen", "ids": scene.runs})
    assert WORD in scene.teacher.http.get("/runs.csv").text, "who answers for the arena sees everybody's"


def test_attempt_1_anothers_picture(scene: Scene) -> None:
    for path in (f"/media/{scene.sha256}.webp", f"/c/{scene.comparison}/image.webp"):
        assert scene.b.http.get(path).status_code == 404, path


def test_attempt_2_anothers_answer_as_a_file(scene: Scene) -> None:
    for run in scene.runs:
        assert scene.b.http.get(f"/media/run/{run}.txt").status_code == 404


def test_attempt_3_anothers_comparison_that_was_not_shared(scene: Scene) -> None:
    for end in ("", ".html", ".json", ".json?image=true"):
        answer = scene.b.http.get(f"/c/{scene.comparison}{end}")
        assert answer.status_code == 404 and WORD not in answer.text, end
    assert scene.b.http.post(f"/c/{scene.comparison}/share").status_code == 404
    assert scene.b.http.get(f"/c/{scene.comparison}").status_code == 404


def test_attempt_4_anothers_run_in_the_dialog_and_once_more(scene: Scene) -> None:
    for value in (scene.runs[0], scene.comparison):
        said = scene.b.said("runs-table", "open_run", {"value": value})
        assert WORD not in said and scene.sha256 not in said
    for found in scene.b.config["dependencies"]:
        for number, name in found["targets"]:
            if name == "run_again":
                block = next(each for each in scene.b.config["components"] if each["id"] == number)["props"]["elem_id"]
                said = scene.b.run(block, name, {"value": scene.comparison})
                assert WORD not in said and scene.sha256 not in said
    assert rows(scene.b) == []


def test_attempt_5_anothers_runs_in_lists_search_plots_and_files(scene: Scene) -> None:
    assert rows(scene.b) == rows(scene.b, f"?text={WORD}") == rows(scene.b, "?visitor=&model=tesseract") == []
    for run in (*scene.runs, scene.comparison, WORD, scene.sha256):
        assert run not in scene.b.said("runs-table", "write_again")
        assert run not in scene.b.said("runs-table", "sort_runs", {"value": "model"})
        assert run not in scene.b.said("runs-table", "turn_page", {"value": "0"})
    assert '"choices":[]' in scene.b.said("runs-table", "write_again").replace(" ", ""), (
        "nor which models there are runs of"
    )


def test_attempt_6_deleting_anothers_runs(scene: Scene) -> None:
    asked = scene.b.said("runs-table", "ask_delete", {"value": "chosen", "ids": scene.runs})
    assert "0" in asked
    scene.b.said("run-detail", "confirm_delete")
    scene.b.said("runs-table", "ask_delete", {"value": "all"})
    scene.b.said("run-detail", "confirm_delete")
    scene.b.run("forget-dialog", "confirm_forget")
    assert [row["run_id"] for row in rows(scene.a)] == scene.runs
    assert scene.a.http.get(f"/media/{scene.sha256}.webp").status_code == 200


@pytest.mark.battery("S12")
def test_attempt_7_going_on_in_anothers_session(scene: Scene) -> None:
    own, scene.b.session = scene.b.session, scene.a.session
    try:
        assert scene.b.ask("runs-table", "write_again").status_code == 403
        assert scene.b.ask("battle-ring", "cast_vote", {"outcome": "a"}).status_code == 403
        assert (
            scene.b.http.post("/gradio_api/queue/join", json=scene.b.body("run", "click", None, {})).status_code == 403
        )
        for path in (f"queue/data?session_hash={scene.a.session}", f"heartbeat/{scene.a.session}"):
            assert scene.b.http.get(f"/gradio_api/{path}").status_code == 403, path
        gone = {"session_hash": scene.a.session, "fn_index": 0, "event_id": "x"}
        assert scene.b.http.post("/gradio_api/cancel", json=gone).status_code == 403
    finally:
        scene.b.session = own


@pytest.mark.battery("W1")
def test_attempt_8_the_teachers_panel(scene: Scene) -> None:
    panel = scene.teacher.said("class-live", "write_again")
    assert len(panel) > 200, "the teacher has one"
    for what in ("all_out", "reset", "locked", "start"):
        for block in ("class-lesson", "class-live", "class-rules"):
            assert scene.b.ask(block, "class_act", {"value": what, "on": "1"}).json()["data"] == ["", "", ""]
    assert scene.b.http.get("/class/board").headers["location"].startswith("/login")
    assert scene.b.http.get("/class/state?board=1").status_code == 403
    assert scene.b.http.get("/class/events?board=1").status_code == 403
    real = scene.b.http.cookies[PASS]
    forged = real.replace("visitor.", "teacher.")
    sent = {"cookie": f"{PASS}={forged}"}
    assert scene.b.http.get("/class/state?board=1", headers=sent).status_code in (401, 403)


@pytest.mark.battery("W2")
def test_attempt_9_an_unlisted_model(scene: Scene) -> None:
    assert '"fake"' not in scene.b.http.get("/config").text
    for name in ("fake", "../models", "/etc/passwd", "https://example.org/x", "owner/name"):
        said = scene.b.run("run", "click", None, model_a=name)
        assert tr("ui.choice_gone") in said
        assert "Traceback" not in said and str(scene.home) not in said
    for field in ("task", "document_language", "mode_a", "quantization_b", "dtype_a", "model_b"):
        for value in ("<b>", 7, ["ocr"], {"value": "ocr"}):
            assert tr("ui.choice_gone") in scene.b.run("run", "click", None, **{field: value})
    assert rows(scene.b) == [] and not [
        row for row in rows(scene.teacher) if row["model"] not in ("tesseract", "rapidocr")
    ]
    for event in ("start_download", "forget_download", "stop_download"):
        for block in ("models-found", "downloads-list"):
            try:
                answer = scene.b.run(block, event, {"value": "qwen2_vl_2b"})
            except LookupError:
                continue
            assert tr("downloads_panel.remote") in answer
    assert "hf download" not in scene.b.said("models-found", "write_again")


@pytest.mark.battery("W3")
def test_attempt_10_a_path_of_the_server(scene: Scene) -> None:
    home = scene.home
    stored = home / "images" / scene.sha256[:2] / f"{scene.sha256}.png"
    assert stored.is_file()
    for path in ("/etc/passwd", home / "arena.db", home / "pass.key", home / "images", stored, "arena.db", "\0"):
        assert scene.b.http.get(f"/gradio_api/file={quote(str(path))}").status_code in (403, 404), path
        given = {"path": str(path), "orig_name": "a.png", "meta": {"_type": "gradio.FileData"}}
        for way, file in itertools.product(("queue/join", "run/predict"), (given, {"path": str(path)}, [given])):
            body = scene.b.body("source", "upload", None, {"source": file})
            assert scene.b.http.post(f"/gradio_api/{way}", json=body).status_code == 403, (way, file)
    said = scene.b.http.get("/config").text + scene.b.http.get("/").text
    for found in scene.b.config["dependencies"]:  # what every block writes when the language is switched
        if any(name == "write_again" for _, name in found["targets"]) and len(found["inputs"]) in (0, 3):
            body = scene.b.body("models-found", "write_again", None, {}) | {"fn_index": found["id"]}
            body["data"] = ["", [], []][: len(found["inputs"])]
            said += scene.b.http.post("/gradio_api/run/predict", json=body).text
    assert "tesseract" in said
    for place in (home, ROOT, Path.home()):
        assert not re.search(rf"{re.escape(str(place))}[/\"]", said), place


@pytest.mark.battery("W3")
def test_attempt_11_anothers_upload(scene: Scene, tmp_path: Path) -> None:
    """The framework puts a file under its content's hash with a seed of its own: nobody else can name it."""
    image = tmp_path / "same.png"
    Image.new("RGB", (300, 200), "navy").save(image)
    path = scene.a.upload(image)
    assert scene.b.http.get(f"/gradio_api/file={path}").status_code in (403, 404)


def test_attempt_12_entering_without_the_password_by_the_same_ways(scene: Scene) -> None:
    url = str(scene.b.http.base_url)
    body = scene.b.body("runs-table", "write_again", None, {}) | {"session_hash": "fresh"}
    with httpx.Client(base_url=url, headers={"origin": url, "x-forwarded-for": "198.51.100.7"}) as nobody:
        assert nobody.post("/login", data={"password": "guess"}).status_code == 401
        for path in (f"/media/{scene.sha256}.webp", f"/c/{scene.comparison}", "/runs.csv", "/class/state", "/config"):
            assert nobody.get(path).status_code == 401, path
        assert nobody.post("/gradio_api/run/predict", json=body).status_code == 401


def test_who_shares_a_link_shows_that_comparison_alone(scene: Scene) -> None:
    assert scene.a.http.post(f"/c/{scene.comparison}/share").status_code == 303
    assert WORD in scene.b.http.get(f"/c/{scene.comparison}.json").text
    assert scene.b.http.get(f"/c/{scene.comparison}/image.webp").status_code == 200
    assert scene.b.http.get(f"/media/{scene.sha256}.webp").status_code == 404
    assert rows(scene.b) == []
    assert scene.a.http.post(f"/c/{scene.comparison}/unshare").status_code == 303
    assert scene.b.http.get(f"/c/{scene.comparison}.json").status_code == 404


@pytest.mark.battery("W5")
def test_who_joins_fifty_times_and_never_listens_has_his_share_and_is_told_when_the_next_may_start(
    scene: Scene,
) -> None:
    url = str(scene.a.http.base_url)
    with visiting(url, PASSWORD, PASSWORD) as (c, other):
        listening = c.session
        for number in range(50):
            c.session = f"window{number}"
            assert c.ask("samples", "select", {"id": "receipt_en"}).status_code == 200
            joined = c.http.post("/gradio_api/queue/join", json=c.body("run", "click", None, {}))
            assert joined.status_code == 200, joined.text
        other.run("samples", "select", {"id": "receipt_en"})
        other.run("run", "click")
        assert len(rows(other)) == 2, "another is served meanwhile"
        c.session, said, deadline = listening, "", time.monotonic() + 120
        c.run("samples", "select", {"id": "receipt_en"})
        while not re.search(rf"started {QUOTA} comparisons .* in \d+ minutes?", said):
            assert time.monotonic() < deadline, said[-2000:]
            said = c.run("run", "click")  # until then it answers, or says that as many as may be are under way
        while len(rows(c)) < 2 * QUOTA:
            assert time.monotonic() < deadline
        assert len(rows(c)) == 2 * QUOTA


def test_what_one_left_is_deleted_on_request_and_the_rest_stays(scene: Scene) -> None:
    with visiting(str(scene.a.http.base_url), PASSWORD) as (c,):
        c.bring(scene.home.parent / "mine.png")  # the same picture that A has
        c.run("run", "click")
        assert len(rows(c)) == 2 and c.http.get(f"/media/{scene.sha256}.webp").status_code == 200
        said = c.run("forget-dialog", "confirm_forget")
        assert "Deleted: 1 comparison, 2 answers, 1 entry about pictures." in said
        assert rows(c) == [] and c.http.get(f"/media/{scene.sha256}.webp").status_code == 404
    assert len(rows(scene.a)) == 2
    assert scene.a.http.get(f"/media/{scene.sha256}.webp").status_code == 200
