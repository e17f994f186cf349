from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from vshell.errors import BadPatternError, RangeError
from vshell.workspace import Workspace

FILES = [
    "README.md",
    "a.ts",
    "b.ts",
    ".env",
    "src/a.ts",
    "src/b.tsx",
    "src/lib/c.ts",
    "src/lib/deep/d.ts",
    "src/lib/.hidden/e.ts",
    "src-old/a.ts",
    "docs/a+b.md",
    "docs/(x).md",
    "docs/[y].md",
    "docs/{z}.md",
    "docs/sp ace.md",
    "docs/é.md",
    "1.txt",
    "12.txt",
]


@pytest.fixture
def ws() -> Iterator[Workspace]:
    with Workspace.memory() as workspace:
        with workspace.transaction():
            for path in FILES:
                workspace.write(f"/{path}", "text")
        yield workspace


PATTERNS = [
    *("*", "*.ts", "**/*.ts", "**/*", "?.txt", "[ab].ts", "[!a].ts", "[[:digit:]].txt", ".*"),
    *("**/.*", "src/*", "src/**/*.ts", "src/**/d.ts", "**/lib/*", "*/*/*", "*/a.ts", "{a,b}.ts"),
    *("src/{a.ts,lib/c.ts}", "{*.ts,*.txt}", "{1..12}.txt", "docs/\\[y\\].md", "docs/*[+(]*"),
    *("docs/?.md", "no/*", "a.ts", "./a.ts", "src/./a.ts", "*/", "src/*/"),
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_paths_are_those_that_bash_finds(pattern: str, ws: Workspace, tmp_path: Path) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is not installed")
    for path in FILES:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    word = pattern.replace("(", "\\(")
    script = f"shopt -s globstar dotglob nullglob; printf '%s\\n' {word}"
    done = subprocess.run(
        [bash, "-c", script],
        cwd=tmp_path,
        env={"LC_ALL": "C.UTF-8"},
        capture_output=True,
        check=True,
        timeout=30,
    )
    lines = [Path(line) for line in done.stdout.decode().splitlines() if line]
    existing = [line for line in lines if (tmp_path / line).exists()]
    expected = {
        str(Path("/") / (tmp_path / line).resolve().relative_to(tmp_path)) for line in existing
    }
    assert set(ws.glob(pattern).paths) == expected


def test_two_stars_at_the_end_find_everything_below_but_not_the_directory(ws: Workspace) -> None:
    assert ws.glob("src/lib/**").paths == (
        "/src/lib/.hidden",
        "/src/lib/.hidden/e.ts",
        "/src/lib/c.ts",
        "/src/lib/deep",
        "/src/lib/deep/d.ts",
    )


def test_the_paths_are_in_the_order_of_their_text(ws: Workspace) -> None:
    assert ws.glob("**/a.ts").paths == ("/a.ts", "/src-old/a.ts", "/src/a.ts")


@pytest.mark.parametrize("pattern", ["/", ".", "/.", "/src/.."])
def test_the_root_can_be_found(ws: Workspace, pattern: str) -> None:
    assert ws.glob(pattern).paths == ("/",)


def test_a_pattern_starts_at_the_path(ws: Workspace) -> None:
    assert ws.glob("*.ts", path="/src").paths == ("/src/a.ts",)


def test_the_path_is_relative_to_the_working_directory(ws: Workspace) -> None:
    session = ws.session("s", cwd="/src")
    assert session.glob("*.ts", path="lib").paths == ("/src/lib/c.ts",)


def test_an_absolute_pattern_starts_at_the_root_whatever_the_path(ws: Workspace) -> None:
    assert ws.glob("/*.txt", path="/nowhere").paths == ("/1.txt", "/12.txt")


@pytest.mark.parametrize("path", ["/nowhere", "/a.ts", "/a.ts/x"])
def test_nothing_is_found_where_there_is_no_directory(ws: Workspace, path: str) -> None:
    assert ws.glob("*.ts", path=path).paths == ()


@pytest.mark.parametrize("pattern", ["\ud800*", "x\0y", "n" * 300, "\ud800/x", "*\ud800"])
def test_text_that_no_path_has_finds_nothing(ws: Workspace, pattern: str) -> None:
    assert ws.glob(pattern).paths == ()


def test_names_that_are_no_utf_8_are_found(ws: Workspace) -> None:
    ws.write("/src/\udcff.bin", b"")
    assert ws.glob("src/?.bin").paths == ("/src/\udcff.bin",)


def test_special_characters_of_the_path_are_ordinary(ws: Workspace) -> None:
    ws.write("/[ab]/x", "")
    ws.write("/a/x", "")
    assert ws.glob("*", path="/[ab]").paths == ("/[ab]/x",)


def test_wildcards_can_be_kept_from_names_with_a_dot(ws: Workspace) -> None:
    assert ws.glob("**/*.ts", path="/src/lib", dotfiles=False).paths == (
        "/src/lib/c.ts",
        "/src/lib/deep/d.ts",
    )


def test_links_are_found_and_not_entered(ws: Workspace) -> None:
    ws.symlink("/src", "/link")
    assert ws.glob("l*").paths == ("/link",)
    assert ws.glob("**/c.ts").paths == ("/src/lib/c.ts",)


def test_links_before_the_first_wildcard_are_followed(ws: Workspace) -> None:
    ws.symlink("/src", "/link")
    assert ws.glob("link/*.ts").paths == ("/link/a.ts",)
    assert ws.glob("*.ts", path="/link").paths == ("/link/a.ts",)


def test_links_in_a_circle_lead_nowhere(ws: Workspace) -> None:
    ws.symlink("loop", "/loop")
    assert ws.glob("loop/*").paths == ()


def test_the_newest_come_first_and_equals_by_path(ws: Workspace) -> None:
    for path, time_ns in (("/a.ts", 5), ("/b.ts", 9), ("/src/a.ts", 5)):
        ws.utime(path, mtime_ns=time_ns)
    assert ws.glob("{,src/}[ab].ts", sort="newest").paths == ("/b.ts", "/a.ts", "/src/a.ts")


def test_pages_follow_each_other(ws: Workspace) -> None:
    whole = ws.glob("**")
    first = ws.glob("**", limit=3)
    assert (first.total, first.truncated, first.next_offset) == (whole.total, True, 3)
    rest = ws.glob("**", offset=3)
    assert first.paths + rest.paths == whole.paths
    assert (rest.truncated, rest.next_offset) == (False, None)


def test_an_offset_beyond_the_end_gives_nothing(ws: Workspace) -> None:
    result = ws.glob("*.ts", offset=99)
    assert (result.paths, result.total, result.truncated) == ((), 2, False)


@pytest.mark.parametrize("options", [{"limit": 0}, {"offset": -1}, {"sort": "size"}])
def test_an_option_that_makes_no_sense_is_refused(ws: Workspace, options: dict[str, int]) -> None:
    with pytest.raises(RangeError):
        ws.glob("*", **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("pattern", ["", "[z-a]", "**/../x"])
def test_a_malformed_pattern_is_refused(ws: Workspace, pattern: str) -> None:
    with pytest.raises(BadPatternError):
        ws.glob(pattern)


def test_thousands_of_alternatives_are_too_many_for_a_query_and_still_found(ws: Workspace) -> None:
    names = ",".join(f"n{number}.x" for number in range(1000))
    assert ws.glob(f"*{{{names},a.ts}}").paths == ("/a.ts",)


def test_what_gitignore_files_say_is_left_out(ws: Workspace) -> None:
    ws.write("/.gitignore", "*.tsx\n/docs/\n")
    ws.write("/src/lib/.gitignore", "deep\n!*.tsx\n")
    ws.write("/src/lib/x.tsx", "")
    assert ws.glob("**/*.{ts,tsx,md}", path="/", ignore=True).paths == (
        "/README.md",
        "/a.ts",
        "/b.ts",
        "/src-old/a.ts",
        "/src/a.ts",
        "/src/lib/.hidden/e.ts",
        "/src/lib/c.ts",
        "/src/lib/x.tsx",
    )


def test_git_directories_are_ignored_like_what_gitignore_files_say(ws: Workspace) -> None:
    ws.write("/src/.git/config", "")
    assert ws.glob("**/config", ignore=True).paths == ()
    assert ws.glob("src/.g*", ignore=True).paths == ()
    assert ws.glob("**/config").paths == ("/src/.git/config",)


def test_an_ignored_directory_that_is_asked_for_is_searched(ws: Workspace) -> None:
    ws.write("/.gitignore", "docs\n")
    ws.write("/docs/.gitignore", "é*\n")
    assert ws.glob("?.md", path="/docs", ignore=True).paths == ()
    assert "/docs/[y].md" in ws.glob("*.md", path="/docs", ignore=True).paths


def test_rules_above_the_path_count(ws: Workspace) -> None:
    ws.write("/.gitignore", "lib/c.ts\n/src/lib/c.ts\n")
    assert ws.glob("*.ts", path="/src/lib", ignore=True).paths == ()


@pytest.mark.parametrize(("sort", "count"), [("path", 1), ("newest", 1)])
def test_one_statement_is_enough(ws: Workspace, sort: str, count: int) -> None:
    ws.glob("**/*.ts")
    with ws.files.store.database.count_statements() as statements:
        ws.glob("src/**/*.ts", sort=sort)  # type: ignore[arg-type]
        ws.glob("src/**/*.ts", sort=sort)  # type: ignore[arg-type]
    assert len(statements) <= 2 * count + 1  # and one to look up src


def test_the_number_of_statements_does_not_depend_on_the_number_of_gitignore_files(
    ws: Workspace,
) -> None:
    def statements() -> int:
        with ws.files.store.database.count_statements() as counter:
            ws.glob("**", ignore=True)
        return len(counter)

    def write(first: int, last: int) -> None:
        for number in range(first, last):
            ws.write(f"/d{number}/.gitignore", f"x{number}\n")

    ws.write("/.gitignore", "x\n")
    write(0, 2)
    ws.glob("**", ignore=True)
    ws.glob("**", ignore=True)  # the paths are in memory from here on
    write(2, 4)
    before = statements()
    write(4, 30)
    assert statements() == before
