"""What is different on a terminal: colour, escapes and the progress bar."""

from __future__ import annotations

import os
import pty
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

import pytest

from vshell import Workspace
from vshell.repl import progress
from vshell.repl.cli import main

Shown = Callable[..., str]


@pytest.fixture
def terminal() -> Iterator[tuple[TextIO, Callable[[], str]]]:
    """A terminal to write to, and what it was sent."""
    reader, writer = pty.openpty()
    stream = os.fdopen(writer, "w")

    def sent() -> str:
        stream.close()
        data = b""
        while True:
            try:
                piece = os.read(reader, 65536)
            except OSError:  # Linux ends a terminal that nobody writes to with EIO
                break
            if not piece:
                break
            data += piece
        return data.decode().replace("\r\n", "\n")

    yield stream, sent
    if not stream.closed:
        stream.close()
    os.close(reader)


@pytest.fixture
def shown(
    terminal: tuple[TextIO, Callable[[], str]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Shown:
    """Runs a command line whose stdout or stderr is a terminal; returns what that shows."""
    stream, sent = terminal
    monkeypatch.setenv("TERM", "xterm")

    def run(*words: str, on: str = "stdout") -> str:
        monkeypatch.setattr(sys, on, stream)
        main(["-w", str(tmp_path / "w.db"), *words])
        return sent()

    return run


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.open(tmp_path / "w.db") as made:
        yield made


def test_directories_are_bold(shown: Shown, workspace: Workspace) -> None:
    workspace.mkdir("/d")
    assert shown("ls").endswith("\x1b[1md\x1b[0m\n")


def test_a_patch_is_coloured_and_otherwise_the_same(shown: Shown, workspace: Workspace) -> None:
    workspace.write("/a", "old\n")
    text = shown("diff-text", "/a", "new\n")
    assert "\x1b[31m-old\x1b[0m\n\x1b[32m+new\x1b[0m\n" in text


def test_a_dumb_terminal_gets_no_colour(
    shown: Shown, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.mkdir("/d")
    monkeypatch.setenv("TERM", "dumb")
    assert "\x1b" not in shown("ls")


def test_errors_are_coloured(shown: Shown, workspace: Workspace) -> None:
    assert shown("read", "/a", on="stderr").startswith("\x1b[31merror:\x1b[0m no such file")


def test_a_name_cannot_send_escapes(shown: Shown, workspace: Workspace) -> None:
    workspace.write("/a\x1b[2J\nb", "")
    assert shown("glob", "*") == "/a\\x1b[2J\\nb\n"


def test_json_is_indented_for_a_person(shown: Shown, workspace: Workspace) -> None:
    assert shown("exists", "/", "--json") == "true\n"


def test_the_progress_bar_is_shown_and_then_gone(
    shown: Shown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "_FIRST_S", 0)
    monkeypatch.setattr(progress, "_BETWEEN_S", 0)
    (tmp_path / "tree").mkdir()
    for number in range(3):
        (tmp_path / "tree" / str(number)).write_text("x")
    text = shown("import", str(tmp_path / "tree"), on="stderr")
    assert "\r\x1b[Kimport 2 entries, 2 B" in text
    assert text.endswith("\r\x1b[K3 files, 0 directories, 0 links, 3 B\n")


def test_the_bar_is_filled_where_the_whole_is_known(
    shown: Shown, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "_FIRST_S", 0)
    monkeypatch.setattr(progress, "_BETWEEN_S", 0)
    workspace.write("/a", "x")
    workspace.write("/b", "x")
    text = shown("export", str(tmp_path / "out"), on="stderr")
    assert "export [############............] 1 entry, 1 B" in text
    assert "export [########################] 2 entries, 2 B" in text


def test_what_is_quick_shows_no_bar(shown: Shown, tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    text = shown("import", str(tmp_path / "tree"), on="stderr")
    assert text == "0 files, 0 directories, 0 links, 0 B\n"
