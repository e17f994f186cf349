from __future__ import annotations

import json
import os
import re
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vshell.errors import RangeError, TooLargeError
from vshell.text.unified import (
    FileDiff,
    Hunk,
    diff_hunks,
    format_hunk,
    quote_path,
    split_lines,
    state_diff,
    unified_diff,
)

CASES = Path(__file__).parents[2] / "fixtures" / "cases"
REGULAR, EXECUTABLE, SYMLINK = 0o100644, 0o100755, 0o120000
TOOLS = [
    pytest.param(["git", "apply", "--whitespace=nowarn"], id="git"),
    pytest.param(["patch", "-p1", "--silent", "--no-backup-if-mismatch"], id="patch"),
]


def diff(old: bytes | None, new: bytes | None, path: str = "/f", **options: Any) -> FileDiff:
    return unified_diff(old, new, old_path=path, new_path=path, **options)


# Acceptance by the tools that read patches


@dataclass(frozen=True)
class Version:
    path: str
    data: bytes
    mode: int = REGULAR


def put(root: bytes, version: Version) -> None:
    path = root + os.fsencode(version.path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if stat.S_ISLNK(version.mode):
        os.symlink(version.data, path)
        return
    Path(os.fsdecode(path)).write_bytes(version.data)
    os.chmod(path, version.mode & 0o777)


def found(root: bytes) -> set[Version]:
    """List what is there, with modes as git knows them."""
    versions = set()
    for directory, _, names in os.walk(root):
        for name in names:
            path = os.path.join(directory, name)
            shown = os.fsdecode(path[len(root) :])
            if os.path.islink(path):
                versions.add(Version(shown, os.readlink(path), SYMLINK))
                continue
            mode = EXECUTABLE if os.stat(path).st_mode & 0o100 else REGULAR
            versions.add(Version(shown, Path(os.fsdecode(path)).read_bytes(), mode))
    return versions


def after_applying(tool: list[str], before: Version | None, after: Version | None) -> set[Version]:
    """Make a patch from one version to the other, and let a tool apply it to the first."""
    one, other = before or after, after or before
    assert one
    assert other
    patch = unified_diff(
        before.data if before else None,
        after.data if after else None,
        old_path=one.path,
        new_path=other.path,
        old_mode=one.mode,
        new_mode=other.mode,
    )
    with TemporaryDirectory() as directory:
        root = os.fsencode(directory)
        if before:
            put(root, before)
        done = subprocess.run(
            tool,
            cwd=directory,
            input=patch.text.encode("utf-8", "surrogateescape"),
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, (done.stdout + done.stderr, patch.text)
        return found(root)


contents = st.lists(
    st.sampled_from([b"a\n", b"b\n", b"\n", b"c\r\n", b"\r\n", b"\xff\xfe\n", b"d\re\n", b"- x\n"]),
    max_size=12,
).map(b"".join)
ends = st.sampled_from([b"", b"", b"end", b"\r", b"\x80"])


@pytest.mark.parametrize("tool", TOOLS)
@given(contents, ends, contents, ends)
@example(b"", b"", b"a\n", b"")
@example(b"a\n", b"", b"", b"")
@example(b"a\n", b"", b"a", b"")
@settings(max_examples=40)
def test_a_tool_makes_the_new_content_of_the_old(
    tool: list[str], old: bytes, old_end: bytes, new: bytes, new_end: bytes
) -> None:
    before, after = Version("/d/f", old + old_end), Version("/d/f", new + new_end)
    if before != after:
        assert after_applying(tool, before, after) == {after}


CHANGES = {
    "creation": (None, Version("/d/f", b"a\n")),
    "creation of an empty file": (None, Version("/d/f", b"")),
    "creation of a program": (None, Version("/d/f", b"a\n", EXECUTABLE)),
    "creation of a link": (None, Version("/d/f", b"x/y", SYMLINK)),
    "deletion": (Version("/d/f", b"a\nb\n"), None),
    "deletion of an empty file": (Version("/d/f", b""), None),
    "deletion of a link": (Version("/d/f", b"x/y", SYMLINK), None),
    "mode": (Version("/d/f", b"a\n"), Version("/d/f", b"a\n", EXECUTABLE)),
    "mode and content": (Version("/d/f", b"a\n", EXECUTABLE), Version("/d/f", b"b\n")),
    "rename": (Version("/d/f", b"a\n"), Version("/e/g", b"a\n")),
    "rename of an empty file": (Version("/d/f", b""), Version("/e/g", b"")),
    "rename and content": (Version("/d/f", b"a\nb\nc\n"), Version("/e/g", b"a\nb\n")),
    "rename and mode": (Version("/d/f", b"a\n"), Version("/e/g", b"a\n", EXECUTABLE)),
    "link": (Version("/d/f", b"x/y", SYMLINK), Version("/d/f", b"x/z", SYMLINK)),
    "file to link": (Version("/d/f", b"a\nb\n"), Version("/d/f", b"x/y", SYMLINK)),
    "link to program": (Version("/d/f", b"x", SYMLINK), Version("/d/f", b"a\n", EXECUTABLE)),
}


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize(("before", "after"), CHANGES.values(), ids=list(CHANGES))
def test_a_tool_applies_every_kind_of_change(
    tool: list[str], before: Version | None, after: Version | None
) -> None:
    assert after_applying(tool, before, after) == ({after} if after else set())


NAMES = ["sp ace", "tab\there", 'q"uote', "back\\slash", "é", "\udcff\udcfe", "nl\nx", " lead"]
NAMES += ["trail ", "a b\tc", "\x7f\x01", "-dash", "a/a", "b/b", "dev/null", "ä \\ö\udc80 "]


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("change", ["content", "creation", "mode", "rename"])
def test_a_tool_finds_files_with_odd_names(tool: list[str], name: str, change: str) -> None:
    before: Version | None = Version(f"/d/{name}", b"a\nb\n")
    after = Version(f"/d/{name}", b"a\nc\n")
    match change:
        case "creation":
            before = None
        case "mode":
            after = Version(f"/d/{name}", b"a\nb\n", EXECUTABLE)
        case "rename":
            after = Version(f"/d/{name}.new", b"a\nc\n")
    assert after_applying(tool, before, after) == {after}


numbers = st.lists(st.integers(0, 40), max_size=30, unique=True)


@given(numbers, st.integers(0, 4))
@settings(max_examples=30)
def test_the_text_is_what_git_writes(kept: list[int], context: int) -> None:
    # Each side drops some lines and adds its own, so that there is one sensible diff only.
    old = b"".join(b"%d\n" % number for number in kept if number % 5 != 1)
    new = b"".join(b"%d\n" % (number if number % 7 else -number) for number in kept)
    with TemporaryDirectory() as directory:
        for side, data in (("a", old), ("b", new)):
            Path(directory, side).mkdir()
            Path(directory, side, "f").write_bytes(data)
        command = ["git", "diff", "--no-index", "--no-prefix", f"-U{context}", "a/f", "b/f"]
        by_git = subprocess.run(command, cwd=directory, capture_output=True, check=False).stdout
    expected = re.sub(r"^index .*\n", "", by_git.decode(), flags=re.MULTILINE)
    assert diff(old, new, context=context).text == expected


# The text itself


def test_a_modification_has_names_hunk_and_context() -> None:
    assert diff(b"1\n2\n3\n4\n5\n", b"1\n2\n3\n4\nfive\n", "/src/a.py") == FileDiff(
        "diff --git a/src/a.py b/src/a.py\n--- a/src/a.py\n+++ b/src/a.py\n"
        "@@ -2,4 +2,4 @@\n 2\n 3\n 4\n-5\n+five\n",
        added=1,
        removed=1,
    )


def test_a_creation_has_its_mode_and_no_old_name() -> None:
    assert diff(None, b"x\n", new_mode=0o755).text == (
        "diff --git a/f b/f\nnew file mode 100755\n--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+x\n"
    )


def test_a_deletion_has_its_mode_and_no_new_name() -> None:
    assert diff(b"x\n", None).text == (
        "diff --git a/f b/f\ndeleted file mode 100644\n--- a/f\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"
    )


def test_a_missing_final_newline_is_marked() -> None:
    assert diff(b"x", b"x\n").text.endswith("-x\n\\ No newline at end of file\n+x\n")


def test_a_rename_says_how_similar_the_files_are() -> None:
    result = unified_diff(b"ab\ncd\n", b"ab\nce\n", old_path="/x", new_path="/y")
    assert "\nsimilarity index 50%\nrename from x\nrename to y\n--- a/x\n" in result.text


def test_equal_files_have_an_empty_diff() -> None:
    assert diff(b"x\n", b"x\n") == FileDiff("", 0, 0)


def test_a_file_that_never_was_has_an_empty_diff() -> None:
    assert diff(None, None) == FileDiff("", 0, 0)


def test_modes_that_git_does_not_tell_apart_make_no_difference() -> None:
    assert diff(b"x\n", b"x\n", old_mode=0o600, new_mode=0o100664).text == ""


def test_binary_files_are_named_and_not_shown() -> None:
    result = diff(b"\0\n", b"\1\n")
    assert result == FileDiff(
        "diff --git a/f b/f\nBinary files a/f and b/f differ\n", 0, 0, binary=True
    )


def test_a_new_binary_file_is_named() -> None:
    assert "Binary files /dev/null and b/f differ\n" in diff(None, b"\0").text


def test_a_change_of_kind_counts_the_lines_of_both_halves() -> None:
    result = diff(b"a\nb\n", b"target", old_mode=REGULAR, new_mode=SYMLINK)
    assert (result.added, result.removed) == (1, 2)


def test_bytes_that_are_not_utf8_survive_in_the_text() -> None:
    text = diff(b"\xff\n", b"\xfe\n").text
    assert b"-\xff\n+\xfe\n" in text.encode("utf-8", "surrogateescape")


def test_a_negative_context_is_refused() -> None:
    with pytest.raises(RangeError, match="cannot be negative"):
        diff(b"a", b"b", context=-1)


def git_quoted(name: str) -> str:
    with TemporaryDirectory() as directory:
        Path(directory, name).touch()
        subprocess.run(["git", "init", "-q"], cwd=directory, check=True)
        command = ["git", "-c", "core.quotePath=false", "ls-files", "--others"]
        output = subprocess.run(command, cwd=directory, capture_output=True, check=True).stdout
    return output.decode()[:-1]


@pytest.mark.parametrize("name", ["plain", "a b", "é", *map(chr, [*range(1, 35), 92, 126, 127])])
def test_a_name_is_quoted_as_git_quotes_it(name: str) -> None:
    assert quote_path(f"x{name}y") == git_quoted(f"x{name}y")


def test_a_byte_that_is_not_utf8_is_quoted_in_octal() -> None:
    assert quote_path("x\udcffé") == '"x\\377é"'


# Lines and hunks


@given(st.binary(max_size=40))
def test_split_lines_loses_nothing_and_ends_lines_at_newlines_only(data: bytes) -> None:
    lines = split_lines(data)
    assert b"".join(lines) == data
    assert all(line.count(b"\n") == 1 and line.endswith(b"\n") for line in lines[:-1])


def test_changes_at_most_twice_the_context_apart_share_a_hunk() -> None:
    old = [str(number) for number in range(20)]
    new = [*old]
    new[2], new[9] = "x", "y"
    assert len(diff_hunks(old, new, context=3)) == 1


def test_changes_further_apart_have_their_own_hunks() -> None:
    old = [str(number) for number in range(20)]
    new = [*old]
    new[2], new[10] = "x", "y"
    assert [(hunk.old_start, hunk.old_count) for hunk in diff_hunks(old, new)] == [(1, 6), (8, 7)]


def test_an_empty_side_starts_at_the_line_before() -> None:
    (hunk,) = diff_hunks(["a", "b"], ["a", "x", "b"], context=0)
    assert hunk == Hunk(1, 0, 2, 1, (("+", "x"),))


def test_a_hunk_can_be_written_with_all_its_counts() -> None:
    hunk = Hunk(1, 1, 1, 1, (("-", b"a\n"), ("+", b"b")), section="def f():")
    assert format_hunk(hunk, always_counts=True) == (
        b"@@ -1,1 +1,1 @@ def f():\n-a\n+b\n\\ No newline at end of file\n"
    )


@given(
    st.lists(st.sampled_from("ab"), max_size=20),
    st.lists(st.sampled_from("ab"), max_size=20),
    st.integers(0, 3),
)
def test_hunks_hold_the_lines_that_their_numbers_name(
    old: list[str], new: list[str], context: int
) -> None:
    for hunk in diff_hunks(old, new, context=context):
        old_at = hunk.old_start - (hunk.old_count > 0)
        new_at = hunk.new_start - (hunk.new_count > 0)
        old_side = [line for tag, line in hunk.lines if tag != "+"]
        new_side = [line for tag, line in hunk.lines if tag != "-"]
        assert old[old_at : old_at + hunk.old_count] == old_side
        assert new[new_at : new_at + hunk.new_count] == new_side


# The dialect of the `state` API, held to recorded cases


def cases(name: str) -> Iterator[Any]:
    for case in json.loads((CASES / f"{name}.json").read_text("utf-8"))["cases"]:
        if not str(case.get("verdict", "")).startswith("bug"):
            yield pytest.param(case, id=case["id"])


@pytest.mark.parametrize("case", list(cases("shell_diff")))
def test_a_recorded_comparison_comes_out_the_same(case: dict[str, Any]) -> None:
    for step in case["steps"]:
        path, new = step["args"]
        old, expected = case["files"][path], step["expect"]
        if "error" in expected:
            with pytest.raises(TooLargeError) as caught:
                state_diff(path, old, new)
            assert os.strerror(caught.value.errno or 0) == "File too large"
        else:
            assert state_diff(path, old, new) == expected["value"]


def recorded_diffs() -> Iterator[Any]:
    """Find diffs among the results of other operations, with the texts that they compare."""
    for name in ("shell_json", "shell_search", "shell_edits"):
        for param in cases(name):
            case = param.values[0]
            files = case.get("files", {})
            results = [step["expect"].get("value") for step in case["steps"]]
            for result in filter(lambda value: isinstance(value, dict), results):
                parts = [result, *result.get("files", []), *result.get("edits", [])]
                for part in (part for part in parts if isinstance(part, dict) and "diff" in part):
                    path = part.get("path") or next(iter(files))
                    old = files.get(path, "")
                    if name == "shell_json":
                        old = json.dumps(json.loads(old), indent=2, ensure_ascii=False) + "\n"
                    yield pytest.param(path, old, part["content"], part["diff"], id=param.id)


@pytest.mark.parametrize(("path", "old", "new", "expected"), list(recorded_diffs()))
def test_a_recorded_result_holds_the_same_diff(
    path: str, old: str, new: str, expected: str
) -> None:
    assert state_diff(path, old, new) == expected


def test_equal_texts_have_an_empty_state_diff() -> None:
    assert state_diff("/f", "a\n", "a\n") == ""


def test_a_state_diff_can_be_freed_of_its_limit() -> None:
    text = "x\n" * 10_001
    assert state_diff("/f", text, f"{text}y", max_lines=None).endswith("\n-\n+y")


def test_a_text_at_the_limit_of_lines_is_compared() -> None:
    text = "x\n" * 9_999
    assert state_diff("/f", text, text + "y").startswith("--- /f\n+++ /f\n@@ -9997,4 +9997,4 @@\n")


def test_a_state_diff_of_many_edits_is_still_right() -> None:
    old = "\n".join(map(str, range(2000)))
    new = "\n".join(str(number) if number % 2 else f"x{number}" for number in range(2000))
    hunk = state_diff("/f", old, new).split("\n")[2:]
    assert hunk[0] == "@@ -1,2000 +1,2000 @@"
    assert "\n".join(line[1:] for line in hunk[1:] if line[0] != "+") == old
    assert "\n".join(line[1:] for line in hunk[1:] if line[0] != "-") == new
