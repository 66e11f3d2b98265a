"""An answer to a question against every wording that counts as right; the best of them is what counts."""

from __future__ import annotations

from collections.abc import Sequence

from rapidfuzz.distance import Levenshtein

from benchmarks.metrics import metric
from benchmarks.metrics.text import normalise

THRESHOLD = 0.5  # of similarity: below it an answer is another one, not the right one misread


@metric("exact_match", better="higher", against="answers", source="Rajpurkar et al. 2016 (SQuAD)")
def exact_match(output: str, answers: Sequence[str]) -> float:
    """1 when the answer is one of the right ones, 0 when not; form and spacing as for `cer`, letters as they stand.

    >>> exact_match(" Bolshaya  St. 5", ["Bolshaya St. 5", "5"])
    1.0
    >>> exact_match("Five", ["5"])
    0.0
    """
    return float(normalise(output) in map(normalise, answers))


@metric("anls", better="higher", against="answers", source="Biten et al. 2019 (ST-VQA), as DocVQA scores")
def anls(output: str, answers: Sequence[str]) -> float:
    """Similarity to the nearest right answer, 1 - edits / characters of the longer; 0 where it is below one half.

    Lower case, every run of white space one space, none at the ends.

    >>> anls("JOHN  SMITH", ["John Smyth", "J. Smyth"])
    0.9
    >>> anls("no idea", ["John Smyth"])
    0.0
    """
    said = _plain(output)
    best = max(Levenshtein.normalized_similarity(said, _plain(answer)) for answer in answers)
    return best if best >= THRESHOLD else 0.0


def _plain(text: str) -> str:
    return " ".join(text.lower().split())
