"""Comparing files, trees and texts, judged by the tools that take patches."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings

from tests.ops.patch_trees import (
    Leaf,
    Tree,
    changed_trees,
    git_apply,
    gnu_patch,
    put_host_tree,
    put_tree,
    read_host_tree,
    texts,
)
from vshell.errors import (
    DecodeError,
    IsDirectoryError,
    NotDirectoryError,
    NotFoundError,
    TooLargeError,
)
from vshell.ops import lazy_patch
from vshell.workspace import Workspace

needs_git = pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")
needs_patch = pytest.mark.skipif(not shutil.which("patch"), reason="GNU patch is not installed")


@pytest.fixture
def ws() -> Iterator[Workspace]:
    with Workspace.memory() as workspace:
        yield workspace


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("host") / "tree"


def patch_of(old: Tree, new: Tree) -> str:
    with Workspace.memory() as ws:
        put_tree(ws, "/old", old)
        put_tree(ws, "/new", new)
        return ws.diff("/old", "/new").patch


def below(path: str, others: Tree) -> bool:
    return any(path.startswith(other + "/") for other in others)


@needs_git
@settings(max_examples=60)
@given(pair=changed_trees())
def test_git_makes_the_second_tree_of_the_first(pair: tuple[Tree, Tree], directory: Path) -> None:
    old, new = pair
    patch = patch_of(old, new)
    links = {path: leaf for path, leaf in old.items() if leaf.link}
    if patch and not any(below(path, links) for path in new):  # git looks where the link leads
        put_host_tree(directory, old)
        git_apply(directory, patch)
        assert read_host_tree(directory) == new


@needs_git
@settings(max_examples=30)
@given(pair=changed_trees())
def test_git_undoes_the_patch(pair: tuple[Tree, Tree], directory: Path) -> None:
    old, new = pair
    patch = patch_of(old, new)
    links = {path: leaf for path, leaf in new.items() if leaf.link}
    if patch and not any(below(path, links) for path in old):
        put_host_tree(directory, new)
        git_apply(directory, patch, "--reverse")
        assert read_host_tree(directory) == old


@needs_patch
@settings(max_examples=60)
@given(pair=changed_trees())
def test_gnu_patch_makes_the_second_tree_of_the_first(
    pair: tuple[Tree, Tree], directory: Path
) -> None:
    old, new = pair
    patch = patch_of(old, new)
    # GNU patch cannot put a file where a directory is, nor the other way round.
    if patch and not any(below(path, old) for path in new) | any(below(path, new) for path in old):
        put_host_tree(directory, old)
        gnu_patch(directory, patch)
        assert read_host_tree(directory) == new


@needs_patch
@settings(max_examples=40)
@given(old=texts, new=texts)
def test_both_tools_make_the_new_text_of_a_file(old: bytes, new: bytes, directory: Path) -> None:
    with Workspace.memory() as ws:
        ws.write("/x/f.txt", old)
        patch = ws.diff_text("/x/f.txt", new).patch
    for tool in (git_apply, gnu_patch):
        put_host_tree(directory, {"x/f.txt": Leaf(old)})
        if patch:
            tool(directory, patch)
        assert read_host_tree(directory) == {"x/f.txt": Leaf(new)}


@settings(max_examples=40)
@given(old=texts, new=texts)
def test_equal_texts_and_no_others_have_an_empty_patch(old: bytes, new: bytes) -> None:
    with Workspace.memory() as ws:
        ws.write("/f", old)
        assert (ws.diff_text("/f", new).patch == "") is (old == new)


def test_two_files_are_compared_under_the_name_of_the_first(ws: Workspace) -> None:
    ws.write("/a.txt", "one\ntwo\n")
    ws.write("/b.txt", "one\n2\n3\n")
    found = ws.diff("/a.txt", "/b.txt")
    assert found.patch == (
        "diff --git a/a.txt b/a.txt\n--- a/a.txt\n+++ b/a.txt\n"
        "@@ -1,2 +1,3 @@\n one\n-two\n+2\n+3\n"
    )
    assert (found.added, found.removed) == (2, 1)


def test_a_patch_of_two_files_makes_the_second_of_the_first(ws: Workspace) -> None:
    ws.write("/a.txt", "one\ntwo\n")
    ws.write("/b.txt", "one\n2\n3\n")
    ws.patch(ws.diff("/a.txt", "/b.txt").patch)
    assert ws.read_text("/a.txt") == "one\n2\n3\n"


def test_paths_are_relative_to_the_working_directory(ws: Workspace) -> None:
    ws.write("/d/a", "1\n")
    ws.write("/d/b", "2\n")
    session = ws.session("s", cwd="/d")
    assert session.diff("a", "b") == ws.diff("/d/a", "/d/b")


def test_a_file_that_is_the_same_elsewhere_is_renamed(ws: Workspace) -> None:
    put_tree(ws, "/old", {"a/x": Leaf(b"text\n"), "b": Leaf(b"text\n")})
    put_tree(ws, "/new", {"c/x": Leaf(b"text\n"), "d": Leaf(b"text\n")})
    found = [(file.action, file.old_path, file.path) for file in ws.diff("/old", "/new").files]
    assert found == [("rename", "/a/x", "/c/x"), ("rename", "/b", "/d")]


def test_empty_files_are_not_taken_for_one_another(ws: Workspace) -> None:
    put_tree(ws, "/old", {"a": Leaf(b"")})
    put_tree(ws, "/new", {"b": Leaf(b"")})
    assert [file.action for file in ws.diff("/old", "/new").files] == ["delete", "create"]


def test_each_kind_of_difference_has_its_name(ws: Workspace) -> None:
    old = {"edit": Leaf(b"1\n"), "go": Leaf(b"go\n"), "mode": Leaf(b""), "kind": Leaf(b"x")}
    new = {
        "edit": Leaf(b"2\n"),
        "come": Leaf(b"come\n"),
        "mode": Leaf(b"", executable=True),
        "kind": Leaf(b"x", link=True),
    }
    put_tree(ws, "/old", old)
    put_tree(ws, "/new", new)
    found = {file.path: file.action for file in ws.diff("/old", "/new").files}
    assert found == {
        "/come": "create",
        "/edit": "modify",
        "/go": "delete",
        "/kind": "type",
        "/mode": "mode",
    }


def test_links_in_trees_are_compared_by_their_targets(ws: Workspace) -> None:
    put_tree(ws, "/old", {"a": Leaf(b"1\n"), "link": Leaf(b"a", link=True)})
    put_tree(ws, "/new", {"a": Leaf(b"2\n"), "link": Leaf(b"a", link=True)})
    assert [file.path for file in ws.diff("/old", "/new").files] == ["/a"]


def test_a_link_that_is_named_is_followed(ws: Workspace) -> None:
    ws.write("/a", "1\n")
    ws.write("/b", "2\n")
    ws.symlink("a", "/link")
    assert "+2" in ws.diff("/link", "/b").patch


def test_a_link_that_leads_nowhere_is_compared_itself(ws: Workspace) -> None:
    ws.symlink("x", "/a")
    ws.symlink("y", "/b")
    assert "-x\n\\ No newline at end of file\n+y\n" in ws.diff("/a", "/b").patch


def test_directories_without_files_make_no_difference(ws: Workspace) -> None:
    ws.mkdir("/old/empty", parents=True)
    ws.mkdir("/new")
    assert ws.diff("/old", "/new").patch == ""


def test_a_missing_file_is_compared_with_nothing(ws: Workspace) -> None:
    found = ws.diff_text("/new.txt", "text\n")
    assert found.patch == (
        "diff --git a/new.txt b/new.txt\nnew file mode 100644\n"
        "--- /dev/null\n+++ b/new.txt\n@@ -0,0 +1 @@\n+text\n"
    )
    assert [file.action for file in found.files] == ["create"]


def test_a_binary_file_is_named_and_marked(ws: Workspace) -> None:
    ws.write("/a", b"\0one")
    found = ws.diff_text("/a", b"\0two")
    assert found.patch == "diff --git a/a b/a\nBinary files a/a and b/a differ\n"
    assert found.files[0].binary


def test_bytes_that_are_no_utf_8_survive(ws: Workspace) -> None:
    ws.write("/a", b"caf\xe9\n")
    ws.patch(ws.diff_text("/a", b"th\xe9\n").patch)
    assert ws.read_bytes("/a") == b"th\xe9\n"


def test_the_text_may_be_no_text_at_all(ws: Workspace) -> None:
    with pytest.raises(DecodeError, match="lone surrogate"):
        ws.diff_text("/a", "\ud800")


def test_a_file_over_the_limit_is_refused(ws: Workspace) -> None:
    ws.write("/a", "")
    ws.truncate("/a", 64 * 1024**2 + 1)
    with pytest.raises(TooLargeError) as caught:
        ws.diff_text("/a", "x")
    assert caught.value.filename == "/a"


def test_so_many_lines_that_comparing_them_takes_long_are_refused(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lazy_patch, "MAX_DIFF_LINES", 10)
    ws.write("/a", "x\n" * 6)
    with pytest.raises(TooLargeError, match="11 lines"):
        ws.diff_text("/a", "x\n" * 5)


def test_a_large_file_in_a_tree_is_named_and_marked(ws: Workspace) -> None:
    ws.write("/old/a", "")
    ws.write("/new/a", "")
    ws.truncate("/new/a", 1 << 30)
    [file] = ws.diff("/old", "/new").files
    assert file.too_large


def test_a_patch_that_would_fill_the_memory_is_refused(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lazy_patch, "MAX_PATCH_CHARACTERS", 200)
    put_tree(ws, "/old", {})
    put_tree(ws, "/new", {name: Leaf(b"text\n") for name in "abc"})
    with pytest.raises(TooLargeError, match="200 characters"):
        ws.diff("/old", "/new")


@pytest.mark.parametrize(
    ("a", "b", "error"),
    [
        ("/d", "/f", NotDirectoryError),
        ("/f", "/d", IsDirectoryError),
        ("/f", "/none", NotFoundError),
        ("/none", "/f", NotFoundError),
    ],
)
def test_what_cannot_be_compared_says_why(
    ws: Workspace, a: str, b: str, error: type[Exception]
) -> None:
    ws.mkdir("/d")
    ws.write("/f", "")
    with pytest.raises(error):
        ws.diff(a, b)


def test_a_directory_has_no_text(ws: Workspace) -> None:
    ws.mkdir("/d")
    with pytest.raises(IsDirectoryError):
        ws.diff_text("/d", "x")


@settings(max_examples=30)
@given(pair=changed_trees())
def test_the_counts_are_those_of_the_patch(pair: tuple[Tree, Tree]) -> None:
    with Workspace.memory() as ws:
        put_tree(ws, "/old", pair[0])
        put_tree(ws, "/new", pair[1])
        found = ws.diff("/old", "/new")
    body = found.patch.split("\n")
    headers = ("--- a/", "--- /dev/null", '--- "', "+++ b/", "+++ /dev/null", '+++ "')
    changed = [line for line in body if line[:1] in "+-" and not line.startswith(headers)]
    assert found.added == sum(file.added for file in found.files)
    assert (found.added, found.removed) == (
        sum(line.startswith("+") for line in changed),
        sum(line.startswith("-") for line in changed),
    )
