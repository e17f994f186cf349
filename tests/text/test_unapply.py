"""Undoing plain diffs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vshell.errors import PatchContextError, PatchInvalidError
from vshell.text.unapply import undo_state_diff
from vshell.text.unified import state_diff

TEXTS = st.lists(st.sampled_from(["a", "b", "-x", "+y", " z", "@@ -1,1 +1,1 @@", "", "\r"])).map(
    "\n".join
)


@given(TEXTS, TEXTS, st.sampled_from(["/a", "b c", "x\ny", "--- /a"]))
def test_a_diff_undone_gives_the_text_before(old: str, new: str, path: str) -> None:
    assert undo_state_diff(path, state_diff(path, old, new), new) == old


@given(TEXTS, TEXTS, TEXTS)
def test_another_text_is_noticed_where_the_diff_touches_it(old: str, new: str, other: str) -> None:
    diff = state_diff("/a", old, new)
    try:
        undone = undo_state_diff("/a", diff, other)
    except PatchContextError:
        return
    assert undone == other if not diff else state_diff("/a", undone, other)


@pytest.mark.parametrize(
    "diff",
    [
        "nonsense",
        "--- /b\n+++ /b\n@@ -1,1 +1,1 @@\n-a\n+b",
        "--- /a\n+++ /a\n",
        "--- /a\n+++ /a\n@@ -1,1 +1,2 @@\n-a\n+b",
        "--- /a\n+++ /a\n@@ -1,1 +0,1 @@\n-a\n+b",
        "--- /a\n+++ /a\n@@ -1,1 +1,1 @@\n-a\n+b\nmore",
        "--- /a\n+++ /a\n@@ -1,1 +1,1 @@\n?a",
        "--- /a\n+++ /a\n@@ -1,1 +1,1 @@\n-a\n+b\n@@ -1,1 +1,1 @@\n-a\n+b",
    ],
)
def test_a_damaged_diff_is_refused(diff: str) -> None:
    with pytest.raises(PatchInvalidError):
        undo_state_diff("/a", diff, "b")
