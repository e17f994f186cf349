"""The same lines as ripgrep, on real source files.

Known and documented differences, kept out of the patterns here: `$` before a carriage
return (ripgrep needs `--crlf`), and syntax that only one of the engines has.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import vshell
from vshell import Workspace

PATTERNS = [
    r"def \w+\(self",
    r"^import",
    r"return$",
    r"\bself\b",
    r"\bTree\B",
    r"[A-Z]{3,}_[A-Z]+",
    r"(yield|return) from",
    r"#.*why",
    r"é|ü|\u00a0|µ",
    r"\W{5}",
    r"^\s*$",
    r"(?i)raise\s+\w*error",
    r"\d+\.\d+",
    r"[^\x00-\x7f]",
    r"no such text anywhere",
    r"x{2,}",
    r"\.{3}",
    r"\(\)",
    r"a.c",
    r"\S\s\S\s\S",
]


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("sources") / "tree"
    shutil.copytree(
        Path(vshell.__file__).parent, target, ignore=shutil.ignore_patterns("__pycache__")
    )
    return target


@pytest.fixture(scope="module")
def ws(sources: Path) -> Iterator[Workspace]:
    with Workspace.memory() as workspace:
        workspace.import_directory(str(sources))
        workspace.index()
        yield workspace


def ripgrep(sources: Path, *words: str) -> set[tuple[str, int, str]]:
    if shutil.which("rg") is None:
        pytest.skip("ripgrep is not installed")
    done = subprocess.run(
        ["rg", "--no-ignore", "--hidden", "--null", "--line-number", "--no-heading", *words, "."],
        cwd=sources,
        capture_output=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    found = set()
    for line in done.stdout.decode().splitlines():
        path, _, rest = line.partition("\0")
        number, _, text = rest.partition(":")
        found.add((path.removeprefix("."), int(number), text))
    return found


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_search_finds_the_lines_that_ripgrep_finds(
    ws: Workspace, sources: Path, pattern: str
) -> None:
    found = ws.grep(pattern, max_matches=1_000_000)
    lines = {(match.path, match.line, match.text) for match in found.matches}
    assert lines == ripgrep(sources, "-e", pattern)


@pytest.mark.parametrize("text", ["self.", "Error(", "µ", "()", "  ", "\\"])
def test_literal_text_is_found_as_ripgrep_finds_it(ws: Workspace, sources: Path, text: str) -> None:
    found = ws.grep(text, literal=True, max_matches=1_000_000)
    lines = {(match.path, match.line, match.text) for match in found.matches}
    assert lines == ripgrep(sources, "-F", "-e", text)


@pytest.mark.parametrize("text", ["tree", "ERROR", "selF"])
def test_letters_of_any_case_and_whole_words_are_found_as_ripgrep_finds_them(
    ws: Workspace, sources: Path, text: str
) -> None:
    found = ws.grep(text, ignore_case=True, word=True, max_matches=1_000_000)
    lines = {(match.path, match.line, match.text) for match in found.matches}
    assert lines == ripgrep(sources, "-i", "-w", "-e", text)
