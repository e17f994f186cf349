"""Applying patches to any number of files."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ops.patch_trees import (
    Leaf,
    Tree,
    changed_trees,
    git_apply,
    put_host_tree,
    put_tree,
    read_host_tree,
    read_tree,
)
from vshell.errors import (
    ExistsError,
    IsDirectoryError,
    NotDirectoryError,
    NotFoundError,
    NotReadError,
    PatchContextError,
    PatchInvalidError,
    QuotaExceededError,
    RangeError,
    StaleError,
    TooLargeError,
    VshellError,
)
from vshell.ops import patch_plan
from vshell.workspace import Workspace

needs_git = pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")

OLD = "one\ntwo\nthree\nfour\nfive\n"
NEW = "one\ntwo\n3\nfour\nfive\n"
CHANGE = "--- a/f\n+++ b/f\n@@ -2,3 +2,3 @@\n two\n-three\n+3\n four\n"
UNFIT = CHANGE.replace("/f", "/g").replace("three", "thirty")


@pytest.fixture
def ws() -> Iterator[Workspace]:
    with Workspace.memory() as workspace:
        workspace.write("/f", OLD)
        yield workspace


def rename(old: str, new: str) -> str:
    return f"diff --git a/{old} b/{new}\nrename from {old}\nrename to {new}\n"


def creation(path: str, text: str = "text", mode: str = "100644") -> str:
    return (
        f"diff --git a/{path} b/{path}\nnew file mode {mode}\n"
        f"--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+{text}\n"
    )


def deletion(path: str, text: str = "text") -> str:
    return (
        f"diff --git a/{path} b/{path}\ndeleted file mode 100644\n"
        f"--- a/{path}\n+++ /dev/null\n@@ -1 +0,0 @@\n-{text}\n"
    )


NO_NEWLINE = "\\ No newline at end of file\n"


@settings(max_examples=50)
@given(pair=changed_trees())
def test_the_patch_of_two_trees_makes_the_second_of_the_first(pair: tuple[Tree, Tree]) -> None:
    old, new = pair
    with Workspace.memory() as ws:
        put_tree(ws, "/old", old)
        put_tree(ws, "/new", new)
        ws.patch(ws.diff("/old", "/new").patch, path="/old")
        assert read_tree(ws, "/old") == new


@settings(max_examples=50)
@given(pair=changed_trees())
def test_the_reversed_patch_makes_the_first_tree_of_the_second(pair: tuple[Tree, Tree]) -> None:
    old, new = pair
    with Workspace.memory() as ws:
        put_tree(ws, "/old", old)
        put_tree(ws, "/new", new)
        ws.patch(ws.diff("/old", "/new").patch, path="/new", reverse=True)
        assert read_tree(ws, "/new") == old


@settings(max_examples=25)
@given(pair=changed_trees())
def test_a_dry_run_tells_the_patch_and_changes_nothing(pair: tuple[Tree, Tree]) -> None:
    old, new = pair
    with Workspace.memory() as ws, Workspace.memory() as other:
        put_tree(ws, "/old", old)
        put_tree(ws, "/new", new)
        patch = ws.diff("/old", "/new").patch
        put_tree(other, "/", old)
        revision = other.files.revision()
        planned = other.patch(patch, dry_run=True)
        assert (read_tree(other, "/"), other.files.revision()) == (old, revision)
        assert (planned.patch, other.patch(patch).files) == (patch, planned.files)


@needs_git
@settings(max_examples=40)
@given(pair=changed_trees(), other=changed_trees(), cut=st.integers(0, 3))
def test_what_git_applies_to_another_tree_comes_out_the_same(
    pair: tuple[Tree, Tree],
    other: tuple[Tree, Tree],
    cut: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Without fuzz, a patch that git takes is taken, with git's result."""
    directory = tmp_path_factory.getbasetemp() / "other"
    tree = {path: leaf for path, leaf in (other[0] | pair[0]).items() if not leaf.link}
    tree = {path: leaf for path, leaf in tree.items() if not _is_blocked(path, tree)}
    old = {path: leaf for path, leaf in pair[0].items() if not leaf.link}
    new = {path: leaf for path, leaf in pair[1].items() if not leaf.link}
    with Workspace.memory() as ws:
        put_tree(ws, "/old", old)
        put_tree(ws, "/new", new)
        patch = ws.diff("/old", "/new").patch
        put_tree(ws, "/tree", {path: _shifted(leaf, cut) for path, leaf in tree.items()})
        before = read_tree(ws, "/tree")
        put_host_tree(directory, before)
        try:
            git_apply(directory, patch)
        except AssertionError:
            return
        ws.patch(patch, path="/tree", fuzz=0)
        assert read_tree(ws, "/tree") == read_host_tree(directory)


def _is_blocked(path: str, tree: Tree) -> bool:
    return any(path.startswith(above + "/") for above in tree)


def _shifted(leaf: Leaf, lines: int) -> Leaf:
    return leaf._replace(data=b"shifted\n" * lines + leaf.data)


def test_a_file_that_moved_in_the_meantime_is_found_by_its_context(ws: Workspace) -> None:
    ws.write("/f", "zero\n" * 3 + OLD)
    [file] = ws.patch(CHANGE).files
    assert (file.hunks, file.offsets, file.fuzz) == (1, (3,), 0)


def test_context_may_differ_as_much_as_the_fuzz_allows(ws: Workspace) -> None:
    ws.write("/f", OLD.replace("two", "2"))
    assert ws.patch(CHANGE).files[0].fuzz == 1
    ws.write("/f", OLD.replace("two", "2"))
    with pytest.raises(PatchContextError):
        ws.patch(CHANGE, fuzz=0)


def test_a_patch_that_does_not_fit_changes_nothing(ws: Workspace) -> None:
    ws.write("/g", OLD)
    with pytest.raises(PatchContextError) as caught:
        ws.patch(CHANGE + UNFIT)
    assert caught.value.filename == "/g"
    assert ws.read_text("/f") == OLD


def test_the_error_lists_all_files_that_do_not_fit(ws: Workspace) -> None:
    ws.write("/g", OLD)
    with pytest.raises(PatchContextError) as caught:
        ws.patch(UNFIT + CHANGE + deletion("h"))
    assert [(file["path"], file["code"]) for file in caught.value.data["rejected"]] == [
        ("g", "patch_context"),
        ("h", "not_found"),
    ]


def test_unless_atomic_what_fits_is_done_and_the_rest_reported(ws: Workspace) -> None:
    ws.write("/g", OLD)
    found = ws.patch(UNFIT + CHANGE, atomic=False)
    assert [file.path for file in found.files] == ["/f"]
    assert [(file.path, file.code, file.line) for file in found.rejected] == [
        ("g", "patch_context", 1)
    ]
    assert (ws.read_text("/f"), ws.read_text("/g")) == (NEW, OLD)


def test_of_a_rejected_file_not_even_the_fitting_hunks_are_applied(ws: Workspace) -> None:
    hunks = "@@ -1 +1 @@\n-one\n+1\n@@ -4,2 +4,2 @@\n four\n-six\n+5\n"
    found = ws.patch(f"--- a/f\n+++ b/f\n{hunks}", atomic=False)
    assert len(found.rejected) == 1
    assert ws.read_text("/f") == OLD


def test_what_a_rejected_file_does_not_free_stays_taken(ws: Workspace) -> None:
    """The deletion fails, so the creation in its place must fail too."""
    found = ws.patch(creation("f/below") + deletion("f", "other"), atomic=False)
    assert len(found.rejected) == 2
    assert ws.read_text("/f") == OLD


def test_files_do_not_change_places_when_another_one_is_rejected(ws: Workspace) -> None:
    ws.write("/g", "g\n")
    swap = rename("f", "g") + rename("g", "f")
    found = ws.patch(UNFIT.replace("/g", "/none") + swap, atomic=False)
    assert [file.path for file in found.rejected] == ["none", "g", "f"]
    assert (ws.read_text("/f"), ws.read_text("/g")) == (OLD, "g\n")


def test_two_files_can_change_places(ws: Workspace) -> None:
    ws.write("/g", "g\n")
    ws.patch(rename("f", "g") + rename("g", "f"))
    assert (ws.read_text("/f"), ws.read_text("/g")) == ("g\n", OLD)


def test_a_chain_of_renames_starts_from_what_was_there(ws: Workspace) -> None:
    ws.write("/g", "g\n")
    ws.patch(rename("f", "g") + rename("g", "h"))
    assert read_tree(ws, "/") == {"g": Leaf(OLD.encode()), "h": Leaf(b"g\n")}


def test_a_rename_is_one_in_the_history_too(ws: Workspace) -> None:
    inode = ws.stat("/f").inode
    ws.patch(rename("f", "d/g") + CHANGE.replace("+++ b/f", "+++ b/d/g"))
    assert ws.stat("/d/g").inode == inode
    assert ws.read_text("/d/g") == NEW


def test_a_copy_leaves_its_source(ws: Workspace) -> None:
    patch = "diff --git a/f b/g\ncopy from f\ncopy to g\n" + CHANGE.replace("+++ b/f", "+++ b/g")
    [file] = ws.patch(patch).files
    assert (file.action, file.old_path, file.path) == ("copy", "/f", "/g")
    assert (ws.read_text("/f"), ws.read_text("/g")) == (OLD, NEW)


def test_a_mode_is_changed_for_those_who_can_read(ws: Workspace) -> None:
    ws.chmod("/f", 0o640)
    [file] = ws.patch("diff --git a/f b/f\nold mode 100644\nnew mode 100755\n").files
    assert (file.action, ws.stat("/f").mode) == ("mode", 0o750)


def test_a_link_is_made_changed_and_removed(ws: Workspace) -> None:
    made = creation("link", "f", "120000") + NO_NEWLINE
    ws.patch(made)
    assert ws.readlink("/link") == "f"
    ws.patch(f"--- a/link\n+++ b/link\n@@ -1 +1 @@\n-f\n{NO_NEWLINE}+g\n{NO_NEWLINE}")
    assert ws.readlink("/link") == "g"
    ws.patch(made.replace("+f", "+g"), reverse=True)
    assert not ws.exists("/f/link")
    assert read_tree(ws, "/") == {"f": Leaf(OLD.encode())}


def test_a_patch_of_text_goes_through_a_link(ws: Workspace) -> None:
    ws.symlink("f", "/link")
    [file] = ws.patch(CHANGE.replace("/f", "/link")).files
    assert (file.path, ws.readlink("/link"), ws.read_text("/f")) == ("/f", "f", NEW)


def test_a_file_is_deleted_with_the_directories_that_it_was_alone_in(ws: Workspace) -> None:
    ws.write("/d/e/x", "text\n")
    ws.write("/d/y", "")
    ws.patch(deletion("d/e/x"))
    assert [entry.path for entry in ws.ls("/d").entries] == ["/d/y"]


def test_the_directory_of_the_patch_itself_is_never_deleted(ws: Workspace) -> None:
    ws.write("/d/x", "text\n")
    ws.patch(deletion("x"), path="/d")
    assert ws.ls("/d").total == 0


def test_a_file_that_holds_something_else_is_not_deleted(ws: Workspace) -> None:
    ws.write("/x", "text\nmore\n")
    with pytest.raises(PatchContextError):
        ws.patch(deletion("x"))
    assert ws.exists("/x")


def test_a_file_is_not_deleted_by_a_patch_without_its_content(ws: Workspace) -> None:
    with pytest.raises(PatchContextError, match="holds more"):
        ws.patch("diff --git a/f b/f\ndeleted file mode 100644\n")


def test_a_link_is_not_deleted_in_a_files_place(ws: Workspace) -> None:
    ws.symlink("text", "/x")
    with pytest.raises(PatchContextError, match="symlink"):
        ws.patch(deletion("x"))


def test_a_file_that_exists_is_not_created(ws: Workspace) -> None:
    with pytest.raises(ExistsError):
        ws.patch(creation("f"))


@pytest.mark.parametrize(
    "patch", [CHANGE, creation("n"), deletion("x"), rename("y", "z"), CHANGE + creation("n")]
)
def test_a_patch_that_is_applied_already_is_told_from_one_that_does_not_fit(
    ws: Workspace, patch: str
) -> None:
    ws.write("/x", "text\n")
    ws.write("/y", "y\n")
    ws.patch(patch)
    with pytest.raises(PatchContextError, match="applied already") as caught:
        ws.patch(patch)
    assert caught.value.data["applied"] is True


def test_a_patch_that_was_never_applied_cannot_be_undone(ws: Workspace) -> None:
    with pytest.raises(PatchContextError, match="not applied"):
        ws.patch(CHANGE, reverse=True)


def test_a_file_said_to_be_empty_must_be(ws: Workspace) -> None:
    with pytest.raises(PatchContextError, match="not empty"):
        ws.patch("--- a/f\n+++ b/f\n@@ -0,0 +1 @@\n+zero\n")


def test_a_plain_diff_fills_a_file_that_is_missing(ws: Workspace) -> None:
    [file] = ws.patch("--- a/n\n+++ b/n\n@@ -0,0 +1 @@\n+text\n").files
    assert (file.action, ws.read_text("/n")) == ("create", "text\n")


def test_one_patch_may_come_back_to_a_file(ws: Workspace) -> None:
    ws.patch(CHANGE + CHANGE.replace("-three\n+3", "-3\n+III"))
    assert "III" in ws.read_text("/f")


@pytest.mark.parametrize("path", ["../f", "a/../../f", "/../f"])
def test_a_path_cannot_go_up(ws: Workspace, path: str) -> None:
    with pytest.raises(PatchInvalidError) as caught:
        ws.patch(CHANGE.replace("/f", f"/{path}"))
    assert caught.value.data["line"] == 1


def test_an_absolute_path_is_one_below_the_directory(ws: Workspace) -> None:
    ws.write("/d/f", OLD)
    ws.patch(CHANGE.replace("a/f", "/f").replace("b/f", "/f"), path="/d")
    assert (ws.read_text("/d/f"), ws.read_text("/f")) == (NEW, OLD)


def test_a_link_does_not_lead_out_of_the_directory(ws: Workspace) -> None:
    ws.mkdir("/d")
    ws.symlink("/", "/d/up")
    with pytest.raises(PatchInvalidError, match="leads out of /d"):
        ws.patch(CHANGE.replace("/f", "/up/f"), path="/d")


def test_a_link_that_the_patch_makes_is_no_way_out_either(ws: Workspace) -> None:
    ws.mkdir("/d")
    way_out = creation("up", "/", "120000") + NO_NEWLINE + creation("up/new")
    with pytest.raises(NotDirectoryError):
        ws.patch(way_out, path="/d")
    assert not ws.exists("/new")


def test_a_link_that_leads_nowhere_is_not_followed_into_being(ws: Workspace) -> None:
    ws.symlink("/nowhere", "/d/link")
    with pytest.raises(NotFoundError):
        ws.patch(creation("link/new"), path="/d")
    assert not ws.exists("/nowhere")


def test_the_directory_may_be_a_link(ws: Workspace) -> None:
    ws.write("/d/f", OLD)
    ws.symlink("d", "/link")
    ws.patch(CHANGE, path="/link")
    assert ws.read_text("/d/f") == NEW


def test_paths_are_from_the_root_whatever_the_working_directory(ws: Workspace) -> None:
    session = ws.session("s", cwd="/d")
    ws.write("/d/f", OLD)
    session.patch(session.diff_text("f", NEW).patch)
    assert ws.read_text("/d/f") == NEW


def test_a_patch_for_another_directory_gets_a_hint(ws: Workspace) -> None:
    ws.write("/d/g", OLD)
    session = ws.session("s", cwd="/d")
    with pytest.raises(NotFoundError) as caught:
        session.patch(CHANGE.replace("/f", "/g"))
    assert caught.value.hint is not None
    assert "path='/d'" in caught.value.hint


def test_components_are_taken_off_as_with_patch(ws: Workspace) -> None:
    ws.patch(CHANGE.replace("a/f", "x/y/f").replace("b/f", "x/y/f"), strip=2)
    assert ws.read_text("/f") == NEW


def test_a_directory_makes_way_when_the_patch_empties_it(ws: Workspace) -> None:
    ws.write("/d/e/x", "text\n")
    ws.patch(deletion("d/e/x") + creation("d"))
    assert ws.read_text("/d") == "text\n"


def test_a_directory_with_another_file_does_not_make_way(ws: Workspace) -> None:
    ws.write("/d/x", "text\n")
    ws.write("/d/y", "")
    with pytest.raises(IsDirectoryError):
        ws.patch(deletion("d/x") + creation("d"))


def test_a_link_makes_way_for_a_directory_of_its_name(ws: Workspace) -> None:
    ws.mkdir("/elsewhere")
    ws.symlink("elsewhere", "/d")
    removal = creation("d", "elsewhere", "120000") + NO_NEWLINE
    remove = (
        removal.replace("new file", "deleted file")
        .replace("--- /dev/null\n+++ b/d", "--- a/d\n+++ /dev/null")
        .replace("-0,0 +1", "-1 +0,0")
        .replace("+elsewhere", "-elsewhere")
    )
    ws.patch(remove + creation("d/x"))
    assert read_tree(ws, "/") == {"f": Leaf(OLD.encode()), "d/x": Leaf(b"text\n")}


@pytest.mark.parametrize("mode", ["160000", "040000", "060644"])
def test_only_files_and_links_can_be_made(ws: Workspace, mode: str) -> None:
    with pytest.raises(PatchInvalidError, match="mode"):
        ws.patch(creation("n", mode=mode))


@pytest.mark.parametrize("target", ["", "\0", "x" * 4097])
def test_a_link_without_a_possible_target_is_rejected(ws: Workspace, target: str) -> None:
    made = creation("link", target, "120000") + NO_NEWLINE
    found = ws.patch(made + CHANGE, atomic=False)
    assert [file.code for file in found.rejected] == ["patch_invalid"]
    assert ws.read_text("/f") == NEW


def test_a_file_cannot_become_a_link_in_one_step(ws: Workspace) -> None:
    with pytest.raises(PatchInvalidError, match="mode"):
        ws.patch("diff --git a/f b/f\nold mode 100644\nnew mode 120000\n")


def test_a_file_cannot_be_renamed_twice(ws: Workspace) -> None:
    with pytest.raises(PatchInvalidError, match="twice"):
        ws.patch(rename("f", "g") + rename("f", "h"))


def test_a_copy_cannot_be_reversed(ws: Workspace) -> None:
    with pytest.raises(PatchInvalidError, match="copy"):
        ws.patch("diff --git a/f b/g\ncopy from f\ncopy to g\n", reverse=True)


def test_an_empty_patch_changes_nothing(ws: Workspace) -> None:
    assert ws.patch("").files == ()


def test_text_that_is_no_patch_is_refused(ws: Workspace) -> None:
    with pytest.raises(PatchInvalidError):
        ws.patch("please change three to 3\n")


def test_text_that_stands_for_no_bytes_is_refused(ws: Workspace) -> None:
    with pytest.raises(PatchInvalidError, match="surrogate"):
        ws.patch(CHANGE + "\ud800")


@pytest.mark.parametrize("option", ["fuzz", "strip"])
def test_a_negative_number_is_refused(ws: Workspace, option: str) -> None:
    with pytest.raises(RangeError):
        ws.patch(CHANGE, **{option: -1})  # type: ignore[arg-type]


def test_a_patch_into_a_file_as_directory_is_refused(ws: Workspace) -> None:
    with pytest.raises(NotDirectoryError):
        ws.patch(creation("n"), path="/f")


def test_a_new_directory_is_made_for_a_patch(ws: Workspace) -> None:
    ws.patch(creation("n"), path="/new/place")
    assert ws.read_text("/new/place/n") == "text\n"


def test_a_file_too_large_for_memory_is_refused(ws: Workspace) -> None:
    ws.truncate("/f", 64 * 1024**2 + 1)
    with pytest.raises(TooLargeError):
        ws.patch(CHANGE)


def test_what_a_patch_makes_is_bounded_together(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patch_plan, "MAX_PLANNED_BYTES", 50)
    copies = [f"diff --git a/f b/{n}\ncopy from f\ncopy to {n}\n" for n in range(3)]
    with pytest.raises(TooLargeError):
        ws.patch("".join(copies))


@pytest.mark.parametrize("limit", ["MAX_FILE_LINES", "MAX_PATCH_LINES"])
def test_a_patch_that_would_take_long_is_refused(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(patch_plan, limit, 4)
    with pytest.raises(TooLargeError, match="5 lines"):
        ws.patch(CHANGE)


def test_a_large_file_is_renamed_without_being_read(ws: Workspace) -> None:
    ws.truncate("/f", 1 << 32)
    ws.patch(rename("f", "g"))
    assert ws.stat("/g").size == 1 << 32


def test_the_quota_holds(ws: Workspace) -> None:
    ws.set_quota(ws.usage().live_bytes)
    with pytest.raises(QuotaExceededError):
        ws.patch(creation("n") + rename("f", "g"))
    assert ws.exists("/f")


def test_a_session_that_must_read_first_must_read_first(ws: Workspace) -> None:
    session = ws.session("s", require_read=True)
    with pytest.raises(NotReadError):
        session.patch(CHANGE)
    session.read("/f")
    session.patch(CHANGE)
    session.patch(CHANGE, reverse=True)
    ws.append("/f", "six\n")
    with pytest.raises(StaleError):
        session.patch(CHANGE)


def test_the_patch_is_one_revision_under_its_name(ws: Workspace) -> None:
    since = ws.files.revision()
    ws.patch(CHANGE + creation("n"))
    found = ws.changes(since)
    assert {(change.revision, change.operation) for change in found} == {(since + 1, "patch")}


def test_the_result_can_be_undone_by_its_own_patch(ws: Workspace) -> None:
    done = ws.patch(CHANGE + creation("n") + rename("f", "g"))
    ws.patch(done.patch, reverse=True)
    assert read_tree(ws, "/") == {"f": Leaf(OLD.encode())}


def test_crlf_files_keep_their_endings(ws: Workspace) -> None:
    ws.write("/f", OLD.replace("\n", "\r\n"))
    [file] = ws.patch(CHANGE).files
    assert file.endings_adapted
    assert ws.read_bytes("/f") == NEW.replace("\n", "\r\n").encode()


def test_two_threads_patch_one_file_and_both_changes_are_kept(ws: Workspace) -> None:
    ws.write("/f", "".join(f"{number}\n" for number in range(40)))

    def work(own: range) -> None:
        for at in own:
            ws.patch(f"--- a/f\n+++ b/f\n@@ -{at + 1} +{at + 1} @@\n-{at}\n+{at}!\n")

    threads = [threading.Thread(target=work, args=(own,)) for own in (range(20), range(20, 40))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ws.read_text("/f") == "".join(f"{number}!\n" for number in range(40))


@settings(max_examples=100)
@given(
    st.lists(
        st.sampled_from(
            [
                *CHANGE.splitlines(keepends=True),
                *creation("d/n").splitlines(keepends=True),
                *deletion("x").splitlines(keepends=True),
                *rename("f", "d").splitlines(keepends=True),
                "--- a/..\n",
                "+++ b/f/..\n",
                "@@ -0,0 +0,0 @@\n",
                "@@\n",
                NO_NEWLINE,
                "new mode 120000\n",
                'rename to "\\000"\n',
            ]
        ),
        max_size=12,
    )
)
def test_a_damaged_patch_is_an_error_of_ours_and_changes_nothing(lines: list[str]) -> None:
    with Workspace.memory() as ws:
        ws.write("/f", OLD)
        ws.write("/x", "text\n")
        before = read_tree(ws, "/")
        try:
            ws.patch("".join(lines))
        except VshellError:
            assert read_tree(ws, "/") == before
        assert ws.check().ok


def test_the_result_turns_into_data(ws: Workspace) -> None:
    ws.write("/g", OLD)
    found = ws.patch(UNFIT + CHANGE, atomic=False).as_dict()
    assert found["files"][0]["action"] == "modify"
    assert found["rejected"][0]["data"]["hunk"] == 1
    assert "_patch" not in found


def test_paths_from_the_host_are_not_looked_at(ws: Workspace, tmp_path: Path) -> None:
    (tmp_path / "f").write_text(OLD)
    ws.write(f"{tmp_path}/f", OLD)
    ws.patch(CHANGE.replace("a/f", f"{tmp_path}/f").replace("b/f", f"{tmp_path}/f"))
    assert (tmp_path / "f").read_text() == OLD
    assert ws.read_text(f"{tmp_path}/f") == NEW
