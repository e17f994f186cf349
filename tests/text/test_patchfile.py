from __future__ import annotations

import random
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vshell.errors import PatchInvalidError
from vshell.text.patchfile import FilePatch, parse_patch
from vshell.text.unified import Hunk, diff_hunks, split_lines, unified_diff

HUNK = "@@ -1 +1 @@\n-a\n+b\n"
PARSED = (Hunk(1, 1, 1, 1, (("-", b"a\n"), ("+", b"b\n"))),)


def parse_one(text: str | bytes, *, strip: int | None = None) -> FilePatch:
    (patch,) = parse_patch(text, strip=strip)
    return patch


def refusal(text: str | bytes) -> PatchInvalidError:
    with pytest.raises(PatchInvalidError) as caught:
        parse_patch(text)
    assert str(caught.value).startswith(f"line {caught.value.data['line']}: ")
    return caught.value


# What other programs write

contents = st.lists(st.sampled_from([b"a\n", b"b\n", b"\n", b"c\r\n", b"\xff\n", b"-- x\n"])).map(
    b"".join
)
names = st.text(st.characters(exclude_characters="\0/"), min_size=1, max_size=8).filter(
    lambda name: name not in (".", "..")
)


@given(contents, contents, st.sampled_from([b"", b"end"]), st.integers(0, 3))
def test_our_own_diff_is_read_back(old: bytes, new: bytes, end: bytes, context: int) -> None:
    new += end
    diff = unified_diff(old, new, old_path="/d/f", new_path="/d/f", context=context)
    hunks = diff_hunks(split_lines(old), split_lines(new), context=context)
    expected = [FilePatch("modify", "d/f", "d/f", None, None, tuple(hunks), 1)] if hunks else []
    assert parse_patch(diff.text) == expected


@given(names, names, st.booleans())
def test_the_names_of_our_own_diff_are_read_back(old: str, new: str, changed: bool) -> None:
    data = b"a\nb\nc\n" if changed else b"a\nb\n"
    diff = unified_diff(b"a\nb\n", data, old_path=f"/{old}", new_path=f"/d/{new}")
    patch = parse_one(diff.text)
    assert (patch.kind, patch.old_path, patch.new_path) == ("rename", old, f"d/{new}")


@given(names, st.sampled_from([(None, b""), (None, b"a\n"), (b"", None), (b"a\n", None)]))
def test_our_own_creations_and_deletions_are_read_back(
    name: str, sides: tuple[bytes | None, bytes | None]
) -> None:
    patch = parse_one(unified_diff(*sides, old_path=f"/{name}", new_path=f"/{name}").text)
    assert (patch.kind, patch.path) == ("create" if sides[0] is None else "delete", name)


def commit_all(repository: Path) -> None:
    for command in (["add", "-A"], ["commit", "-qm", "+ a\n\n- b\n--- c\n+++ d\nText."]):
        identity = ["-c", "user.name=n", "-c", "user.email=e", "-c", "commit.gpgSign=false"]
        subprocess.run(["git", *identity, *command], cwd=repository, check=True)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a repository whose last commit changes files in all ways."""
    root = tmp_path_factory.mktemp("repository")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    (root / "a").mkdir()
    (root / "a" / "changed").write_text("".join(f"{number}\n" for number in range(30)))
    (root / "a" / "sp ace").write_text("x\n")
    (root / "old").write_text("".join(f"line {number}\n" for number in range(9)))
    (root / "deleted").write_text("gone\n")
    (root / "empty").write_text("")
    (root / "pro gram").write_text("x\n")
    commit_all(root)
    text = (root / "a" / "changed").read_text()
    (root / "a" / "changed").write_text(text.replace("3\n", "three\n"))
    (root / "a" / "sp ace").write_text("y")
    (root / "old").rename(root / "new é")
    (root / "deleted").unlink()
    (root / "empty").unlink()
    (root / "created").write_text("fresh\n")
    (root / "void").write_text("")
    (root / "pro gram").chmod(0o755)
    (root / "link").symlink_to("a/changed")
    commit_all(root)
    return root


def by_git(repository: Path, *command: str) -> bytes:
    return subprocess.run(["git", *command], cwd=repository, capture_output=True, check=True).stdout


RENAMES = ["-M", "--no-rename-empty"]
SHOW = ["show", "HEAD", *RENAMES]
ADDED = {("create", "created"), ("create", "void"), ("create", "link")}
REMOVED = {("delete", "deleted"), ("delete", "empty")}
CHANGED = {("modify", "a/changed"), ("modify", "a/sp ace"), ("modify", "pro gram")}
EVERYTHING = ADDED | REMOVED | CHANGED | {("rename", "new é")}


@pytest.mark.parametrize(
    "command",
    [
        SHOW,
        [*SHOW, "--no-prefix"],
        ["-c", "diff.mnemonicPrefix=true", "diff", *RENAMES, "HEAD~"],
        ["-c", "core.quotePath=false", *SHOW, "--stat", "--patch"],
        ["format-patch", "--stdout", "-1", *RENAMES],
        ["log", "-p", "-1", *RENAMES],
    ],
    ids=" ".join,
)
def test_every_change_in_gits_output_is_found(repository: Path, command: list[str]) -> None:
    patches = parse_patch(by_git(repository, *command))
    assert {(patch.kind, patch.path) for patch in patches} == EVERYTHING


def test_nothing_in_gits_output_is_counted_again(repository: Path) -> None:
    patches = parse_patch(by_git(repository, "format-patch", "--stdout", "-1"))
    assert [patch.recounted for patch in patches] == [()] * len(patches)


def test_the_modes_in_gits_output_are_read(repository: Path) -> None:
    patches = {patch.path: patch for patch in parse_patch(by_git(repository, *SHOW))}
    assert (patches["pro gram"].old_mode, patches["pro gram"].new_mode) == (0o100644, 0o100755)
    assert patches["link"].new_mode == 0o120000


def test_several_commits_in_a_row_are_read(repository: Path) -> None:
    patches = parse_patch(
        by_git(repository, "format-patch", "--stdout", "--root", "HEAD", *RENAMES)
    )
    assert len(patches) == len(EVERYTHING) + 6


def test_a_copy_has_both_names(repository: Path) -> None:
    text = "diff --git a/x b/y\nsimilarity index 100%\ncopy from x\ncopy to y\n"
    patch = parse_one(text)
    assert (patch.kind, patch.old_path, patch.new_path) == ("copy", "x", "y")


def test_gnu_diff_of_directories_marks_missing_files_by_their_time(tmp_path: Path) -> None:
    for name, text in (("a/same", "x\n"), ("a/gone", "x\n"), ("b/same", "y\n"), ("b/fresh", "z\n")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    output = subprocess.run(
        ["diff", "-ruN", "a", "b"], cwd=tmp_path, capture_output=True, check=False
    ).stdout
    found = {(patch.kind, patch.path) for patch in parse_patch(output)}
    assert found == {("create", "fresh"), ("delete", "gone"), ("modify", "same")}


# Names


@pytest.mark.parametrize(
    ("header", "path"),
    [
        ("--- a/f\n+++ b/f\n", "f"),
        ("--- b/f\n+++ a/f\n", "f"),
        ("--- f\n+++ f\n", "f"),
        ("--- /d/f\n+++ /d/f\n", "/d/f"),
        ("--- a/f\n+++ a/f\n", "a/f"),
        ("--- a/f\n+++ f\n", "f"),
        ("--- f\n+++ b/f\n", "f"),
        ("--- w/f\n+++ i/f\n", "i/f"),
        ("--- f.orig\n+++ f\n", "f"),
        ("--- a/f\t2024-01-02 03:04:05.000000000 +0000\n+++ b/f\t2024-01-02 03:04:05\n", "f"),
        ("--- a/f 2024-01-02 03:04:05.000000000 +0000\n+++ b/f 2024-01-02 03:04:05\n", "f"),
        ("--- f\t(revision 1)\n+++ f\t(working copy)\n", "f"),
        ("--- a/a b\t\n+++ b/a b\t\n", "a b"),
        ('--- "a/\\303\\244\\t\\"\\\\"\n+++ "b/\\303\\244\\t\\"\\\\"\n', 'ä\t"\\'),
        ('--- "a/\\377"\n+++ "b/\\377"\n', "\udcff"),
        ("Index: f\n=====\n--- /dev/null\n+++ /dev/null\n", "f"),
        ("Index: f\n=====\n", "f"),
        ("diff --git a/f b/f\nindex 1..2 100644\n--- a/f\n+++ b/f\n", "f"),
        ("diff --git i/f w/f\n--- i/f\n+++ w/f\n", "f"),
        ("diff --git a/d/f a/d/f\n--- a/d/f\n+++ a/d/f\n", "a/d/f"),
        ("diff -u -r1 f\n--- f\n+++ f\n", "f"),
    ],
)
def test_the_name_is_found_in_the_header(header: str, path: str) -> None:
    patch = parse_one(header + HUNK)
    assert (patch.kind, patch.path, patch.hunks) == ("modify", path, PARSED)


@pytest.mark.parametrize(
    ("header", "kind", "path"),
    [
        ("--- /dev/null\n+++ b/d/f\n", "create", "d/f"),
        ("--- /dev/null\n+++ d/f\n", "create", "d/f"),
        ("--- /dev/null\n+++ c/f\n", "create", "c/f"),
        (
            "diff --git a/b/f b/b/f\nnew file mode 100644\n--- /dev/null\n+++ b/b/f\n",
            "create",
            "b/f",
        ),
        ("diff --git b/f b/f\nnew file mode 100644\n--- /dev/null\n+++ b/f\n", "create", "b/f"),
        ("--- f\t1970-01-01 00:00:00.000000000 +0000\n+++ f\t2024-01-02 03:04:05\n", "create", "f"),
        ("--- f\t1969-12-31 19:00:00.000000000 -0500\n+++ f\t2024-01-02 03:04:05\n", "create", "f"),
        ("--- f\t1970-01-01 01:00:00.000000000 +0100\n+++ f\t2024-01-02 03:04:05\n", "create", "f"),
        ("--- f\t1970-01-01 01:00:00.000000000 +0000\n+++ f\t2024-01-02 03:04:05\n", "modify", "f"),
    ],
)
def test_a_missing_old_file_is_recognized(header: str, kind: str, path: str) -> None:
    patch = parse_one(f"{header}@@ -0,0 +1 @@\n+b\n")
    assert (patch.kind, patch.path) == (kind, path)


def test_a_new_file_of_1970_is_a_deletion() -> None:
    header = "--- f\t2024-01-02 03:04:05\n+++ f\t1970-01-01 00:00:00.000000000 +0000\n"
    assert parse_one(f"{header}@@ -1 +0,0 @@\n-b\n").kind == "delete"


def test_a_modification_of_nothing_may_create_the_file() -> None:
    assert parse_one("--- a/f\n+++ b/f\n@@ -0,0 +1 @@\n+b\n").may_create


def test_a_modification_of_something_may_not_create_the_file() -> None:
    assert not parse_one("--- a/f\n+++ b/f\n" + HUNK).may_create


@pytest.mark.parametrize(
    ("strip", "path"), [(0, "x/y/f"), (1, "y/f"), (2, "f")], ids=["p0", "p1", "p2"]
)
def test_leading_directories_can_be_taken_off(strip: int, path: str) -> None:
    assert parse_one("--- x/y/f\n+++ x/y/f\n" + HUNK, strip=strip).path == path


def test_a_null_name_is_left_whole_when_directories_are_taken_off() -> None:
    text = "--- /dev/null\n+++ x/f\n@@ -0,0 +1 @@\n+b\n"
    assert parse_one(text, strip=1).kind == "create"


def test_a_rename_has_one_directory_less_to_take_off() -> None:
    text = "diff --git a/x/f b/x/g\nrename from x/f\nrename to x/g\n"
    assert parse_one(text, strip=2).path == "g"


def test_too_few_directories_to_take_off_are_an_error() -> None:
    with pytest.raises(PatchInvalidError, match="fewer than 2"):
        parse_patch("--- x/f\n+++ x/f\n" + HUNK, strip=2)


@pytest.mark.parametrize("name", ["../f", "a/../../f", "/", "d/..", "x\0y"])
def test_a_name_that_could_leave_its_place_is_refused(name: str) -> None:
    assert "no path that a patch may touch" in str(refusal(f"--- {name}\n+++ {name}\n{HUNK}"))


@pytest.mark.parametrize("name", ['"a/f', '"a/\\q"'])
def test_a_malformed_quoted_name_is_refused(name: str) -> None:
    refusal(f"--- {name}\n+++ {name}\n{HUNK}")


def test_names_in_the_text_around_are_no_patch() -> None:
    assert parse_one(f"--- x\n+++ y\nSome text.\n\n--- a/f\n+++ b/f\n{HUNK}").path == "f"


# Hunks


def test_text_around_the_patch_is_skipped() -> None:
    text = f"Here you are:\n\n```diff\n--- a/f\n+++ b/f\n{HUNK}```\n\n- done\n+ really\n"
    assert parse_one(text).hunks == PARSED


def test_the_section_of_a_hunk_is_kept() -> None:
    text = "--- a/f\n+++ b/f\n@@ -1 +1 @@ def f():\n-a\n+b\n"
    assert parse_one(text).hunks[0].section == "def f():"


def test_a_patch_in_crlf_is_read_without_the_crs() -> None:
    text = ("--- a/f\n+++ b/f\n" + HUNK).replace("\n", "\r\n")
    assert parse_one(text).hunks == PARSED


def test_crs_in_the_lines_of_an_lf_patch_are_content() -> None:
    text = "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\r\n+b\r\n"
    assert parse_one(text).hunks[0].lines == (("-", b"a\r\n"), ("+", b"b\r\n"))


def test_a_missing_newline_is_taken_from_the_line_above() -> None:
    text = "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n"
    assert parse_one(text).hunks[0].lines == (("-", b"a"), ("+", b"b\n"))


def test_the_patchs_own_last_line_needs_no_newline() -> None:
    assert parse_one(f"--- a/f\n+++ b/f\n{HUNK}".rstrip()).hunks == PARSED


def test_an_empty_line_is_context_that_lost_its_space() -> None:
    text = "--- a/f\n+++ b/f\n@@ -1,3 +1,3 @@\n\n-a\n+b\n\tc\n"
    assert parse_one(text).hunks[0].lines == (
        (" ", b"\n"),
        ("-", b"a\n"),
        ("+", b"b\n"),
        (" ", b"\tc\n"),
    )


def test_lines_that_look_like_headers_are_content_within_the_counts() -> None:
    text = "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n--- a/x\n+++ b/x\n @@ -1 +1 @@\n"
    assert parse_one(text).hunks[0].lines == (
        ("-", b"-- a/x\n"),
        ("+", b"++ b/x\n"),
        (" ", b"@@ -1 +1 @@\n"),
    )


def test_blank_lines_between_hunks_are_skipped() -> None:
    text = f"--- a/f\n+++ b/f\n{HUNK}\n\n@@ -9 +9 @@\n-c\n+d\n"
    assert len(parse_one(text).hunks) == 2


def test_each_file_says_where_in_the_patch_it_begins() -> None:
    text = f"--- a/f\n+++ b/f\n{HUNK}--- a/g\n+++ b/g\n{HUNK}"
    assert [(patch.path, patch.line) for patch in parse_patch(text)] == [("f", 1), ("g", 6)]


# Headers that do not agree with what follows


@pytest.mark.parametrize(
    "header",
    [
        "@@ -1,9 +1,9 @@",
        "@@ -1 +1 @@",
        "@@ -1,2 +1,9 @@",
        "@@",
        "@@ @@",
        "@@ ... @@",
        "@@ def f():",
        "@@ -1,3 +1,3",
    ],
)
@pytest.mark.parametrize(
    "after", ["", "```\n", "--- a/g\n+++ b/g\n" + HUNK, "diff --git a/g b/g\n", HUNK, "\n\n"]
)
def test_a_body_is_counted_again_where_its_end_is_clear(header: str, after: str) -> None:
    patch = parse_patch(f"--- a/f\n+++ b/f\n{header}\n x\n-a\n+b\n y\n{after}")[0]
    assert patch.hunks[0].lines == ((" ", b"x\n"), ("-", b"a\n"), ("+", b"b\n"), (" ", b"y\n"))
    assert (patch.hunks[0].old_count, patch.hunks[0].new_count) == (3, 3)
    assert patch.recounted == (1,)


def test_a_recounted_hunk_keeps_the_line_of_its_header() -> None:
    assert parse_one("--- a/f\n+++ b/f\n@@ -7,9 +8,9 @@\n-a\n+b\n").hunks[0].old_start == 7


def test_a_hunk_without_numbers_has_no_known_place() -> None:
    assert parse_one("--- a/f\n+++ b/f\n@@\n-a\n+b\n").hunks[0].old_start == 0


def test_a_new_file_needs_no_numbers() -> None:
    patch = parse_one("--- /dev/null\n+++ b/f\n@@\n+a\n+b\n")
    assert patch.hunks == (Hunk(0, 0, 0, 2, (("+", b"a\n"), ("+", b"b\n"))),)


def test_the_signature_of_a_mail_is_not_part_of_a_recounted_hunk() -> None:
    text = "--- a/f\n+++ b/f\n@@ -1,9 +1,9 @@\n-a\n+b\n-- \n2.39.5\n\n"
    assert parse_one(text).hunks == PARSED


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("--- a/f\n+++ b/f\n@@ -1,9 +1,9 @@\n x\noops\n-a\n", 5, "'oops' is no line of a hunk"),
        ("--- a/f\n+++ b/f\n@@\n x\n-a\nand so on\n", 6, "is no line of a hunk"),
        ("--- a/f\n+++ b/f\n@@ -1,9 +1,9 @@\n x\n", 3, "changes nothing"),
        ("--- a/f\n+++ b/f\n@@\n", 3, "changes nothing"),
        ("--- a/f\n+++ b/f\n@@\n+x\n", 3, "nothing says where"),
        ("--- a/f\n+++ b/f\n@@ -5,2 +5,3 @@\n+x\n", 3, "nothing says where"),
        ("--- a/f\n+++ b/f\n x\n-a\n", 3, "not followed by a hunk"),
        ("--- a/f\n+++ b/f\n", 1, "holds no patch"),
        ("diff --git a/f b/f\n--- a/f\n+++ b/f\n x\n", 4, "not followed by a hunk"),
        (HUNK, 1, "without a file name"),
        ("--- a/f\n+++ b/f\n@@@ -1 -1 +1 @@@\n--a\n++b\n", 3, "combined diffs"),
        ("--- /dev/null\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n", 1, "lines of an old one"),
        ("--- a/f\n+++ /dev/null\n@@ -1 +1 @@\n-a\n+b\n", 1, "leaves lines in it"),
        ("diff --git a/f b/g\nrename from f\n", 1, "needs both its names"),
        ("diff --git a/f b/f\nold mode 99\n", 2, "no file mode"),
        ("--- a/f\n+++ b/f\n@@ -1 +1 @@\n\\ No newline\n-a\n+b\n", 4, "follows no line"),
        ("--- a/f\n+++ b/f\n@@ -1,2 +1 @@\n-a\n\\ No newline\n-c\n+b\n", 3, "follows the end"),
        ("just text\n", 1, "holds no patch"),
        ("*** Begin Patch\n*** End Patch\n", 1, "holds no patch"),
        ("*** a\n--- b\n***************\n*** 1 ****\n", 1, "holds no patch"),
    ],
)
def test_a_damaged_patch_is_refused_with_its_line(text: str, line: int, message: str) -> None:
    error = refusal(text)
    assert message in str(error)
    assert error.data["line"] == line


@pytest.mark.parametrize(
    "text",
    [
        "diff --git a/f b/f\nindex 1..2 100644\nBinary files a/f and b/f differ\n",
        "diff --git a/f b/f\nindex 1..2 100644\nGIT binary patch\nliteral 1\nIcmZPo000310RR91\n",
        "Binary files f and g differ\n",
    ],
)
def test_a_binary_patch_is_refused_as_such(text: str) -> None:
    assert "binary patches cannot be applied" in str(refusal(text))


def test_the_apply_patch_format_is_named_in_the_hint() -> None:
    assert "apply_patch" in str(refusal("*** Begin Patch\n*** End Patch\n").hint)


@pytest.mark.parametrize("text", ["", "\n \n", b"\r\n"])
def test_blank_text_is_an_empty_patch(text: str | bytes) -> None:
    assert parse_patch(text) == []


# Hostile input

SAMPLE = (
    "diff --git a/f b/f\nold mode 100644\nnew mode 100755\n--- a/f\n+++ b/f\n"
    "@@ -1,3 +1,3 @@ x\n a\n-b\n+c\n d\n\\ No newline at end of file\n"
    'Index: "g"\n--- "a/g"\t2024-01-01\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n```\n'
    "rename from x\nrename to y\nGIT binary patch\n@@\n-- \n2.39\n"
)


@given(st.integers(0, 2**32))
@settings(max_examples=300)
def test_a_mangled_patch_is_read_or_refused(seed: int) -> None:
    chance = random.Random(seed)
    lines = split_lines(SAMPLE.encode())
    for _ in range(chance.randrange(1, 8)):
        at = chance.randrange(len(lines))
        match chance.randrange(4):
            case 0:
                del lines[at : at + chance.randrange(4)]
            case 1:
                lines.insert(at, chance.choice(lines) if lines else b"")
            case 2:
                cut = chance.randrange(len(lines[at]) + 1)
                lines[at] = lines[at][:cut] + bytes([chance.randrange(256)]) + lines[at][cut:]
            case _:
                lines[at] = lines[at][: chance.randrange(len(lines[at]) + 1)]
        if not lines:
            break
    with suppress(PatchInvalidError):
        for hunk in (hunk for patch in parse_patch(b"".join(lines)) for hunk in patch.hunks):
            assert hunk.old_count == sum(tag != "+" for tag, _ in hunk.lines)
            assert hunk.new_count == sum(tag != "-" for tag, _ in hunk.lines)


@pytest.mark.parametrize(
    "data",
    [
        b"Binary files " + b" and " * 30_000 + b"\n",
        b'--- "a' + b"\\" * 100_001 + b"\n+++ b\n",
        b"--- " + b" 2024-01-01 00:00:00" * 5_000 + b"\n+++ x\n",
        b"--- a/f\n+++ b/f\n@@\n" + b"--- a\n" * 10_000,
        b"--- a/f\n+++ b/f\n@@ -" + b"9" * 50_000 + b" +1 @@\n-a\n",
        b"\n" * 50_000 + b"x",
    ],
    ids=["and", "backslashes", "dates", "names", "digits", "blank"],
)
def test_hostile_lines_are_read_in_linear_time(data: bytes) -> None:
    # A quadratic reader takes minutes here; the suite's own time limit is the measure.
    try:
        patches = parse_patch(data)
    except PatchInvalidError:
        patches = []
    assert len(patches) <= 1
