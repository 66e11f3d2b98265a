"""LaTeX of a formula as tokens in one spelling, so that what looks the same is the same."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\s+|.", re.DOTALL)
DEEPEST = 50  # braces within braces; those further in stand for themselves

SIZES = r"""
\left \right \middle \big \Big \bigg \Bigg \bigl \bigr \bigm \Bigl \Bigr \Bigm \biggl \biggr \biggm \Biggl \Biggr \Biggm
\displaystyle \textstyle \scriptstyle \scriptscriptstyle \limits \nolimits
"""
SPACES = r"\, \; \: \! \> ~ \quad \qquad \thinspace \enspace \nonumber \notag"
DELIMITERS = r"$ $$ \[ \] \( \)"
WITH_ARGUMENT = r"\tag \label \hspace \vspace \phantom \hphantom \vphantom"
UPRIGHT = r"\mathrm \text \textrm \textnormal \operatorname \mbox \rm"
AROUND = "equation align gather displaymath math aligned gathered split eqnarray multline"
# A line: the spelling that stays, then those that become it.
SPELLINGS = r"""
\frac \dfrac \tfrac \cfrac
\binom \dbinom \tbinom
| \vert \lvert \rvert \mid
\| \Vert \lVert \rVert \parallel
\{ \lbrace
\} \rbrace
[ \lbrack
] \rbrack
* \ast ∗
: \colon
' \prime ′
- − –
\ldots \dots \dotsc \dotso …
\cdots \dotsb \dotsm \dotsi ⋯
\leq \le ≤
\geq \ge ≥
\neq \ne ≠
\rightarrow \to →
\leftarrow \gets ←
\Rightarrow ⇒
\wedge \land
\vee \lor
\neg \lnot ¬
\ni \owns
\times ×
\cdot · ⋅
\pm ±
\div ÷
\infty ∞
\approx ≈
\in ∈
\forall ∀
\exists ∃
\partial ∂
\nabla ∇
\sum ∑
\prod ∏
\int ∫
\sqrt √
\alpha α
\beta β
\gamma γ
\delta δ
\epsilon ϵ
\varepsilon ε
\zeta ζ
\eta η
\theta θ
\lambda λ
\mu μ
\nu ν
\xi ξ
\pi π
\rho ρ
\sigma σ
\tau τ
\phi ϕ
\varphi φ
\chi χ
\psi ψ
\omega ω
\Gamma Γ
\Delta Δ
\Theta Θ
\Lambda Λ
\Pi Π
\Sigma Σ
\Phi Φ
\Psi Ψ
\Omega Ω
"""
ONE_SPELLING = {other: line.split()[0] for line in SPELLINGS.strip().splitlines() for other in line.split()[1:]}
dropped = frozenset([*SIZES.split(), *SPACES.split(), *DELIMITERS.split(), "\\ ", "\\\n"])
dropped_with_argument, upright_words, around = (frozenset(words.split()) for words in (WITH_ARGUMENT, UPRIGHT, AROUND))
Group = list[str]  # what stands as one thing: a token, or the tokens of a group with its braces


def tokens(formula: str) -> list[str]:
    r"""The tokens of a formula in one spelling.

    Left out are: the signs around it, and ``equation``, ``align`` and the like; white space, ``\,`` and ``\quad``;
    sizes (``\left``, ``\big``, ``\displaystyle``, ``\limits``); ``\text``, ``\mathrm`` and ``\operatorname`` around
    what they hold; ``\label``, ``\tag`` and ``\hspace`` with their argument; braces around a single thing; a full stop
    or comma at the end. One for all are: ``\le``, ``≤`` and ``\leq``, ``\dfrac`` and ``\frac`` and the like
    (`SPELLINGS`); ``x^{\prime}`` and ``x'``; ``x^a_b`` and ``x_b^a``.

    >>> tokens(r"\[ \left( x^{2}_{i} \right)' \geqslant \mathrm{max}\,{y}. \]")
    ['(', 'x', '_', 'i', '^', '2', ')', "'", '\\geqslant', 'm', 'a', 'x', 'y']
    """
    plain = [token for group in _grouped(_kept(formula)) for token in group]
    while plain and plain[-1] in (".", ","):
        plain.pop()
    return plain


def _kept(formula: str) -> Iterator[str]:
    raw = [token for token in TOKEN.findall(formula) if not token.isspace()]
    place = 0
    while place < len(raw):
        token = raw[place]
        place += 1
        if token in dropped_with_argument or token in (r"\begin", r"\end"):
            end = _after_group(raw, place)
            name = "".join(raw[place + 1 : end - 1])
            if token in dropped_with_argument or name.rstrip("*") in around:
                place = end
            else:
                yield token
        elif token in (r"\left", r"\right") and raw[place : place + 1] == ["."]:
            place += 1
        elif token not in dropped:
            yield "" if token in upright_words else ONE_SPELLING.get(token, token)


def _after_group(raw: Sequence[str], place: int) -> int:
    """The place after the braces that open at `place`; `place` where none do, or nothing closes them."""
    if raw[place : place + 1] != ["{"]:
        return place
    # No name, length or tag is longer; so a formula full of them stays quick to read.
    for end in range(place + 1, min(len(raw), place + 100)):
        if raw[end] == "}":
            return end + 1
    return place


def _grouped(kept: Iterable[str]) -> list[Group]:
    opened: list[list[Group]] = [[]]
    for item in kept:
        if item == "{" and len(opened) < DEEPEST:
            opened.append([])
        elif item == "}" and len(opened) > 1:
            inner = _ordered(opened.pop())
            upright = opened[-1][-1:] == [[]] and opened[-1].pop() == []
            # A group of one thing is that thing; one of several is a thing with its braces.
            if len(inner) > 1 and not (upright and opened[-1][-1:] not in ([["_"]], [["^"]])):
                inner = [["{", *(each for group in inner for each in group), "}"]]
            opened[-1] += inner
        else:
            opened[-1].append([item] if item else [])
    for inner in opened[1:]:  # braces that nobody closed
        opened[0] += [["{"], *inner]
    return _ordered(opened[0])


def _ordered(groups: list[Group]) -> list[Group]:
    """Primes as ``'``, and what is below before what is above."""
    plain: list[Group] = []
    for group in filter(None, groups):
        if group == ["'"] and plain[-1:] == [["^"]]:
            plain.pop()
        plain.append(group)
        if len(plain) >= 4 and plain[-4] == ["^"] and plain[-2] == ["_"]:
            plain[-4:] = [plain[-2], plain[-1], plain[-4], plain[-3]]
    return plain
