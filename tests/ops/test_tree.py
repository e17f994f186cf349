from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from vshell.errors import NotDirectoryError, NotFoundError, RangeError
from vshell.ops.tree import TreeNode
from vshell.workspace import Workspace


@pytest.fixture
def ws() -> Iterator[Workspace]:
    with Workspace.memory() as workspace:
        with workspace.transaction():
            for path, text in {
                "a.ts": "12345",
                "b.md": "",
                "s/c.ts": "123",
                "s/t/d.ts": "1",
            }.items():
                workspace.write(f"/p/{path}", text)
            workspace.mkdir("/p/empty")
            workspace.symlink("s", "/p/link")
        yield workspace


def outline(node: TreeNode) -> Any:
    """The names, nested: a directory that was not entered is None, anything else a string."""
    if node.kind != "directory":
        return node.name
    if node.children is None:
        return {node.name: None}
    return {node.name: [outline(child) for child in node.children]}


def test_a_directory_holds_what_is_below_it_by_name(ws: Workspace) -> None:
    assert outline(ws.tree("/p")) == {
        "p": ["a.ts", "b.md", {"empty": []}, "link", {"s": ["c.ts", {"t": ["d.ts"]}]}]
    }


def test_the_whole_workspace_is_shown_by_default(ws: Workspace) -> None:
    whole = ws.tree()
    assert (whole.path, whole.name, whole.kind) == ("/", "", "directory")
    assert whole.children is not None
    assert [child.path for child in whole.children] == ["/p"]


def test_a_node_says_where_it_is_and_what(ws: Workspace) -> None:
    children = ws.tree("/p").children
    assert children is not None
    assert children[0] == TreeNode("/p/a.ts", "a.ts", "file", 5, None, None, False)
    assert children[3] == TreeNode("/p/link", "link", "symlink", 1, "s", None, False)


@pytest.mark.parametrize(
    ("max_depth", "expected"),
    [
        (0, {"p": None}),
        (1, {"p": ["a.ts", "b.md", {"empty": None}, "link", {"s": None}]}),
        (2, {"p": ["a.ts", "b.md", {"empty": []}, "link", {"s": ["c.ts", {"t": None}]}]}),
    ],
)
def test_directories_below_the_last_level_are_not_entered(
    ws: Workspace, max_depth: int, expected: Any
) -> None:
    assert outline(ws.tree("/p", max_depth=max_depth)) == expected


def test_a_file_is_a_tree_of_one(ws: Workspace) -> None:
    assert ws.tree("/p/a.ts") == TreeNode("/p/a.ts", "a.ts", "file", 5, None, None, False)


def test_a_link_is_not_followed(ws: Workspace) -> None:
    assert ws.tree("/p/link").kind == "symlink"


def test_a_link_on_the_way_is_followed_and_stays_in_the_paths(ws: Workspace) -> None:
    node = ws.tree("/p/link/t")
    assert node.children is not None
    assert [node.path, node.children[0].path] == ["/p/link/t", "/p/link/t/d.ts"]


def test_the_upper_levels_go_first_when_there_is_a_limit(ws: Workspace) -> None:
    cut = ws.tree("/p", limit=7)
    assert outline(cut) == {"p": ["a.ts", "b.md", {"empty": []}, "link", {"s": ["c.ts"]}]}


def test_a_directory_of_which_something_is_missing_says_so(ws: Workspace) -> None:
    cut = ws.tree("/p", limit=7)
    assert cut.children is not None
    assert [child.path for child in cut.children if child.truncated] == ["/p/s"]
    assert not cut.truncated
    assert ws.tree("/p", limit=3).truncated
    assert not ws.tree("/p", limit=9).truncated


def test_a_limit_of_one_leaves_the_top(ws: Workspace) -> None:
    cut = ws.tree("/p", limit=1)
    assert (cut.children, cut.truncated) == ((), True)


def test_ignored_files_can_be_left_out(ws: Workspace) -> None:
    ws.write("/p/.gitignore", "t\n*.md\n")
    ws.write("/p/s/.git/HEAD", "")
    assert outline(ws.tree("/p", ignore=True)) == {
        "p": [".gitignore", "a.ts", {"empty": []}, "link", {"s": ["c.ts"]}]
    }


def test_a_tree_is_ready_for_json(ws: Workspace) -> None:
    fields = ws.tree("/p", max_depth=1).as_dict()
    assert json.loads(json.dumps(fields)) == fields
    assert [child["name"] for child in fields["children"]] == ["a.ts", "b.md", "empty", "link", "s"]
    assert fields["children"][4]["children"] is None
    assert list(fields) == [
        *("path", "name", "kind", "size", "target", "children", "truncated"),
    ]


def test_a_tree_of_a_thousand_levels_is_built_and_told(ws: Workspace) -> None:
    ws.mkdir("/deep" + "/d" * 999, parents=True)
    node = ws.tree("/deep")
    assert "deep" in repr(node)
    fields = node.as_dict()
    depth = 0
    while fields["children"]:
        fields = fields["children"][0]
        depth += 1
    assert depth == 999


def test_one_statement_is_enough_or_two_with_links(ws: Workspace) -> None:
    for path in ("/p", "/p/s"):
        ws.stat(path)
    with ws.files.store.database.count_statements() as without:
        ws.tree("/p/s")
    with ws.files.store.database.count_statements() as with_links:
        ws.tree("/p")
    assert (len(without), len(with_links)) == (1, 2)


def test_a_path_that_is_not_there_is_an_error(ws: Workspace) -> None:
    with pytest.raises(NotFoundError):
        ws.tree("/nowhere")
    with pytest.raises(NotDirectoryError):
        ws.tree("/p/a.ts/x")


@pytest.mark.parametrize("options", [{"limit": 0}, {"max_depth": -1}])
def test_an_option_that_makes_no_sense_is_refused(ws: Workspace, options: dict[str, int]) -> None:
    with pytest.raises(RangeError):
        ws.tree("/p", **options)  # type: ignore[arg-type]
