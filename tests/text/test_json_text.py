"""JSON: strict reading and JavaScript's layout."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vshell.errors import DecodeError, TooLargeError
from vshell.text import json_text
from vshell.text.json_text import MAX_JSON_DEPTH, format_json, parse_json

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)


@given(VALUES)
def test_what_is_written_reads_back(value: Any) -> None:
    for spaces in (0, 2):
        assert parse_json(format_json(value, spaces=spaces)) == value


@given(VALUES, st.integers(1, 10))
def test_the_layout_is_that_of_python_but_for_exponents(value: Any, spaces: int) -> None:
    if not any(mark in json.dumps(value) for mark in ("e-0", "e+0")):
        assert format_json(value, spaces=spaces) == json.dumps(
            value, indent=spaces, ensure_ascii=False
        )


@pytest.mark.parametrize(
    ("value", "spaces", "expected"),
    [
        ({"a": [1, {"b": None}]}, 0, '{"a":[1,{"b":null}]}'),
        ({"a": [], "b": {}}, 2, '{\n  "a": [],\n  "b": {}\n}'),
        ([1], 99, "[\n          1\n]"),
        ((1, 2), 0, "[1,2]"),
        (1e21, 2, "1e+21"),
        (1e-7, 2, "1e-7"),
        ('\u2028é\x01"\\/\n', 2, '"\u2028é\\u0001\\"\\\\/\\n"'),
        ("\ud800", 2, '"\\ud800"'),
        (True, 2, "true"),
        (12345678901234567890, 2, "12345678901234567890"),
    ],
)
def test_values_are_written_as_javascript_does(value: Any, spaces: int, expected: str) -> None:
    assert format_json(value, spaces=spaces) == expected


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), b"x", {1: 2}, {None: 1}, {1, 2}, object()]
)
def test_what_has_no_form_in_json_is_a_type_error(value: Any) -> None:
    for nested in (value, [value], {"a": value}):
        with pytest.raises(TypeError):
            format_json(nested)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("", 1, 1),
        ("{\n  'a': 1}", 2, 3),
        ("[1,\n2,]", 2, 3),
        ('{"a": NaN}', 1, 7),
        ('["NaN",\n -Infinity]', 2, 2),
        ("1 2", 1, 3),
        ('"abc', 1, 1),
    ],
)
def test_an_error_says_where(text: str, line: int, column: int) -> None:
    with pytest.raises(DecodeError) as caught:
        parse_json(text, path="/j")
    assert (caught.value.data["line"], caught.value.data["column"]) == (line, column)
    assert "/j" in str(caught.value)


@pytest.mark.parametrize("text", ["[1e999]", "-1e999", "9" * 5000])
def test_a_number_without_a_value_is_refused(text: str) -> None:
    with pytest.raises(DecodeError, match="a number"):
        parse_json(text)


def test_a_byte_order_mark_is_ignored() -> None:
    assert parse_json("\ufeff[1]") == [1]


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "[" * 500 + "]" * 500, '{"a":' * 500 + "1" + "}" * 500]
)
def test_deep_nesting_is_refused(text: str) -> None:
    with pytest.raises(TooLargeError, match="400 levels"):
        parse_json(text)


def test_the_deepest_nesting_reads_and_writes() -> None:
    text = "[" * MAX_JSON_DEPTH + "]" * MAX_JSON_DEPTH
    assert format_json(parse_json(text), spaces=0) == text


def test_brackets_in_text_do_not_nest() -> None:
    assert parse_json(json.dumps(["[" * 1000, '\\"' + "{" * 1000])) == [
        "[" * 1000,
        '\\"' + "{" * 1000,
    ]


def test_a_value_that_contains_itself_is_refused() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(TooLargeError):
        format_json(value)


def test_a_value_that_grows_when_written_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_text, "MAX_TEXT_BYTES", 100_000)
    value: list[Any] = ["x"]
    for _ in range(60):
        value = [value, value]
    with pytest.raises(TooLargeError, match="100000 characters"):
        format_json(value)


def test_text_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_text, "MAX_JSON_BYTES", 3)
    with pytest.raises(TooLargeError):
        parse_json("[12]")


def test_an_integer_of_too_many_digits_is_not_written() -> None:
    with pytest.raises(TooLargeError):
        format_json(10**5000)
