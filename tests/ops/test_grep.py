from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import vshell
from vshell.errors import BadPatternError, NotFoundError, RangeError, TooLargeError
from vshell.limits import GREP_LINE_CHARACTERS, MAX_TEXT_BYTES
from vshell.ops import grep_search
from vshell.ops.grep import FileCount, GrepMatch, GrepResult
from vshell.text.matching import compile_matcher
from vshell.workspace import Workspace


@pytest.fixture
def ws() -> Iterator[Workspace]:
    with Workspace.memory() as workspace:
        yield workspace


@pytest.fixture
def project(ws: Workspace) -> Workspace:
    files: dict[str, str | bytes] = {
        "README.md": "# Title\nTODO one\n",
        "a.ts": "const a = 1; // TODO\n",
        "b.ts": "todo lower\nTODO x TODO y\n",
        ".env": "A=1\n",
        "src/c.ts": "l1\nl2\nTODO deep\nl4\nl5\n",
        "src/deep/d.tsx": "a.b\naxb\n",
        "src/[id].ts": "bracket\n",
        "empty": "",
        "bin": b"\0\1TODO\xff\n",
    }
    with ws.transaction():
        for path, text in files.items():
            ws.write(f"/{path}", text)
    return ws


def where(result: GrepResult) -> list[str]:
    return [f"{match.path}:{match.line}" for match in result.matches]


TODO = ["/README.md:2", "/a.ts:1", "/b.ts:2", "/src/c.ts:3"]


# --- against ripgrep --------------------------------------------------------------------

EXTRA: dict[str, bytes] = {
    "crlf.txt": b"one\r\ntwo words\r\n\r\nend\r\n",
    "unicode.txt": "Straße ÉCOLE école Été\nкошка Кошка\n日本語 x\n  \t\n".encode(),
    "no_newline": b"return last",
    "blank": b"\n\n\n",
    "words.txt": b"foo foobar foo_bar foo-bar\nbarfoo\nfoo\n_foo_\n",
}
RG_PATTERNS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("return", {}, []),
    ("return", {"word": True}, ["-w"]),
    ("foo", {"word": True}, ["-w"]),
    ("foo|foobar", {"word": True}, ["-w"]),
    ("TODO|def |class ", {}, []),
    (r"^\s*def \w+\(self", {}, []),
    (r"\bint\b.*\bstr\b", {}, []),
    (r"raise \w+Error\(", {}, []),
    (r"[A-Z][a-z]+Error", {}, []),
    (r"\d{3,}", {}, []),
    (r"^$", {}, []),
    (r"^\s+$", {}, []),
    (r"\s$", {}, []),
    (r"[^\s\w]$", {}, []),
    (r"^[^#]*#", {}, []),
    (r"(?i)error", {}, []),
    ("ERROR", {"ignore_case": True}, ["-i"]),
    ("école", {"ignore_case": True}, ["-i"]),
    ("КОШКА", {"ignore_case": True}, ["-i"]),
    (r"\bк\w+", {}, []),
    (r"\w{3}\s\w$", {}, []),
    (r"\W\W\W\W", {}, []),
    (r"s$", {}, []),
    (r"end|last", {}, []),
    (r"x*", {}, []),
    (r"a.c", {"literal": True}, ["-F"]),
    (r"->", {"literal": True}, ["-F"]),
    (r"[", {"literal": True}, ["-F"]),
    ("import", {"include": "*.py"}, ["-g", "*.py"]),
    ("import", {"exclude": "text"}, ["-g", "!text"]),
    ("import", {"include": ["*.py", "!l*"]}, ["-g", "*.py", "-g", "!l*"]),
    ("import", {"include": "ops/*.py"}, ["-g", "/ops/*.py"]),
    ("import", {"max_per_file": 2}, ["-m", "2"]),
    (r"\)\n\n", {"multiline": True}, ["-U"]),
    (r"import \w+\nfrom", {"multiline": True}, ["-U"]),
    (r"def \w+\([^)]*\n[^)]*\)", {"multiline": True}, ["-U"]),
]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real tree: this package's sources and a few files that are special."""
    top = tmp_path_factory.mktemp("tree")
    source = Path(vshell.__file__).parent
    for part in ("ops", "text"):
        shutil.copytree(source / part, top / part, ignore=shutil.ignore_patterns("__pycache__"))
    for name, data in EXTRA.items():
        (top / name).write_bytes(data)
    return top


@pytest.fixture(scope="module")
def copy(tree: Path) -> Iterator[Workspace]:
    with Workspace.memory() as workspace:
        with workspace.transaction():
            for path in tree.rglob("*"):
                if path.is_file():
                    workspace.write(f"/{path.relative_to(tree)}", path.read_bytes())
        yield workspace


@pytest.mark.parametrize(("pattern", "options", "arguments"), RG_PATTERNS)
def test_the_lines_are_those_that_ripgrep_finds(
    copy: Workspace, tree: Path, pattern: str, options: dict[str, Any], arguments: list[str]
) -> None:
    rg = shutil.which("rg")
    if rg is None:
        pytest.skip("rg (ripgrep) is not installed")
    fixed = ["--no-config", "--no-ignore", "--hidden", "--crlf", "--no-heading", "-nH", "-0"]
    done = subprocess.run(
        [rg, *fixed, *arguments, "-e", pattern, "."],
        cwd=tree,
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    expected = set()
    for line in done.stdout.split(b"\n"):
        name, found, rest = line.partition(b"\0")
        if found:
            expected.add((name.decode().removeprefix("."), int(rest.partition(b":")[0])))
    result = copy.grep(pattern, max_matches=1_000_000, **options)
    found_lines = {
        (match.path, match.line + more)
        for match in result.matches
        for more in range(match.text.count("\n") + 1)
    }
    assert found_lines == expected


# --- what is searched -------------------------------------------------------------------


def test_matches_are_in_the_order_of_path_and_line(project: Workspace) -> None:
    assert where(project.grep("TODO")) == TODO


def test_a_match_says_where_it_is_and_what_its_line_is(project: Workspace) -> None:
    match = project.grep("TODO", path="/a.ts").matches[0]
    assert match == GrepMatch("/a.ts", 1, 17, "const a = 1; // TODO", (), ())


def test_the_path_can_be_a_file_whatever_is_included(project: Workspace) -> None:
    assert where(project.grep("TODO", path="/b.ts", include="nope")) == ["/b.ts:2"]


def test_the_path_is_relative_to_the_working_directory(project: Workspace) -> None:
    session = project.session("s", cwd="/src")
    assert where(session.grep("TODO", path=".")) == ["/src/c.ts:3"]


def test_a_link_as_path_is_followed_and_stays_in_the_paths(project: Workspace) -> None:
    project.symlink("/src", "/link")
    assert where(project.grep("TODO", path="/link")) == ["/link/c.ts:3"]
    project.symlink("/src/c.ts", "/file")
    assert where(project.grep("TODO", path="/file")) == ["/file:3"]


def test_links_below_the_path_are_not_followed(project: Workspace) -> None:
    project.symlink("/src/c.ts", "/aaa")
    assert where(project.grep("TODO")) == TODO


def test_a_path_that_is_not_there_is_an_error(project: Workspace) -> None:
    with pytest.raises(NotFoundError):
        project.grep("TODO", path="/nowhere")


def test_binary_files_are_skipped_and_counted(project: Workspace) -> None:
    result = project.grep("TODO")
    assert (result.searched, result.skipped_binary) == (8, 1)


def test_binary_files_can_be_searched(project: Workspace) -> None:
    result = project.grep("TODO", binary=True)
    assert [match.text for match in result.matches if match.path == "/bin"] == ["\0\1TODO\udcff"]


def test_included_paths_start_at_the_path(project: Workspace) -> None:
    assert where(project.grep("TODO", path="/src", include="/*.ts")) == ["/src/c.ts:3"]
    assert where(project.grep("TODO", path="/src", include="src/*.ts")) == []


def test_what_gitignore_files_say_is_left_out(project: Workspace) -> None:
    project.write("/.gitignore", "*.md\n/src/*\n!/src/c.ts\n")
    project.write("/.git/config", "TODO\n")
    assert where(project.grep("TODO", ignore=True)) == ["/a.ts:1", "/b.ts:2", "/src/c.ts:3"]


def test_a_file_of_more_than_64_mib_is_skipped_and_counted(project: Workspace) -> None:
    project.write("/log", "TODO\n")
    project.truncate("/log", MAX_TEXT_BYTES + 1)
    result = project.grep("TODO")
    assert (where(result), result.skipped_large) == (TODO, 1)


def test_a_file_of_more_than_64_mib_as_path_is_an_error(project: Workspace) -> None:
    project.truncate("/a.ts", MAX_TEXT_BYTES + 1)
    with pytest.raises(TooLargeError, match=r"/a\.ts"):
        project.grep("TODO", path="/a.ts")


def test_content_in_chunks_is_searched(ws: Workspace) -> None:
    lines = [f"line {number}\n" for number in range(100_000)]
    ws.write("/large", "".join(lines))
    assert where(ws.grep("^line 98765$")) == ["/large:98766"]


def test_a_transaction_sees_what_it_has_written(ws: Workspace) -> None:
    with ws.transaction():
        ws.write("/a", "needle\n")
        assert where(ws.grep("needle")) == ["/a:1"]


@pytest.mark.parametrize("options", [{}, {"ignore": True}, {"mode": "files"}])
def test_the_number_of_statements_does_not_depend_on_the_number_of_files(
    ws: Workspace, options: dict[str, Any]
) -> None:
    def statements(files: int) -> int:
        with ws.transaction():
            for number in range(files):
                ws.write(f"/d{number % 7}/{number}", f"text {number}\n")
        ws.stat("/")
        ws.grep("what this search folds into the index, the next one has there")
        ws.grep("text", **options)  # and loads
        with ws.files.store.database.count_statements() as counter:
            assert ws.grep("text", **options).total >= files
        return len(counter)

    few = statements(500)
    assert statements(1000) == few
    assert few <= 14


# --- the pattern ------------------------------------------------------------------------


def test_literal_text_has_nothing_special(project: Workspace) -> None:
    assert where(project.grep("a.b", literal=True)) == ["/src/deep/d.tsx:1"]
    assert where(project.grep("a.b")) == ["/src/deep/d.tsx:1", "/src/deep/d.tsx:2"]


def test_case_can_be_ignored(project: Workspace) -> None:
    assert where(project.grep("todo", ignore_case=True)) == sorted([*TODO, "/b.ts:1"])


def test_an_empty_pattern_matches_every_line(project: Workspace) -> None:
    assert project.grep("").total == 14


def test_a_newline_in_a_pattern_matches_nothing_unless_lines_may_be_spanned(
    project: Workspace,
) -> None:
    assert where(project.grep("TODO deep\nl4")) == []
    assert where(project.grep("TODO deep\nl4", literal=True)) == []
    assert where(project.grep("deep\nl4", literal=True, multiline=True)) == ["/src/c.ts:3"]


def test_a_match_over_several_lines_has_all_of_them(project: Workspace) -> None:
    match = project.grep(r"2\nTODO.*\nl", multiline=True, before=1, after=1).matches[0]
    assert match == GrepMatch("/src/c.ts", 2, 2, "l2\nTODO deep\nl4", ("l1",), ("l5",))


def test_a_malformed_pattern_is_refused_before_anything_is_searched(project: Workspace) -> None:
    with pytest.raises(BadPatternError) as caught:
        project.grep("(", path="/nowhere")
    assert caught.value.data["position"] == 1


def test_a_malformed_glob_is_refused(project: Workspace) -> None:
    with pytest.raises(BadPatternError):
        project.grep("x", include="[z-a]")


# --- the result -------------------------------------------------------------------------


def test_lines_around_a_match_come_with_it(project: Workspace) -> None:
    match = project.grep("TODO", path="/src", before=5, after=1).matches[0]
    assert (match.before, match.after) == (("l1", "l2"), ("l4",))


def test_each_match_has_its_own_lines_around_it(ws: Workspace) -> None:
    ws.write("/f", "1\nx2\nx3\n4\n")
    found = ws.grep("x", before=1, after=1).matches
    assert [(match.before, match.after) for match in found] == [
        (("1",), ("x3",)),
        (("x2",), ("4",)),
    ]


def test_the_files_that_hold_matches_are_listed_in_every_mode(project: Workspace) -> None:
    files = ("/README.md", "/a.ts", "/b.ts", "/src/c.ts")
    for mode in ("lines", "files", "count"):
        assert project.grep("TODO", mode=mode).files == files


def test_only_the_files_can_be_asked_for(project: Workspace) -> None:
    result = project.grep("o", mode="files")
    assert (result.matches, result.total) == ((), len(result.files))


def test_the_matching_lines_of_each_file_can_be_counted(project: Workspace) -> None:
    result = project.grep("TODO|todo", mode="count")
    assert result.counts == (
        FileCount("/README.md", 1),
        FileCount("/a.ts", 1),
        FileCount("/b.ts", 2),
        FileCount("/src/c.ts", 1),
    )
    assert (result.total, result.matches) == (5, ())


def test_nothing_found_is_an_empty_result(project: Workspace) -> None:
    result = project.grep("zzz")
    assert (result.matches, result.files, result.total) == ((), (), 0)
    assert (result.truncated, result.truncated_by, result.next_offset) == (False, None, None)


def test_a_limit_cuts_the_matches_and_says_how_to_go_on(project: Workspace) -> None:
    first = project.grep("TODO", max_matches=2)
    assert (where(first), first.truncated, first.truncated_by) == (TODO[:2], True, "matches")
    assert (first.total, first.next_offset) == (2, 2)
    rest = project.grep("TODO", max_matches=2, offset=2)
    assert (where(rest), rest.truncated, rest.next_offset) == (TODO[2:], False, None)


def test_a_limit_that_is_just_reached_cuts_nothing(project: Workspace) -> None:
    assert not project.grep("TODO", max_matches=4).truncated


@pytest.mark.parametrize("mode", ["files", "count"])
def test_in_the_other_modes_the_limit_is_on_files(project: Workspace, mode: str) -> None:
    first = project.grep("TODO", max_matches=3, mode=mode)  # type: ignore[arg-type]
    rest = project.grep("TODO", offset=3, mode=mode)  # type: ignore[arg-type]
    assert (len(first.files), first.truncated_by, first.next_offset) == (3, "matches", 3)
    assert (rest.files, rest.truncated) == (("/src/c.ts",), False)


def test_a_limit_for_each_file_is_told(ws: Workspace) -> None:
    ws.write("/a", "x\nx\nx\n")
    ws.write("/b", "x\nx\n")
    result = ws.grep("x", max_per_file=2)
    assert where(result) == ["/a:1", "/a:2", "/b:1", "/b:2"]
    assert (result.truncated, result.truncated_by) == (True, "per_file")
    assert not ws.grep("x", max_per_file=3).truncated


def test_a_long_line_is_cut_around_the_match(ws: Workspace) -> None:
    ws.write("/f", "a" * 50_000 + "needle" + "b" * 50_000 + "\n")
    match = ws.grep("needle").matches[0]
    assert match.column == 50_001
    assert "needle" in match.text
    assert match.text.startswith("[49500 characters] aaa")
    assert len(match.text) < GREP_LINE_CHARACTERS + 60


def test_a_result_does_not_grow_without_bound(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grep_search, "MAX_CHARACTERS", 5000)
    ws.write("/f", ("x" * 99 + "\n") * 500)
    result = ws.grep("x", before=2, after=2)
    assert result.truncated_by == "characters"
    assert result.next_offset == len(result.matches)
    assert 5 < len(result.matches) < 15
    rest = ws.grep("x", offset=result.next_offset)
    assert rest.matches[0].line == len(result.matches) + 1


def test_a_search_that_takes_too_long_returns_what_it_found(ws: Workspace) -> None:
    ws.write("/a", "aw\n")
    ws.write("/b", "a" * 60 + "!\n")
    result = ws.grep(r"(?:a|a|aa)+(?:w|\d)$", timeout_s=0.1)
    assert where(result) == ["/a:1"]
    assert (result.truncated, result.truncated_by) == (True, "timeout")


def test_a_result_is_ready_for_json(project: Workspace) -> None:
    fields = project.grep("TODO", path="/a.ts").as_dict()
    assert fields["matches"][0]["text"] == "const a = 1; // TODO"
    assert fields["files"] == ["/a.ts"]


@pytest.mark.parametrize(
    "options",
    [
        {"before": -1},
        {"after": 1001},
        {"max_matches": 0},
        {"max_per_file": 0},
        {"offset": -1},
        {"mode": "words"},
        {"timeout_s": 0},
        {"timeout_s": float("nan")},
    ],
)
def test_an_option_that_makes_no_sense_is_refused(
    project: Workspace, options: dict[str, Any]
) -> None:
    with pytest.raises(RangeError):
        project.grep("x", **options)


# --- one engine and the other -----------------------------------------------------------

OPTIONS: list[dict[str, Any]] = [
    {},
    {"before": 1, "after": 2},
    {"max_per_file": 1},
    {"max_per_file": 2, "mode": "count"},
    {"mode": "files"},
    {"mode": "count"},
    {"mode": "count", "max_matches": 2, "offset": 1},
    {"max_matches": 3},
    {"max_matches": 2, "offset": 2, "after": 1},
    {"mode": "files", "max_matches": 1, "offset": 1},
    {"ignore_case": True, "word": True},
    {"include": "*.txt", "binary": True},
]


@pytest.mark.parametrize(
    "pattern",
    ["o+", r"\bfoo", "^", r"\w+$", "(?i)école|todo", "TODO", "[^o]$", r"\s", "l[0-9]|a.b"],
)
def test_both_engines_give_the_same_result(
    project: Workspace, pattern: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, data in EXTRA.items():
        project.write(f"/{name}", data)
    project.write("/long.txt", "foo " * 2000 + "\n" + "é" * 3000 + " foo\n")
    monkeypatch.setattr(grep_search, "_FIRST_JOIN_BYTES", 40)
    with_it = [project.grep(pattern, **options) for options in OPTIONS]
    compile_matcher.cache_clear()
    monkeypatch.setitem(sys.modules, "pcre2", None)
    without = [project.grep(pattern, **options) for options in OPTIONS]
    compile_matcher.cache_clear()
    for options, one, other in zip(OPTIONS, with_it, without, strict=True):
        assert (one.matches, one.files, one.counts) == (other.matches, other.files, other.counts)
        assert (one.total, one.truncated_by, one.next_offset) == (
            other.total,
            other.truncated_by,
            other.next_offset,
        ), options
    fast = "literal" if pattern == "TODO" else "pcre2" if pattern.isascii() else "regex"
    assert with_it[0].plan.engine == fast
    assert without[0].plan.engine == ("literal" if pattern == "TODO" else "regex")
