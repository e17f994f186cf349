"""Paths into JSON values."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from vshell.errors import BadPatternError, RangeError
from vshell.text.json_path import parse_path, query_value, remove_value, set_value

VALUE: dict[str, Any] = {
    "a": {"b": [{"c": 1}, {"c": 2}]},
    "n": None,
    "s": "text",
    "l": [1, 2, 3],
    "__proto__": 7,
    "": "empty",
}


def query(path: str) -> Any:
    return query_value(VALUE, parse_path(path))


def changed(path: str, *value: Any) -> Any:
    root = copy.deepcopy(VALUE)
    steps = parse_path(path)
    if value:
        set_value(root, steps, value[0])
    else:
        remove_value(root, steps)
    return root


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", VALUE),
        (".", VALUE),
        (" . ", VALUE),
        (".a.b[1].c", 2),
        ("a.b[1]c", 2),
        (".a..b[ 1 ].c", 2),
        (".a.b.0.c", 1),
        (".a.b.length", 2),
        (".l[]", 1),
        (".l[3]", None),
        (".l[-1]", None),
        (".l[x]", None),
        (".l[1e9]", None),
        (".l.map", None),
        (".missing", None),
        (".constructor", None),
        (".__proto__", 7),
    ],
)
def test_what_a_path_leads_to(path: str, expected: Any) -> None:
    assert query(path) == expected


@pytest.mark.parametrize(
    "path", [".missing.x", ".n.x", ".s.x", ".s[0]", ".a[0]", "[0]", ".['a']", ".l[9].x"]
)
def test_a_step_into_something_of_another_kind_is_an_error(path: str) -> None:
    with pytest.raises(RangeError, match="the JSON path needs"):
        query(path)


@pytest.mark.parametrize("path", ["[", ".a.b[", ".a]", "]", "." + "a" * 5000])
def test_a_malformed_path_is_refused(path: str) -> None:
    with pytest.raises(BadPatternError):
        parse_path(path)


@pytest.mark.parametrize(
    ("path", "look_at", "expected"),
    [
        (".a.x", ".a.x", 9),
        (".l[0]", ".l", [9, 2, 3]),
        (".l.0", ".l", [9, 2, 3]),
        (".l[3]", ".l", [1, 2, 3, 9]),
        (".l[5]", ".l", [1, 2, 3, None, None, 9]),
        (".x[1].y", ".x", [None, {"y": 9}]),
        (".a.b.1.c", ".a.b[1]", {"c": 9}),
        (".__proto__", ".__proto__", 9),
        (".n", ".n", 9),
    ],
)
def test_a_value_is_put_where_the_path_leads(path: str, look_at: str, expected: Any) -> None:
    assert query_value(changed(path, 9), parse_path(look_at)) == expected


@pytest.mark.parametrize(
    "path",
    [
        ".n.x",
        ".s.x",
        ".a[0]",
        ".l.x",
        ".l.x.y",
        ".l[-1]",
        ".l[x]",
        ".l[]",
        ".l[1000000000]",
        ".l[" + "9" * 30 + "]",
    ],
)
def test_a_value_is_not_put_where_there_is_no_place(path: str) -> None:
    with pytest.raises(RangeError):
        changed(path, 9)


def test_how_much_lists_grew_is_told() -> None:
    assert set_value({"l": [1]}, parse_path(".l[9]"), 1) == 9
    assert set_value({}, parse_path(".x[1][2]"), 1) == 5


@pytest.mark.parametrize(
    ("path", "look_at", "expected"),
    [
        (".a.b", ".a", {}),
        (".l[1]", ".l", [1, 3]),
        (".l.1", ".l", [1, 3]),
        (".l[9]", ".l", [1, 2, 3]),
        (".l[-1]", ".l", [1, 2, 3]),
        (".l[x]", ".l", [1, 2, 3]),
        (".__proto__", ".__proto__", None),
    ],
)
def test_what_the_path_leads_to_is_removed(path: str, look_at: str, expected: Any) -> None:
    assert query_value(changed(path), parse_path(look_at)) == expected


@pytest.mark.parametrize("path", [".x.y", ".n.x.y", ".s.x", ".a[0]", ".a[0].x", ".l[9].x", ".l.x"])
def test_removing_what_is_not_there_changes_nothing(path: str) -> None:
    assert changed(path) == VALUE


@pytest.mark.parametrize("value", [(), (9,)])
def test_the_whole_value_is_not_changed_by_a_path(value: tuple[int, ...]) -> None:
    with pytest.raises(BadPatternError, match="must not be empty"):
        changed(".", *value)
