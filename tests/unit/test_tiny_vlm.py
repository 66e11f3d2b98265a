"""The small model learns, goes on from a checkpoint bit by bit, and what is exported opens like any Qwen2-VL."""

import csv
import json
import random
from dataclasses import replace

import pytest
import torch  # noqa: TID253 - what is tested is the training itself
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from benchmarks.synthetic import fonts, shapes
from benchmarks.synthetic.items import KINDS, about_one, item, prompts
from benchmarks.synthetic.words import ALPHABET
from benchmarks.tiny_vlm import batches, checkpoint, curves, evaluation, exam, export, learning, model, words
from benchmarks.tiny_vlm.sizes import CELL, RECIPES, Recipe, Shape
from benchmarks.tiny_vlm.training import Pace, rate, train

SHAPE = Shape(eye_width=64, eye_depth=2, eye_heads=2, width=64, depth=2, heads=2, kv_heads=1, inner=64)
QUIET = Pace(minutes=0, save_minutes=0, exam_minutes=0, note=5)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def faces():
    found = [str(fonts.installed()[name]) for name in fonts.names("train") if name in fonts.installed()]
    assert found, "no font of the training is installed: requirements/system.sh packages fonts-dejavu-core"
    return tuple(found[:2])


@pytest.fixture(scope="module")
def recipe(faces):
    return Recipe(SHAPE, steps=20, groups=2, tokens=120, rate=3e-3, warmup=4, eye=0.25, fonts=faces)


@pytest.fixture(scope="module")
def trained(recipe, tmp_path_factory):
    """A training of twenty steps, its state, and what it said."""
    folder, said = tmp_path_factory.mktemp("trained"), []
    state = checkpoint.begin(recipe, "cpu")
    assert train(state, folder, QUIET, said.append)
    return folder, state, said


@given(st.text(max_size=40))
def test_every_text_comes_back_from_the_tokenizer(text):
    text = text.replace("<|", "")  # special tokens are no text
    assert words.shared().decode(words.encoded(text)) == text
    assert words.shared().decode(words.spelled(text)) == text


def test_letters_and_the_words_of_questions_are_one_token():
    assert all(len(words.letter(one)) == 1 for one in ALPHABET)
    assert len(words.encoded("Опиши изображение.")) == 3
    assert max(len(words.encoded(prompt)) / max(1, len(prompt.split())) for prompt in prompts() if " " in prompt) < 6


@pytest.mark.parametrize("kind", KINDS)
def test_the_group_is_what_the_processor_makes_and_the_pass_is_that_of_transformers(kind, faces):
    made = [item(kind, random.Random(seed), (112, 84), faces) for seed in range(2)]
    group, whole = batches.group([[one] for one in made]), model.build(SHAPE, 0).eval()
    with torch.no_grad():
        held = thought(whole, group).held
        for row, one in enumerate(made):
            inputs = model.processor().apply_chat_template(
                [{"role": "user", "content": [
                    {"type": "image", "image": Image.fromarray(one.picture.pixels)},
                    {"type": "text", "text": one.question},
                ]}],
                add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt",
            )  # fmt: skip
            asked = inputs["input_ids"][0].tolist()
            assert asked == group.ids[row, : len(asked)].tolist()
            answer = group.labels[row][group.labels[row] != batches.IGNORED]
            assert words.shared().decode(answer) == f"{one.answer}<|im_end|>"
            assert torch.allclose(whole(**inputs).logits[0], whole.lm_head(held[row, : len(asked)]), atol=1e-4)


def thought(whole, group):
    return learning.thought(whole, *(torch.from_numpy(array) for array in (group.pixels, group.ids, group.turns)))


def test_several_questions_about_a_picture_know_nothing_of_each_other():
    whole = model.build(SHAPE, 0).eval()
    asked = about_one(random.Random(1), shapes.scene(random.Random(1), (112, 84)), batches.ASKED, 0.5)
    together = batches.group([asked])
    with torch.no_grad():
        held = thought(whole, together).held[0]
        for turn, one in enumerate(asked, 1):
            alone = batches.group([[one]])
            expected = thought(whole, alone).held[0][alone.turns[0] == 1]
            assert torch.allclose(held[together.turns[0] == turn], expected, atol=1e-4)


def test_answers_are_told_where_they_stand(faces):
    """Every letter of a line comes from the token that holds it, every word from the thing it speaks of."""
    line = item("lines", random.Random(4), (168, 84), faces)
    group = batches.group([[line]])
    found = group.looks[0][group.looks[0] != batches.IGNORED]
    assert found.tolist() == [batches.cell(letter.x, letter.y, 3, 6) for letter in line.picture.letters]
    scene = shapes.scene(random.Random(4), (168, 168))
    described, where = about_one(random.Random(4), scene, ("describe", "where"), 0)
    middles = [batches.cell(*thing.middle, 6, 6) for thing in described.about]
    looks = batches.looking(described, batches.answering(described), 6, 6)
    assert list(dict.fromkeys(each for each in looks if each != batches.IGNORED)) == middles
    left, top, right, bottom = where.about[0].box
    corners = {batches.cell(left, top, 6, 6), batches.cell(right - 1, bottom - 1, 6, 6)}
    assert corners <= set(batches.looking(where, batches.answering(where), 6, 6))


def test_visual_tokens_are_told_what_stands_in_them(faces):
    one = item("line", random.Random(4), (168, 28), faces)
    slots = batches.seen(one, 1, 6)
    names = {number: name for name, number in batches.SEEN.items()}
    told = "".join(names[number] for cell in slots.tolist() for number in cell if number)
    assert told == one.answer.replace(" ", "")
    scene = item("where", random.Random(4), (168, 168), faces)
    slots = batches.seen(scene, 6, 6)
    for thing in scene.picture.things:
        column, row = (int(side / CELL) for side in thing.middle)
        assert [names[number] for number in slots[row * 6 + column][:2]] == [thing.colour, thing.shape]


def test_a_step_depends_on_its_number_alone(recipe):
    first, again, other = batches.step(recipe, 3), batches.step(recipe, 3), batches.step(recipe, 4)
    assert all(
        (one.pixels == two.pixels).all() and (one.ids == two.ids).all() for one, two in zip(first, again, strict=True)
    )
    assert [one.pixels.shape for one in first] != [one.pixels.shape for one in other]
    assert all(sorted(one) == sorted([*batches.ARRAYS, "kind"]) for one in batches.Steps(recipe)[3])


def test_twenty_steps_lower_the_losses(recipe, trained):
    groups = [group for number in (17, 18, 19) for group in batches.Steps(recipe)[number]]

    def losses(state):
        with torch.no_grad():
            of_all = [state.learner(**{name: group[name] for name in batches.ARRAYS}) for group in groups]
        return {name: sum(float(each[name]) for each in of_all) for name in ("answer", "named", "looked")}

    before, after = losses(checkpoint.begin(recipe, "cpu")), losses(trained[1])
    assert after["answer"] < 0.95 * before["answer"]
    assert all(after[name] < before[name] for name in before)


def test_the_course_of_a_training_is_noted_and_drawn(trained):
    folder, _, said = trained
    rows = list(csv.DictReader((folder / curves.STEPS).read_text().splitlines()))
    assert [row["step"] for row in rows] == ["5", "10", "15", "20"]
    assert rows[0]["answer"] == "nan"  # the eye learned alone
    assert float(rows[-1]["answer"]) > 0
    assert "step 20/20" in said[-1]
    with Image.open(folder / "curves.png") as picture:
        assert picture.size == (curves.WIDTH, 2 * curves.HEIGHT)


def test_a_training_that_stopped_goes_on_as_if_it_had_not(recipe, trained, tmp_path):
    state = checkpoint.begin(recipe, "cpu")
    assert not train(state, tmp_path, replace(QUIET, minutes=1e-9), lambda text: None)
    assert state.done == 1
    resumed = checkpoint.load(tmp_path, "cpu")
    assert resumed.done == 1
    assert train(resumed, tmp_path, QUIET, lambda text: None)
    for part in ("learner", "mean"):
        whole, pieced = getattr(trained[1], part).state_dict(), getattr(resumed, part).state_dict()
        assert all(torch.equal(whole[name], pieced[name]) for name in whole)
    assert (tmp_path / curves.STEPS).read_text().count("\n") == 5


def test_the_end_of_a_training_can_be_moved(trained, tmp_path):
    state = checkpoint.load(trained[0], "cpu")
    state.end_at(100)
    assert state.recipe.steps == 100
    assert state.recipe.eye * 100 == pytest.approx(5)  # as many steps for the eye as before
    checkpoint.save(state, tmp_path)
    assert checkpoint.load(tmp_path, "cpu").moved == [(20, 20)]
    export.export(tmp_path, tmp_path / "model", "bfloat16")
    assert json.loads((tmp_path / "model" / export.FACTS).read_text())["moved"] == [[20, 20]]


def test_other_words_than_those_of_the_checkpoint_are_refused(trained, monkeypatch):
    other = words.tokenizer()
    other.add_tokens("a word that came later")
    monkeypatch.setattr(words, "shared", lambda: other)
    with pytest.raises(ValueError, match="other words"):
        checkpoint.load(trained[0], "cpu")


def test_the_rate_rises_stays_and_falls_to_nothing(recipe):
    rates = [rate(recipe, step) for step in range(recipe.steps)]
    assert rates[0] == pytest.approx(recipe.rate / 4)
    assert max(rates) == rates[4] == rates[10] == recipe.rate
    assert rates[5] == rates[0]  # the text model begins
    assert rates[-1] < 0.1 * recipe.rate


def test_what_is_exported_opens_anywhere_and_is_evaluated(trained, faces, tmp_path):
    size = export.export(trained[0], tmp_path, "bfloat16")
    assert size < 5_000_000
    results = evaluation.evaluate(tmp_path, 1, faces, lambda text: None)
    assert [result.name for result in results] == list(evaluation.TITLES)
    evaluation.save(results, tmp_path)
    assert evaluation.load(tmp_path) == results
    card = export.card(tmp_path)
    assert all(title in card for title in evaluation.TITLES.values())
    assert "20 steps" in card
    assert json.loads((tmp_path / export.FACTS).read_text())["recipe"]["fonts"] == list(faces)

    from transformers import AutoModelForImageTextToText, AutoProcessor

    opened = AutoModelForImageTextToText.from_pretrained(tmp_path, dtype="auto")
    assert opened.dtype == torch.bfloat16
    assert type(opened).__name__ == "Qwen2VLForConditionalGeneration"
    kept = trained[1].mean.state_dict()["model.visual.merger.mlp.2.weight"]
    assert torch.equal(opened.state_dict()["model.visual.merger.mlp.2.weight"], kept.bfloat16())
    template = AutoProcessor.from_pretrained(tmp_path).apply_chat_template(
        [{"role": "user", "content": "Read."}], add_generation_prompt=True, tokenize=False
    )
    assert template == "<|im_start|>user\nRead.<|im_end|>\n<|im_start|>assistant\n"


def test_the_gpu_recipe_fits_what_may_be_shipped():
    with torch.device("meta"):
        whole = model.build(RECIPES["gpu"].shape, 0)
    assert 2 * sum(weight.numel() for weight in whole.parameters()) < 0.97 * export.MOST_BYTES


def test_answers_are_worth_what_they_say(faces):
    line = item("line", random.Random(1), (168, 28), faces)
    assert exam.worth(line, line.answer) == 0
    assert exam.worth(line, "") == 1
    where = item("where", random.Random(1), (168, 168), faces)
    assert exam.worth(where, where.answer) > 0.95
    assert exam.worth(where, "[]") == 0
    count = item("count", random.Random(1), (168, 168), faces)
    assert exam.worth(count, f" {count.answer}. ") == 1
    assert exam.worth(count, f"{count.answer}0") == 0
    said = item("describe", random.Random(1), (168, 168), faces)
    assert exam.told(said, said.answer) == 1
    assert 0 < exam.told(said, said.answer.rpartition(". ")[0]) < 1


def test_a_box_too_many_is_a_miss():
    edges = (10.0, 10.0, 60.0, 60.0)
    one = '[{"bbox_2d": [100, 100, 600, 600], "label": "a"}]'
    two = one[:-1] + ', {"bbox_2d": [800, 800, 900, 900], "label": "a"}]'
    assert exam.found([edges], one, (100, 100)) == pytest.approx(1)
    assert exam.found([edges], two, (100, 100)) == pytest.approx(0.5)


def test_processes_draw_the_same_steps_in_order(recipe):
    short = replace(recipe, steps=3, tokens=40)
    for made, drawn in zip(batches.stream(short, 1, 0), batches.stream(short, 1, 1), strict=True):
        for one, other in zip(made, drawn, strict=True):
            assert all(torch.equal(one[name], other[name]) for name in batches.ARRAYS)


def test_the_pass_works_in_halves_as_on_a_gpu(trained, recipe):
    group = batches.Steps(recipe)[recipe.steps - 1][0]
    tensors = {name: group[name] for name in batches.ARRAYS}
    with torch.no_grad():
        whole = trained[1].learner(**tensors)
        with torch.autocast("cpu", torch.bfloat16):
            halves = trained[1].learner(**tensors)
    assert halves["answer"].item() == pytest.approx(whole["answer"].item(), rel=0.03)
    assert halves["named"].item() == pytest.approx(whole["named"].item(), rel=0.03)
