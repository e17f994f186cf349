"""Doing many operations as one."""

from __future__ import annotations

import inspect
import random
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ops.patch_trees import Leaf, put_tree, read_tree
from vshell.errors import (
    EditError,
    ExistsError,
    NotFoundError,
    NotReadError,
    PatchContextError,
    StaleError,
    VshellError,
)
from vshell.ops import operations
from vshell.ops.catalog import operation
from vshell.ops.edit import EditResult
from vshell.ops.operations import (
    Append,
    Copy,
    EditFile,
    MakeDirectory,
    MakeLink,
    MakeSymbolicLink,
    Move,
    Operation,
    Patch,
    Remove,
    SetMode,
    SetTime,
    Truncate,
    Write,
)
from vshell.ops.write import WriteResult
from vshell.text.edits import Edit
from vshell.workspace import Workspace

KINDS = [
    getattr(operations, name)
    for name in operations.__all__
    if inspect.isclass(getattr(operations, name))
]

EVERYTHING: list[Operation] = [
    Write("/new", "new\n"),
    Append("/new", b"more\n"),
    EditFile("/f", Edit("two", "2")),
    Patch("--- a/f\n+++ b/f\n@@ -1 +1 @@\n-one\n+1\n"),
    MakeDirectory("/d/e", parents=True),
    Copy("/f", "/d/copy"),
    Move("/f", "/d/f"),
    MakeSymbolicLink("copy", "/d/link"),
    MakeLink("/new", "/hard"),
    SetMode("/d/f", 0o755),
    SetTime("/d/f", 1),
    Truncate("/d/copy", 2),
    Remove("/old", recursive=True),
]


@pytest.fixture
def ws() -> Iterator[Workspace]:
    with Workspace.memory() as workspace:
        workspace.write("/f", "one\ntwo\n")
        workspace.write("/old/x", "x\n")
        yield workspace


AFTER = {
    "new": Leaf(b"new\nmore\n"),
    "hard": Leaf(b"new\nmore\n"),
    "d/f": Leaf(b"1\n2\n", executable=True),
    "d/copy": Leaf(b"1\n"),
    "d/link": Leaf(b"copy", link=True),
}


def as_mapping(operation: Operation) -> dict[str, object]:
    given = {each.name: getattr(operation, each.name) for each in fields(operation)}
    return {"op": operation.op, **given}


def test_everything_can_be_done_at_once(ws: Workspace) -> None:
    ws.apply(EVERYTHING)
    assert read_tree(ws, "/") == AFTER


def test_mappings_do_the_same_as_objects(ws: Workspace) -> None:
    ws.apply([as_mapping(operation) for operation in EVERYTHING])
    assert read_tree(ws, "/") == AFTER


def test_it_is_one_revision_under_its_name(ws: Workspace) -> None:
    since = ws.files.revision()
    ws.apply(EVERYTHING)
    found = {(change.revision, change.operation) for change in ws.changes(since)}
    assert found == {(since + 1, "apply")}


def test_the_combined_patch_does_the_same(ws: Workspace) -> None:
    before = read_tree(ws, "/")
    patch = ws.apply(EVERYTHING).patch
    with Workspace.memory() as other:
        put_tree(other, "/", before)
        other.patch(patch)
        assert read_tree(other, "/") == AFTER


def test_each_operation_has_its_result(ws: Workspace) -> None:
    results = ws.apply(EVERYTHING).results
    assert isinstance(results[0], WriteResult)
    assert isinstance(results[2], EditResult)
    assert results[4] is None
    assert results[2].replacements == 1


def test_the_changes_are_net(ws: Workspace) -> None:
    found = ws.apply([Write("/t", "x"), Move("/t", "/u"), EditFile("/u", Edit("x", "y"))])
    assert [(change.action, change.path) for change in found.changes] == [("create", "/u")]


def test_a_dry_run_tells_everything_and_changes_nothing(ws: Workspace) -> None:
    before, revision = read_tree(ws, "/"), ws.files.revision()
    planned = ws.apply(EVERYTHING, dry_run=True)
    assert (read_tree(ws, "/"), ws.files.revision()) == (before, revision)
    done = ws.apply(EVERYTHING)
    assert (planned.changes, planned.patch) == (done.changes, done.patch)
    for one, other in zip(planned.results, done.results, strict=True):
        assert getattr(one, "patch", None) == getattr(other, "patch", None)


@pytest.mark.parametrize(
    ("failing", "error"),
    [
        (Write("/f", "", exist_ok=False), ExistsError),
        (Write("/f", "", expected_version=99), StaleError),
        (Remove("/none"), NotFoundError),
        (EditFile("/f", []), EditError),
        (Patch("--- a/f\n+++ b/f\n@@ -1 +1 @@\n-eins\n+1\n"), PatchContextError),
    ],
)
def test_a_failure_names_its_index_and_undoes_what_came_before(
    ws: Workspace, failing: Operation, error: type[VshellError]
) -> None:
    before = read_tree(ws, "/")
    with pytest.raises(error, match=rf"operations\[1\] \({failing.op}\)") as caught:
        ws.apply([Write("/new", "x"), failing, Write("/more", "x")])
    assert caught.value.data["index"] == 1
    assert read_tree(ws, "/") == before


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        (5, "of type int"),
        ({}, "no `op`"),
        ({"op": "delete", "path": "/f"}, "unknown `op` 'delete'"),
        ({"op": ["rm"]}, "unknown `op`"),
        ({"op": "write", "path": "/f"}, "no `data`"),
        ({"op": "write", "path": "/f", "data": 5}, "`data` is of type int"),
        ({"op": "write", "path": None, "data": ""}, "`path` is of type NoneType"),
        ({"op": "rm", "path": "/f", "recursive": "yes"}, "`recursive` is of type str"),
        ({"op": "chmod", "path": "/f", "mode": True}, "`mode` is of type bool"),
        ({"op": "rm", "path": "/f", "dry_run": True}, "does not take 'dry_run'"),
        ({"op": "rm", "path": "/f", 5: 6}, "does not take '5'"),
        (Write("/f", 5), "`data` is of type int"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_operation_is_refused_before_anything_is_done(
    ws: Workspace, wrong: object, what: str
) -> None:
    revision = ws.files.revision()
    with pytest.raises(EditError) as caught:
        ws.apply([Write("/new", "x"), wrong])  # type: ignore[list-item]
    assert what in str(caught.value)
    assert caught.value.data["index"] == 1
    assert caught.value.hint
    assert ws.files.revision() == revision


@pytest.mark.parametrize("wrong", [{"op": "rm", "path": "/f"}, "rm /f", None, 5])
def test_what_is_no_list_is_refused(ws: Workspace, wrong: Any) -> None:
    with pytest.raises(EditError, match="not a list"):
        ws.apply(wrong)


def test_an_empty_list_does_nothing(ws: Workspace) -> None:
    found = ws.apply([])
    assert (found.changes, found.results, found.patch) == ((), (), "")


@pytest.mark.parametrize("kind", KINDS)
def test_an_operation_takes_what_the_call_takes(kind: type[Operation]) -> None:
    taken = {
        parameter.name: parameter.default
        for parameter in operation(kind.op).parameters
        if parameter.name not in ("dry_run", "atomic")
    }
    defaults = kind.__init__.__defaults__ or ()
    names = [each.name for each in fields(kind)]
    assert names == list(taken)
    if defaults:
        assert list(defaults) == [taken[name] for name in names[-len(defaults) :]]


def test_inside_a_transaction_only_its_own_changes_are_told(ws: Workspace) -> None:
    with ws.transaction():
        ws.write("/before", "x")
        found = ws.apply([Write("/a", "a\n")])
        ws.write("/after", "x")
    assert [change.path for change in found.changes] == ["/a"]
    assert found.patch.count("diff --git") == 1


def test_a_dry_run_inside_a_transaction_undoes_itself_only(ws: Workspace) -> None:
    with ws.transaction():
        ws.write("/before", "x")
        ws.apply([Write("/a", "a\n")], dry_run=True)
    assert ws.exists("/before")
    assert not ws.exists("/a")


def test_a_session_that_must_read_first_knows_what_it_wrote_itself(ws: Workspace) -> None:
    session = ws.session("s", require_read=True)
    session.apply([Write("/own", "x"), EditFile("/own", Edit("x", "y"))])
    session.edit("/own", Edit("y", "z"))
    with pytest.raises(NotReadError) as caught:
        session.apply([EditFile("/f", Edit("two", "2"))])
    assert caught.value.data["index"] == 0


def test_after_a_dry_run_a_session_knows_what_is_there(ws: Workspace) -> None:
    session = ws.session("s", require_read=True)
    session.read("/f")
    session.apply([EditFile("/f", Edit("two", "2"))], dry_run=True)
    session.apply([EditFile("/f", Edit("two", "2"))])
    assert ws.read_text("/f") == "one\n2\n"


def test_the_result_turns_into_data(ws: Workspace) -> None:
    found = ws.apply(EVERYTHING).as_dict()
    assert found["results"][0]["created"] is True
    assert found["changes"][0]["action"] == "create"
    assert "_patch" not in found


def random_operation(chooser: random.Random) -> Mapping[str, object]:
    path, other = (chooser.choice(("/f", "/old", "/old/x", "/a", "/a/b")) for _ in range(2))
    return chooser.choice(
        (
            {"op": "write", "path": path, "data": f"{chooser.random()}\n"},
            {"op": "append", "path": path, "data": "x\n"},
            {"op": "edit", "path": path, "edits": {"old": "x", "new": "y"}},
            {"op": "mv", "src": path, "dst": other},
            {"op": "cp", "src": path, "dst": other, "recursive": True},
            {"op": "rm", "path": path, "recursive": True},
            {"op": "mkdir", "path": path, "exist_ok": True},
            {"op": "symlink", "target": other, "path": path},
            {"op": "chmod", "path": path, "mode": 0o755},
        )
    )


@settings(max_examples=60)
@given(st.integers(0, 1 << 32))
def test_the_whole_happens_as_one_by_one_or_not_at_all(seed: int) -> None:
    chooser = random.Random(seed)
    chosen = [random_operation(chooser) for _ in range(chooser.randrange(6))]
    with Workspace.memory() as ws, Workspace.memory() as other:
        for each in (ws, other):
            each.write("/f", "x\n")
            each.write("/old/x", "x\n")
        before = read_tree(ws, "/")
        try:
            for each_operation in chosen:
                other.apply([each_operation])
        except VshellError as error:
            with pytest.raises(type(error)):
                ws.apply(chosen)
            assert read_tree(ws, "/") == before
        else:
            planned = ws.apply(chosen, dry_run=True)
            done = ws.apply(chosen)
            assert read_tree(ws, "/") == read_tree(other, "/")
            assert (planned.patch, planned.changes) == (done.patch, done.changes)
        assert ws.check().ok
