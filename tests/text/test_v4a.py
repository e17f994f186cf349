"""V4A patches in the two dialects; `tests/compat` compares with the programs themselves."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vshell.errors import PatchContextError, PatchInvalidError, TooLargeError
from vshell.text.v4a import AddFile, DeleteFile, Dialect, UpdateFile, parse_v4a, updated


def patch(*lines: str) -> str:
    return "\n".join(["*** Begin Patch", *lines, "*** End Patch"])


def apply(content: str, *lines: str, dialect: Dialect = "codex") -> str:
    (change,) = parse_v4a(patch("*** Update File: f", *lines), dialect=dialect)
    assert isinstance(change, UpdateFile)
    return updated(content, change.chunks, path="/f", dialect=dialect)


def test_a_patch_names_files() -> None:
    found = parse_v4a(
        patch(
            "*** Add File: new",
            "+x",
            "*** Delete File: old",
            "*** Update File: a",
            "*** Move to: b",
            "@@",
            "-1",
            "+2",
        )
    )
    assert found[:2] == [AddFile("new", "x\n"), DeleteFile("old")]
    assert isinstance(found[2], UpdateFile)
    assert (found[2].path, found[2].move_to) == ("a", "b")


@pytest.mark.parametrize("word", ["<<EOF", "<<'EOF'", '<<"EOF"'])
def test_a_heredoc_around_a_patch_is_taken_off(word: str) -> None:
    wrapped = f"{word}\n{patch('*** Delete File: x')}\nEOF\n"
    assert parse_v4a(wrapped) == [DeleteFile("x")]


# What each dialect makes of the same patch.
CASES = {
    "no final newline": ("a\nb", ("@@", "-b", "+c"), "a\nc\n", "a\nc"),
    "only additions": ("a\nb\n", ("@@", "+c"), "a\nb\nc\n", "c\na\nb\n"),
    "typographic context": ("say “a”\n", ("@@", '-say "a"', "+b"), "b\n", None),
    "an anchor that is not there": ("a\n", ("@@ class X", "-a", "+b"), None, "b\n"),
    "stacked anchors": (
        "class A\n def f\n  x\nclass B\n def f\n  x\n",
        ("@@ class B", "@@  def f", "-  x", "+  y"),
        None,
        "class A\n def f\n  x\nclass B\n def f\n  y\n",
    ),
    "context with other white space": ("a  \n", ("@@", " a", "+b"), "a  \nb\n", "a  \nb\n"),
    "an anchor chooses": (
        "def f\n x\ndef g\n x\n",
        ("@@ def g", "- x", "+ y"),
        "def f\n x\ndef g\n y\n",
        "def f\n x\ndef g\n y\n",
    ),
    "the end of the file": (
        "x\ny\nx\n",
        ("@@", "-x", "+z", "*** End of File"),
        "x\ny\nz\n",
        "x\ny\nz\n",
    ),
    "windows line endings": ("a\r\nb\r\n", ("@@", "-a", "+c"), "c\r\nb\r\n", "c\r\nb\r\n"),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dialect", ["codex", "openai"])
def test_the_dialects_as_they_differ(name: str, dialect: Dialect) -> None:
    content, lines, codex, openai = CASES[name]
    expected = codex if dialect == "codex" else openai
    if expected is None:
        with pytest.raises((PatchContextError, PatchInvalidError)):
            apply(content, *lines, dialect=dialect)
    else:
        assert apply(content, *lines, dialect=dialect) == expected


def test_a_new_file_ends_with_a_newline_in_one_dialect_only() -> None:
    text = patch("*** Add File: f", "+hi")
    assert parse_v4a(text) == [AddFile("f", "hi\n")]
    assert parse_v4a(text, dialect="openai") == [AddFile("f", "hi")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The first line of the patch must be '*** Begin Patch'"),
        ("*** Begin Patch\n+x", "The last line of the patch must be '*** End Patch'"),
        (patch("junk"), "Invalid patch hunk on line 2: 'junk' is not a valid hunk header"),
        (patch("*** Update File: f"), "Update file hunk for path 'f' is empty"),
        (patch("*** Update File: f", "@@"), "Update hunk does not contain any lines"),
        (patch("*** Update File: f", "@@", "?"), "Unexpected line found in update hunk: '?'"),
    ],
)
def test_what_is_no_patch_is_told_with_the_line(text: str, message: str) -> None:
    with pytest.raises(PatchInvalidError) as caught:
        parse_v4a(text)
    assert message in str(caught.value)
    assert caught.value.data["line"] >= 1


def test_a_hostile_patch_ends_in_time() -> None:
    content = "a\n" * 50_000
    lines = ["@@", *[" a"] * 5_000, " b"]
    with pytest.raises(TooLargeError):
        apply(content, *lines)


@given(
    content=st.text(alphabet="ab \r\n—", max_size=30),
    lines=st.lists(st.text(alphabet="ab +-@*\r—", max_size=6), max_size=8),
    dialect=st.sampled_from(["codex", "openai"]),
)
def test_any_patch_is_applied_or_refused(content: str, lines: list[str], dialect: Dialect) -> None:
    with suppress(PatchInvalidError, PatchContextError):
        assert isinstance(apply(content, *lines, dialect=dialect), str)


@given(st.text(alphabet="ab\n", max_size=20), st.text(alphabet="ab\n", max_size=20))
def test_a_whole_file_can_be_replaced(old: str, new: str) -> None:
    before = [f"-{line}" for line in old.split("\n")[: -1 if old.endswith("\n") else None]]
    after = [f"+{line}" for line in new.split("\n")]
    if not old:
        before = []
    found = apply(old, "@@", *before, *after)
    assert found in (new + "\n", new)
