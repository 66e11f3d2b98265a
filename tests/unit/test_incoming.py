"""What of a request's body is read: so many bytes, so many files, and of a form nothing once its sender has gone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest
from starlette.types import Message

from arena.incoming import MOST_FILES, CutOff, Incoming

FORM = b"multipart/form-data; boundary=mark"
PART = b'--mark\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\nx\r\n'
GONE: Message = {"type": "http.disconnect"}


def incoming(messages: Iterable[Message], kind: bytes = FORM, most: int = 10**6) -> Incoming:
    left = iter(messages)

    async def receive() -> Message:
        return next(left)

    return Incoming({"type": "http", "headers": [(b"content-type", kind)]}, receive, most)


def pieces(body: bytes, size: int) -> list[Message]:
    cuts = range(0, len(body), size)
    return [{"type": "http.request", "body": body[at : at + size], "more_body": at + size < len(body)} for at in cuts]


def read(body: Incoming) -> bytes:
    """To its end. Raises `CutOff`."""

    async def all_of_it() -> bytes:
        whole = b""
        while True:
            message = await body()
            whole += message["body"]
            if not message["more_body"]:
                return whole

    return asyncio.run(all_of_it())


@pytest.mark.battery("I20")
@pytest.mark.parametrize("size", [1, 5, 6, 7, 64, 10**6])
def test_files_are_counted_however_the_body_is_split(size: int) -> None:
    body = PART * MOST_FILES + b"--mark--\r\n"
    assert read(incoming(pieces(body, size))) == body
    more = incoming(pieces(PART + body, size))
    with pytest.raises(CutOff):
        read(more)
    assert more.fault == f"at most {MOST_FILES} files at once"


@pytest.mark.battery("I19")
def test_one_byte_too_many_is_cut_off() -> None:
    body = PART + b"--mark--\r\n"
    assert read(incoming(pieces(body, 9), most=len(body))) == body
    more = incoming(pieces(body, 9), most=len(body) - 1)
    with pytest.raises(CutOff):
        read(more)
    assert more.fault == f"at most {len(body) - 1} bytes"


def test_a_form_whose_sender_has_gone_is_cut_off_and_not_at_fault() -> None:
    form = incoming([*pieces(PART * 2, 40)[:2], GONE])
    with pytest.raises(CutOff):
        read(form)
    assert form.cut and not form.fault


def test_who_leaves_when_all_has_come_or_sends_no_form_is_told_of_as_ever() -> None:
    whole = incoming([*pieces(PART, 10**6), GONE])
    read(whole)
    assert asyncio.run(whole()) == GONE
    assert asyncio.run(incoming([GONE], b"application/json")()) == GONE


def test_what_is_no_form_may_hold_any_number_of_lines() -> None:
    body = b"--" * 10_000
    assert read(incoming(pieces(body, 100), b"application/json")) == body
