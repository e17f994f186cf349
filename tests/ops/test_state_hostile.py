"""Whatever a script passes, it gets an answer or an error of ours."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from vshell.errors import VshellError
from vshell.ops.state import ALL_METHODS, State
from vshell.ops.state_table import Method
from vshell.workspace import Workspace

WORDS = st.sampled_from(
    [
        "/", "/a", "/d", "/d/x", "/l", "/loop", "/t.tar", "/z.gz", "/j", "/b", "", ".", "..", "a",
        "/none/new", "/a/x", "/d/../a", "**", "/**", "/[z-a]", "/{a,b", "/*\0", "/\udcff", "/\ud800",
        "\ud800", "text", "t", "(", "(a+)+$", "$1", "\n", ".k", ".l[0]", ".l[99999999]", "[", "write",
        "replace", "writeJson", "set", "delete", "sha1", "file", "2024-01-01", "x" * 300, "é😀",
    ]
)  # fmt: skip
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 5)
    | st.sampled_from([10**30, -(10**30), 1.5, float("nan"), float("inf"), -0.0])
    | WORDS
    | st.binary(max_size=4)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["path", "content", "kind", "op", "value", "search", "edits", "options", "x"]
            )
            | WORDS,
            inner,
            max_size=4,
        )
    ),
    max_leaves=6,
)


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, Any]:
    method: Method = draw(st.sampled_from(ALL_METHODS))
    if draw(st.booleans()):
        return method.name, draw(st.lists(VALUES, max_size=5))
    names = [each.name for each in method.parameters]
    given = {name: draw(VALUES | WORDS) for name in names if draw(st.booleans())}
    return method.name, given


def fill(workspace: Workspace) -> None:
    workspace.write("/a", "text\n")
    workspace.write("/j", '{"k": 1, "l": [1]}')
    workspace.write("/b", b"\0\xff")
    workspace.write("/d/x", "1")
    workspace.symlink("/d", "/l")
    workspace.symlink("/loop", "/loop")
    workspace.state.create_archive("/t.tar", ["/d"])
    workspace.state.compress_file("/a", "/z.gz")


@settings(max_examples=400)
@given(st.lists(calls(), min_size=1, max_size=3))
def test_a_call_gives_an_answer_or_an_error_of_ours(called: list[tuple[str, Any]]) -> None:
    with Workspace.memory(quota_bytes=10**6) as workspace:
        fill(workspace)
        state = State(workspace, timeout_s=1)
        for name, arguments in called:
            try:
                answer = state.dispatch(name, arguments)
            except VshellError as error:
                json.dumps(error.as_dict())
            else:
                json.dumps(answer, default=bytes.hex)
        assert workspace.check().ok
