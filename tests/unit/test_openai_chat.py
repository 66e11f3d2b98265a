"""The client of other services, against a real one that fails on command: retries, errors, stops, what is asked."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from openai_service import Service
from PIL import Image

from adapters import dialects
from adapters.base import AdapterError, Box, Job, Output, understood
from adapters.dialects import DIALECTS, QWEN_MARKS
from adapters.openai_chat import OpenAIChat

KEY = "sk-very-secret-key"
QWEN = {"image_processor": {"size": {"shortest_edge": 3136, "longest_edge": 50176}}, "family": "qwen2_vl"}


@pytest.fixture(autouse=True)
def no_loop_runs() -> Iterator[None]:
    """As in a worker. A browser test before, in this very process, has left a loop of its own running."""
    other = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(other)


@pytest.fixture
def service() -> Iterator[Service]:
    started = Service(["some-model"])
    yield started
    started.stop()


@pytest.fixture
def connect(service: Service) -> Iterator:
    """An adapter loaded for the service, with these options."""
    made: list[OpenAIChat] = []

    def connected(api_key: str = "", **options: object) -> OpenAIChat:
        adapter = OpenAIChat()
        made.append(adapter)
        told = {"base_url": service.url, "served": "some-model", **options}
        adapter.load({"id": "x", "options": told, "api_key": api_key})
        return adapter

    yield connected
    for adapter in made:
        if hasattr(adapter, "_loop"):
            adapter.close()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "page.png"
    Image.effect_noise((300, 200), 60).convert("RGB").save(path)
    return str(path)


def ask(adapter: OpenAIChat, image: str, prompt: str = "", task: str = "question", **params: object) -> Output:
    *pieces, output = adapter.predict(Job(image, prompt, task, params=params))
    assert isinstance(output, Output) and "".join(map(str, pieces)) == output.text
    return output


def fault(adapter: OpenAIChat, image: str, prompt: str, **params: object) -> AdapterError:
    with pytest.raises(AdapterError) as caught:
        ask(adapter, image, prompt, **params)
    return caught.value


def test_the_image_is_the_very_file_and_stands_before_the_question(service: Service, connect, page: str) -> None:
    output = ask(connect(), page, "What is it?", max_new_tokens=5)
    image, question = service.requests[0]["messages"][0]["content"]
    assert base64.b64decode(image["image_url"]["url"].partition("base64,")[2]) == Path(page).read_bytes()
    assert question == {"type": "text", "text": "What is it?"}
    assert service.requests[0]["temperature"] == 0 and service.requests[0]["max_tokens"] == 5
    assert (output.finish_reason, output.prompt_tokens, output.output_tokens) == ("length", 7, 5)
    assert (output.retries, output.visual_tokens, output.seen_width) == (0, None, None)


def test_a_chat_goes_on_with_its_turns_and_what_was_said_before_them(service: Service, connect, page: str) -> None:
    history = [["What is it?", "A page."], ["Of what?", "A book."]]
    ask(connect(), page, "Which?", "chat", history=history, system="Be brief.", image_turn=1)
    roles = [(each["role"], each["content"]) for each in service.requests[0]["messages"]]
    assert roles[:3] == [("system", "Be brief."), ("user", "What is it?"), ("assistant", "A page.")]
    assert roles[3][1][1]["text"] == "Of what?" and roles[5] == ("user", "Which?")
    ask(connect(), "", "And without an image?")
    assert service.requests[1]["messages"] == [{"role": "user", "content": "And without an image?"}]


@pytest.mark.parametrize("prompt", ["busy=3", "fault=500 times=2", "fault=503 times=1", "drop=2"])
def test_what_may_pass_is_tried_again_and_counted(connect, page: str, prompt: str) -> None:
    output = ask(connect(), page, prompt)
    assert output.retries == int(prompt[-1]) and output.text


def test_it_is_not_tried_for_ever(service: Service, connect, page: str) -> None:
    error = fault(connect(), page, "busy=99")
    assert error.kind == "endpoint" and "429" in error.detail and "slow down" in error.detail
    assert len(service.requests) == 5
    assert "429" in fault(connect(), page, "busy=1 wait=3600").detail and len(service.requests) == 6


@pytest.mark.parametrize(
    ("prompt", "kind", "words"),
    [
        ("reset=1", "endpoint", "in the middle of the answer"),
        ("unfinished", "endpoint", "without saying that it is whole"),
        ("garbage", "bad_output", "no JSON"),
        ("filtered", "endpoint", "content_filter"),
        ("fault=400", "bad_input", "fault 400 on command"),
        ("fault=413", "bad_input", "413"),
        ("fault=404", "endpoint", "some-model"),
        ("silence=3", "endpoint", "fell silent"),
    ],
)
def test_a_fault_is_told_and_the_next_question_is_answered(connect, page: str, prompt: str, kind: str, words: str):
    adapter = connect(timeout_s=0.5)
    error = fault(adapter, page, prompt)
    assert error.kind == kind and words in error.detail
    assert ask(adapter, page, "And now?").text


def test_a_service_may_tell_no_usage_and_send_large_pieces(connect, page: str) -> None:
    output = ask(connect(), page, "usage=no tokens=2 huge=3000000")
    assert len(output.text) == 6_000_000
    assert output.output_tokens is output.prompt_tokens is None


def test_a_stop_hangs_up_at_once(service: Service, connect, page: str) -> None:
    pieces = connect().predict(Job(page, "tokens=1000000 delay=0.01"))
    assert any(pieces)
    start = time.monotonic()
    pieces.close()
    assert time.monotonic() - start < 1
    deadline = time.monotonic() + 5
    while not service.left and time.monotonic() < deadline:
        time.sleep(0.01)
    assert service.left == 1


def test_a_stop_is_noticed_while_nothing_comes(connect, page: str) -> None:
    pieces = connect().predict(Job(page, "after=1 delay=60"))
    assert [next(pieces), next(pieces)] == ["", ""]
    pieces.close()


def test_a_service_without_a_list_of_models_will_do(service: Service, connect, page: str) -> None:
    service.models = None
    assert ask(connect(), page, "What?").text


def test_a_model_that_is_not_there_is_told_with_those_that_are(service: Service, connect) -> None:
    with pytest.raises(AdapterError, match=r"no model 'other'; it has some-model"):
        connect(served="other")
    service.models = ["llava:latest"]
    connect(served="llava")


def test_nobody_there(connect, page: str, service: Service) -> None:
    adapter = connect()
    service.stop()
    start = time.monotonic()
    error = fault(adapter, page, "What?")
    assert error.kind == "endpoint" and service.url in error.detail and time.monotonic() - start < 2
    with pytest.raises(AdapterError, match="cannot be reached"):
        connect()


def test_a_wrong_key_is_told_by_its_variable_and_never_shown(service: Service, connect) -> None:
    service.key = "another"
    for key in (KEY, ""):
        with pytest.raises(AdapterError) as caught:
            connect(api_key=key, key_variable="SOME_KEY")
        assert caught.value.kind == "endpoint" and KEY not in caught.value.detail
        assert ("SOME_KEY" in caught.value.detail) == bool(key)
    service.key = KEY
    connect(api_key=KEY)


def test_what_a_service_does_not_take_is_left_out_if_nobody_asked_for_it(service: Service, connect, page: str) -> None:
    service.refuses = {"stream_options", "temperature", "max_tokens"}
    adapter = connect()
    assert ask(adapter, page, "What?", max_new_tokens=4).output_tokens is None
    assert service.requests[-1]["max_completion_tokens"] == 4
    before = len(service.requests)
    assert ask(adapter, page, "What?").retries == 0 and len(service.requests) == before + 1
    assert fault(connect(), page, "What?", temperature=0.7).kind == "bad_input"
    assert fault(connect(), page, "What?", repetition_penalty=1.1).kind == "bad_input"
    assert fault(connect(), page, "What?", temperature="hot").kind == "bad_input"


def test_vllm_is_asked_for_the_answer_that_the_own_adapter_gives(service: Service, connect, page: str) -> None:
    service.owner = "vllm"
    adapter = connect(**QWEN)
    said = "<|object_ref_start|>cat<|object_ref_end|><|box_~start|>(100,200),(~300,400)<|box_end|>"
    said += "<|box_start|>(1,2)<|box_end|><|im_end|>"
    output = ask(adapter, page, f"say={quote(said)}", seed=3)
    asked = service.requests[0]
    assert asked["mm_processor_kwargs"] == QWEN["image_processor"] and asked["skip_special_tokens"] is False
    assert (asked["top_k"], asked["top_p"], asked["repetition_penalty"], asked["seed"]) == (0, 1.0, 1.0, 3)
    assert output.text == "cat(100,200),(300,400)(1,2)"
    assert output.boxes == (Box(30, 40, 90, 80, text="cat", kind="object"),) and output.boxes_left_out == 1
    assert (output.seen_width, output.seen_height) == (252, 168) and output.visual_tokens == 54
    service.refuses = {"mm_processor_kwargs"}
    output = ask(adapter, page, "What?")
    assert output.text and output.seen_width is None and output.visual_tokens is None


def test_dots_ocr_gets_its_own_prompts_and_sizes(service: Service, connect, page: str) -> None:
    service.owner = "vllm"
    adapter = connect(family="dots_ocr", max_pixels=50176)
    found = '[{"bbox":_[0,_0,_126,_84],_"category":_"Title",_"text":_"Hi"}]'
    output = ask(adapter, page, "", "formatted_ocr")
    text = service.requests[0]["messages"][0]["content"][1]["text"]
    assert text.startswith("<|img|><|imgpad|><|endofimg|>Please output the layout")
    assert service.requests[0]["mm_processor_kwargs"]["size"]["longest_edge"] == 50176
    assert (output.seen_width, output.seen_height) == (252, 168)
    job = Job(page, "", "formatted_ocr")
    raw: list[str] = []
    dots = DIALECTS["dots_ocr"]
    assert "".join(dots.shown(job, [found.replace("_", " ")], raw)) == "# Hi\n\n"
    assert dots.boxes(job, raw[0], (300, 200), (252, 168)) == (Box(0, 0, 150, 100, text="Hi", kind="Title"),)
    within = {"prompt": "prompt_grounding_ocr", "box": [0, 0, 150, 100]}
    assert list(adapter.predict(Job(page, "", "ocr", params=within)))
    assert service.requests[1]["messages"][0]["content"][1]["text"].endswith("[0, 0, 126, 84]")
    service.refuses = {"mm_processor_kwargs"}
    assert ask(adapter, page, "", "ocr").seen_width == 308  # what the checkpoint itself would do


def test_every_family_of_the_catalogue_that_vllm_runs_has_its_dialect(shipped) -> None:
    served = [
        spec for spec in shipped.models.values() for mode in spec.modes if mode.name == "vllm" and not mode.why_not
    ]
    assert served
    for spec in served:
        assert spec.options.get("family") in DIALECTS, spec.id


@pytest.fixture(scope="module")
def shipped():
    from arena.catalog import load_catalog
    from arena.config import load_settings

    return load_catalog(load_settings({"ARENA_HOME": "/nowhere"}))


@pytest.mark.parametrize(
    ("family", "task", "asked"),
    [
        ("deepseek_ocr", "formatted_ocr", "<|grounding|>Convert the document to markdown."),
        ("deepseek_ocr", "grounding", "Locate <|ref|>a cat<|/ref|> in the image."),
        ("deepseek_vl2", "grounding", "Locate <|ref|>a cat<|/ref|> in the image."),
        ("phi3_vision", "ocr", "a cat\nThe document is in Russian."),
        ("minicpm_v", "question", "a cat"),
    ],
)
def test_a_family_is_asked_in_its_own_words(family: str, task: str, asked: str) -> None:
    job = Job("", "a cat", task, "ru")
    assert DIALECTS[family].turns(job, (300, 200), None) == [(asked, "")]


def test_deepseek_marks_are_read_and_taken_out() -> None:
    job = Job("", "", "formatted_ocr")
    pieces = ["<|ref|>tit", "le<|/ref|><|det|>[[0, 0, 999, 499]]<|/det|>\n# Hi", "<｜end▁of▁sentence｜>"]
    raw: list[str] = []
    dialect = DIALECTS["deepseek_ocr"]
    assert "".join(dialect.shown(job, pieces, raw)) == "\n# Hi"
    (box,) = dialect.boxes(job, "".join(raw), (300, 200), None)
    assert dataclasses.astuple(box)[:5] == pytest.approx((0, 0, 300, 99.8998998998999, "title"))


@pytest.mark.battery("X6")
def test_boxes_in_pixels_of_a_size_that_nobody_knows_are_counted() -> None:
    found = DIALECTS["qwen2_5_vl"].boxes(
        Job(""), '[{"bbox_2d": [1, 2, 30, 40]}, {"bbox_2d": [5, 6, 7, 8]}]', (300, 200), None
    )
    assert understood(found) == {"boxes": (), "boxes_left_out": 2}


MARKED = ["<|im_end|>", "<|box_start|>", "<", "<|", "a<b", ">", "text", "|>", "<|im_"]


@given(parts=st.lists(st.sampled_from(MARKED), max_size=8), cuts=st.lists(st.integers(0, 60), max_size=8))
def test_marks_are_taken_out_however_the_answer_is_cut(parts: list[str], cuts: list[int]) -> None:
    whole = "".join(parts)
    ends = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    pieces = [whole[start:end] for start, end in itertools.pairwise(ends)]
    assert "".join(dialects.without(pieces, QWEN_MARKS)) == QWEN_MARKS.sub("", whole)


@example((20, 4001), 28, 3136, 1003520)
@given(
    st.tuples(st.integers(20, 6000), st.integers(20, 6000)),
    st.sampled_from([28, 32]),
    st.sampled_from([3136, 262144]),
    st.sampled_from([1003520, 1310720]),
)
def test_the_size_is_the_one_that_the_image_processor_makes(size, side: int, least: int, most: int) -> None:
    from transformers.models.qwen2_vl.image_processing_qwen2_vl import smart_resize

    try:
        height, width = smart_resize(size[1], size[0], side, least, most)
    except ValueError:  # too narrow
        with pytest.raises(AdapterError):
            dialects.smart_resize(size, side, least, most)
        return
    assert dialects.smart_resize(size, side, least, most) == (width, height)


def test_every_picture_of_a_conversation_stands_in_its_turn(service: Service, connect, page: str) -> None:
    other = Path(page).with_name("other.png")
    Image.new("RGB", (30, 20), "blue").save(other)
    history = [["What is it?", "A page."], ["And of these?", "Two."]]
    earlier = [[0, other.name], [1, other.name]]
    ask(connect(), page, "Which?", "chat", history=history, image_turn=1, earlier_images=earlier)
    asked = [each["content"] for each in service.requests[0]["messages"] if each["role"] == "user"]
    urls = [[part["image_url"]["url"] for part in parts if "image_url" in part] for parts in asked[:2]]
    blue, first = urls[0][0], urls[1]
    assert len(urls[0]) == 1 and first[0] == blue != first[1] and asked[2] == "Which?"
    assert base64.b64decode(first[1].partition("base64,")[2]) == Path(page).read_bytes()


@pytest.mark.parametrize("earlier", [[[2, "a.png"]], [[1, "a.png"], [0, "b.png"]], [["x", "a.png"]], ["a.png"], [7]])
def test_pictures_out_of_their_order_are_refused(connect, page: str, earlier: list[object]) -> None:
    history = [["What is it?", "A page."]]
    assert fault(connect(), page, "Which?", history=history, image_turn=1, earlier_images=earlier).kind == "bad_input"
