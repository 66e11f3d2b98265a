"""A piece of a textbook around one displayed formula; the truth of the formula is its LaTeX."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np

from benchmarks.metrics.truth import Fact
from benchmarks.picture import typeset
from benchmarks.synthetic import wording
from benchmarks.synthetic.sheet import Page, Sheet, facts, wrapped
from benchmarks.synthetic.truth import Size
from benchmarks.synthetic.typefaces import family

# Capitals in angle brackets are filled in: V a variable, W another, C an index, G a Greek letter, N and M numbers.
FORMULAS = (
    r"<V>_{1,2} = \frac{-b \pm \sqrt{b^2 - <N>ac}}{<M>a}",
    r"\int_{0}^{\infty} e^{-<N><V>^2} \, d<V> = \frac{1}{2} \sqrt{\frac{\pi}{<N>}}",
    r"\sum_{<C>=1}^{<N>} <C>^2 = \frac{<N>(<N>+1)(2 \cdot <N>+1)}{6}",
    r"\sum_{<C>=0}^{\infty} \frac{<V>^<C>}{<C>!} = e^{<V>}",
    r"\lim_{<V> \to 0} \frac{\sin <N><V>}{<V>} = <N>",
    r"<V>^2 + <W>^2 = <N>^2 + <M>",
    r"\frac{d}{d<V>} \left( <V>^{<N>} \right) = <N><V>^{<M>}",
    r"\cos^2 <G> + \sin^2 <G> = 1",
    r"F = G \frac{m_1 m_2}{r^2}",
    r"s = v_0 t + \frac{a t^2}{2}",
    r"P(A \cup B) = P(A) + P(B) - P(A \cap B)",
    r"\overline{<V>} = \frac{1}{n} \sum_{<C>=1}^{n} <V>_<C>",
    r"\sigma^2 = \frac{1}{n-1} \sum_{<C>=1}^{n} \left( <V>_<C> - \overline{<V>} \right)^2",
    r"\binom{n}{<C>} = \frac{n!}{<C>! \, (n-<C>)!}",
    r"\left( a + b \right)^{<N>} \geq a^{<N>} + b^{<N>}",
    r"\frac{\partial^2 u}{\partial <V>^2} + \frac{\partial^2 u}{\partial <W>^2} = 0",
    r"\log_{<N>} \left( <V><W> \right) = \log_{<N>} <V> + \log_{<N>} <W>",
    r"<V> = \sqrt[3]{<N> + \sqrt{<M>}}",
    r"\vec{F} = m \vec{a} + <N> \vec{v}",
    r"\int_{<N>}^{<M>} \frac{d<V>}{<V>} = \ln \frac{<M>}{<N>}",
    r"\left| <V> - <N> \right| \leq \frac{1}{<M>}",
    r"T = 2 \pi \sqrt{\frac{l}{g}}",
    r"\prod_{<C>=1}^{n} \left( 1 + \frac{1}{<C>} \right) = n + 1",
    r"E = \frac{m v^2}{2} + m g h",
    r"\frac{<V> + <N>}{<V> - <M>} + \frac{<W>}{<N>} = <M>",
    r"<G>_{n+1} = <G>_n - \frac{f(<G>_n)}{f'(<G>_n)}",
    r"S = \frac{a_1 \left( 1 - q^{<N>} \right)}{1 - q}",
    r"A_{ij} = \sum_{k=1}^{<N>} B_{ik} C_{kj}",
)
GREEK = (r"\alpha", r"\beta", r"\varphi", r"\theta", r"\omega", r"\gamma")


def latex(rng: random.Random) -> str:
    """One formula in LaTeX, its letters and numbers chosen."""
    first, second = rng.sample("xyztu", 2)
    low = rng.randint(2, 9)
    said = rng.choice(FORMULAS)
    for slot, chosen in {"<V>": first, "<W>": second, "<C>": rng.choice("kim"), "<G>": rng.choice(GREEK),
                         "<N>": str(low), "<M>": str(low + rng.randint(1, 8))}.items():  # fmt: skip
        said = said.replace(slot, chosen)
    return said


def draw(rng: random.Random, language: str, size: Size, paths: Sequence[str]) -> Page:
    """A heading, two paragraphs and a formula between them across `size` (width, height in pixels), cut off below.

    Raises `ImportError` without matplotlib.
    """
    sheet, letters = Sheet(size), family(rng, paths, "serif")
    width = size[0]
    margin = round(width * 0.09)
    inner, scale = width - 2 * margin, min(25, width // 32)
    text, section = letters.at(scale), f"{rng.randint(1, 9)}.{rng.randint(1, 9)} "
    heading, title = section + wording.said(rng, language, "formula_title"), letters.at(scale * 1.25, "bold")
    y = sheet.block("Section-header", margin, margin * 0.7, inner, [heading], title) + scale * 0.5
    before = wording.said(rng, language, "formula_before")
    y = sheet.block("Text", margin, y, inner, wrapped(before, text, inner), text) + scale * 0.7

    said = latex(rng)
    mask = typeset(said, scale * rng.uniform(1.1, 1.3), width=inner * 0.8)
    left, top = round((width - mask.shape[1]) / 2), round(y)
    part = sheet.cover(sheet.ink)[top : top + mask.shape[0], left : left + mask.shape[1]]
    np.maximum(part, mask, out=part)
    number = str(rng.randint(1, 60))
    numbered = rng.random() < 0.6
    tag = rf" \tag{{{number}}}" if numbered else ""
    if numbered:
        sheet.line(width - margin, top + mask.shape[0] / 2 + scale * 0.34, f"({number})", text, align="right")
    right = width - margin if numbered else left + mask.shape[1]
    sheet.note("Formula", (left, top, right, top + mask.shape[0]), said + tag, f"$${said}{tag}$$")
    y = top + mask.shape[0] + scale * 0.7
    after = " ".join(wording.several(rng, language, "formula_after", rng.randint(1, 2)))
    y = sheet.block("Text", margin, y, inner, wrapped(after, text, inner), text)
    prose = "\n".join(region.text for region in sheet.regions if region.kind != "Formula")
    foreign = wording.several(rng, language, "formula_after", 9)
    known = [Fact("formula", said), *facts(rng, prose, foreign)]
    return sheet.page("formula", language, height=y + margin * 0.7, facts=known, formula=said)
