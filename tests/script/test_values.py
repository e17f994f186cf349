"""Values travel as JSON and come back as they were."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vshell.errors import DecodeError, TooLargeError
from vshell.script.values import MAX_DEPTH, decode, encode

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=[]))
    | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("$bytes"), inner),
)


@given(VALUES)
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    assert decode(encode(value)) == value


def test_bytes_are_tagged_and_what_looks_like_a_tag_is_not() -> None:
    assert encode({"a": b"\0\1"}) == b'{"a":{"$bytes":"AAE="}}'
    assert encode({"$bytes": "x"}) == b'{"$plain":{"$bytes":"x"}}'
    assert math.isnan(decode(encode(math.nan)))
    assert decode(encode(-math.inf)) == -math.inf


@pytest.mark.parametrize(
    "text",
    [
        '{"$bytes": 1}',
        '{"$bytes": "!"}',
        '{"$what": 1}',
        '{"$number": "1"}',
        '{"$plain": []}',
        "NaN",
        "{",
        "[" * 100_000,
        "9" * 5000,
        b"\xff",
    ],
)
def test_what_is_no_value_is_refused(text: str | bytes) -> None:
    with pytest.raises(DecodeError):
        decode(text)


@pytest.mark.parametrize("value", [object(), {1: 2}, {"a": {1}}, [print]], ids=range(4))
def test_what_has_no_form_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        encode(value)


def test_what_is_too_large_or_too_deep_is_refused() -> None:
    deep: list[Any] = []
    for _ in range(MAX_DEPTH):
        deep = [deep]
    with pytest.raises(TooLargeError):
        encode(deep)
    with pytest.raises(TooLargeError):
        encode(10**4001)
    with pytest.raises(TooLargeError):
        encode("x" * 100, max_bytes=50)
