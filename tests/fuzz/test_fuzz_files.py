"""Spoilt pictures and documents, decoded where they would be: in a process that may die of them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz import properties
from tests.fuzz.conftest import FEW
from tests.fuzz.strategies import documents, images, spoilt


@given(images)
@settings(max_examples=FEW)
def test_a_picture(data: bytes) -> None:
    properties.a_file_is_a_picture_or_refused(data)


@given(documents() | spoilt(documents()), st.integers(-1, 4))
@settings(max_examples=FEW)
def test_a_document(data: bytes, page: int) -> None:
    properties.a_file_is_a_picture_or_refused(data, page)
