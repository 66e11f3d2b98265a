"""Stop strings cut at the same place however the text comes, and hold back no more than they must."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from arena.stop_strings import StopStrings

LETTERS = st.text(alphabet="ab", max_size=30)
STOPS = st.lists(st.text(alphabet="ab", min_size=1, max_size=5), max_size=4)


def expected(text: str, stops: list[str]) -> str:
    """Letter by letter: the text before the first stop string that is complete."""
    for end in range(len(text) + 1):
        complete = [stop for stop in stops if text[:end].endswith(stop)]
        if complete:
            return text[: end - max(map(len, complete))]
    return text


@given(text=LETTERS, stops=STOPS, cuts=st.lists(st.integers(0, 30)))
def test_the_cut_does_not_depend_on_the_pieces(text: str, stops: list[str], cuts: list[int]) -> None:
    edges = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    stopping = StopStrings(stops)
    said, whole = "", expected(text, stops)
    for start, end in itertools.pairwise(edges):
        said += stopping.add(text[start:end])
        assert whole.startswith(said)
    said += stopping.rest()
    assert said == whole
    assert stopping.ended == any(stop in text for stop in stops)


@given(text=LETTERS, stops=STOPS)
def test_only_what_may_begin_a_stop_string_is_held_back(text: str, stops: list[str]) -> None:
    stopping = StopStrings(stops)
    said = "".join(stopping.add(letter) for letter in text)
    if not stopping.ended:
        held = text[len(said) :]
        assert not held or any(stop.startswith(held) for stop in stops)


def test_without_stop_strings_nothing_is_touched() -> None:
    stopping = StopStrings([""])
    assert (stopping.add("as it is"), stopping.rest(), stopping.ended) == ("as it is", "", False)
