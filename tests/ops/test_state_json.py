"""The scripting methods on JSON files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from vshell.errors import BadPatternError, DecodeError, RangeError, TooLargeError
from vshell.ops.state import BadCallError, State
from vshell.workspace import Workspace


@pytest.fixture
def state() -> Iterator[State]:
    with Workspace.memory() as workspace:
        yield workspace.state


def test_json_is_written_with_a_newline_at_its_end(state: State) -> None:
    state.write_json("/d/j", {"a": [1, None]})
    assert state.read_file("/d/j") == '{\n  "a": [\n    1,\n    null\n  ]\n}\n'
    state.write_json("/d/j", {"a": 1}, {"spaces": 0})
    assert state.read_file("/d/j") == '{"a":1}\n'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), b"x", {1: 2}, {"a": {1}}])
def test_what_json_does_not_have_is_not_written(state: State, value: object) -> None:
    with pytest.raises(BadCallError):
        state.write_json("/j", value)
    assert not state.exists("/j")


def test_a_value_that_contains_itself_is_not_written(state: State) -> None:
    value: dict[str, Any] = {}
    value["self"] = value
    with pytest.raises(TooLargeError):
        state.write_json("/j", value)


@pytest.mark.parametrize("text", ["", "{", "[1,]", "NaN", "[Infinity]", "1e999", "{'a': 1}"])
def test_a_file_that_is_no_json_says_where(state: State, text: str) -> None:
    state.write_file("/j", text)
    calls: list[tuple[str, list[Any]]] = [
        ("readJson", ["/j"]),
        ("queryJson", ["/j", "."]),
        ("updateJson", ["/j", []]),
    ]
    for method, arguments in calls:
        with pytest.raises(DecodeError, match="/j at line 1") as caught:
            state.dispatch(method, arguments)
        assert caught.value.data["line"] == 1
    assert state.read_file("/j") == text


def test_deep_nesting_is_an_error_and_no_recursion(state: State) -> None:
    state.write_file("/j", "[" * 100_000)
    with pytest.raises(TooLargeError):
        state.read_json("/j")


def test_an_update_builds_on_the_operations_before_it(state: State) -> None:
    state.write_file("/j", "{}")
    given: dict[str, Any] = {"x": []}
    done = state.update_json(
        "/j",
        [
            {"op": "set", "path": ".a", "value": given},
            {"op": "set", "path": ".a.x[0]", "value": 1},
            {"op": "set", "path": ".b", "value": given},
            {"op": "delete", "path": ".b.x"},
        ],
    )
    assert done["value"] == state.read_json("/j") == {"a": {"x": [1]}, "b": {}}
    assert done["content"] == state.read_file("/j")
    assert done["operationsApplied"] == 4
    assert given == {"x": []}


def test_an_update_is_all_or_nothing(state: State) -> None:
    state.write_file("/j", '{"n": null}')
    with pytest.raises(RangeError):
        state.update_json(
            "/j",
            [{"op": "set", "path": ".a", "value": 1}, {"op": "set", "path": ".n.x", "value": 1}],
        )
    assert state.read_file("/j") == '{"n": null}'


def test_the_diff_shows_the_change_and_not_the_layout(state: State) -> None:
    state.write_file("/j", '{"a":1,"b":2}')
    done = state.update_json("/j", [{"op": "set", "path": ".b", "value": 3}])
    assert done["diff"].split("\n")[2:] == [
        "@@ -1,5 +1,5 @@",
        " {",
        '   "a": 1,',
        '-  "b": 2',
        '+  "b": 3',
        " }",
        " ",
    ]


def test_names_of_prototypes_are_just_names(state: State) -> None:
    state.write_file("/j", '{"__proto__": {"x": 1}}')
    assert state.query_json("/j", ".__proto__.x") == 1
    assert state.query_json("/j", ".constructor") is None
    done = state.update_json("/j", [{"op": "set", "path": ".constructor.prototype.y", "value": 2}])
    assert done["value"] == {"__proto__": {"x": 1}, "constructor": {"prototype": {"y": 2}}}


def test_large_numbers_and_fractions_stay_what_they_are(state: State) -> None:
    state.write_file("/j", '{"big": 12345678901234567890, "one": 1.0, "x": 0}')
    state.update_json("/j", [{"op": "delete", "path": ".x"}])
    assert state.read_file("/j") == '{\n  "big": 12345678901234567890,\n  "one": 1.0\n}\n'


def test_a_list_does_not_grow_without_a_bound(state: State) -> None:
    state.write_file("/j", '{"l": []}')
    with pytest.raises(RangeError):
        state.update_json("/j", [{"op": "set", "path": ".l[1000000000]", "value": 1}])
    many = [{"op": "set", "path": f".l{number}[90000]", "value": 1} for number in range(3)]
    with pytest.raises(RangeError):
        state.update_json("/j", [{"op": "set", "path": ".l0", "value": []}, *many])
    with pytest.raises(RangeError):
        state.update_json("/j", [{"op": "delete", "path": ".x"}] * 10_001)


@pytest.mark.parametrize(
    "operation",
    [
        {},
        {"op": "add", "path": ".a", "value": 1},
        {"op": "set", "value": 1},
        {"op": "set", "path": 1, "value": 1},
        {"op": "delete", "path": ".a", "value": 1},
        {"op": "set", "path": ".a", "value": 1, "more": 2},
        {"op": "set", "path": ".a", "value": b"bytes"},
    ],
)
def test_a_malformed_operation_is_refused(state: State, operation: dict[str, Any]) -> None:
    state.write_file("/j", "{}")
    with pytest.raises(BadCallError):
        state.update_json("/j", [operation])


def test_a_malformed_path_is_refused(state: State) -> None:
    state.write_file("/j", "{}")
    with pytest.raises(BadPatternError):
        state.query_json("/j", ".a[")
    for operation in ({"op": "set", "path": ".", "value": 1}, {"op": "delete", "path": ""}):
        with pytest.raises(BadPatternError):
            state.update_json("/j", [operation])
