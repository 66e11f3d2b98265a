"""Text against text: error rates, which are edits per unit of the reference, and the words that both have in common.

CER = (S + D + I) / N with the fewest substitutions, deletions and insertions (Levenshtein 1966) over N characters of
the reference; WER is the same over words. 0 is perfect; an answer much longer than the reference passes 1.

The distance comes from rapidfuzz: it is what jiwer counts with too, takes plain texts and lists of words alike, and
needs 0.1 s for two texts of 100,000 characters. Letters, case and punctuation all count.
"""

from __future__ import annotations

import unicodedata
from collections import Counter

from rapidfuzz.distance import Levenshtein

from benchmarks.metrics import metric


def normalise(text: str) -> str:
    """Unicode NFC, every run of white space one space, none at the ends: what a reader would call the same text.

    >>> normalise("  и\\u0306од,\\n\\tpage 2 ")
    'йод, page 2'
    """
    return " ".join(unicodedata.normalize("NFC", text).split())


@metric("cer", better="lower", against="text", source="Levenshtein 1966, as jiwer counts")
def character_error_rate(output: str, reference: str) -> float:
    """Edits of characters (code points after `normalise`) per character of a non-empty reference.

    >>> character_error_rate("Invoice 2O24", "Invoice  2024")
    0.08333333333333333
    >>> character_error_rate("no no no", "no")
    3.0
    """
    target = normalise(reference)
    # The hint makes it several times faster where little differs, and changes no result.
    return Levenshtein.distance(normalise(output), target, score_hint=len(target) // 20) / len(target)


@metric("wer", better="lower", against="text", source="Levenshtein 1966, as jiwer counts")
def word_error_rate(output: str, reference: str) -> float:
    """Edits of words (split at white space after `normalise`) per word of a non-empty reference.

    >>> word_error_rate("the quick brown box", "the quick brown fox")
    0.25
    """
    target = normalise(reference).split()
    return Levenshtein.distance(normalise(output).split(), target) / len(target)


@metric("word_f1", better="higher", against="text", source="van Rijsbergen 1979; Rajpurkar et al. 2016 (SQuAD)")
def word_f1(output: str, reference: str) -> float:
    """Harmonic mean of precision and recall of the words, whatever their order (split as for `wer`).

    Unlike SQuAD's, case, punctuation and articles count.

    >>> word_f1("fox brown the", "the quick brown fox")
    0.8571428571428571
    """
    said, target = Counter(normalise(output).split()), Counter(normalise(reference).split())
    return 2 * (said & target).total() / (said.total() + target.total())
