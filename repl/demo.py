"""`vshell demo`: the main job on a real tree, each step with its command, result and time."""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vshell.record import Record
from vshell.workspace import Workspace

from .output import Output, readable_size

_SHOWN_LINES: Final = 6
_WORD: Final = "import"
_NOTE: Final = "/vshell-demo/NOTES.md"


@dataclass(frozen=True, slots=True)
class Step(Record):
    """One command of the demo.

    Attributes:
        command: What a person would type.
        exit_code: 0 when it did its job.
        seconds: How long it took, without starting a process.
        stdout: What it printed.
        stderr: What it said besides.
    """

    command: str
    exit_code: int
    seconds: float
    stdout: str
    stderr: str


def run_demo(directory: str, keep: str | None, output: Output) -> int:
    """Run the demo on a real directory, which is only read; return the exit code.

    Args:
        directory: The tree to import.
        keep: Where to leave the database and the export; None removes them.
        output: Where to show the steps.
    """
    with _place(keep) as place:
        steps = []
        for step in _steps(Path(directory), place):
            steps.append(step)
            if not output.as_json:
                _show(step, output)
            if step.exit_code:
                break
        failed = any(step.exit_code for step in steps)
        if output.as_json:
            output.json([step.as_dict() for step in steps])
        else:
            _summary(steps, place if keep else None, output)
    return 1 if failed else 0


@contextlib.contextmanager
def _place(keep: str | None) -> Iterator[Path]:
    if keep is not None:
        path = Path(keep)
        path.mkdir(parents=True, exist_ok=True)
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="vshell-demo-") as directory:
        yield Path(directory)


def _steps(tree: Path, place: Path) -> Iterator[Step]:
    database, exported = str(place / "demo.db"), str(place / "export")

    def run(*words: str, stdin: str = "") -> Step:
        return _run(["-w", database, *words], stdin)

    yield run("import", str(tree), "--ignore")
    yield run("usage")
    target = _text_file(database)
    yield run("ls", "/")
    yield run("glob", "**/*.py")
    yield run("grep", _WORD, "--max-matches", "200")
    yield run("read", target, "--max-lines", "5")
    yield run("write", _NOTE, "# Notes\n\nEvery change is a row.\n")
    yield run("edit", _NOTE, "Every change", "Each change")
    yield run("cp", target, "/vshell-demo/copy")
    yield run("append", "/vshell-demo/copy", "one more line\n")
    difference = run("diff", target, "/vshell-demo/copy")
    yield difference
    yield run("patch", stdin=_renamed(difference.stdout, "/vshell-demo/copy", target))
    yield run("diff", target, "/vshell-demo/copy")
    yield run("log", "-n", "4")
    yield run("check")
    yield run("export", "/", exported)


def _text_file(database: str) -> str:
    """Return a text file of the tree that is large enough to show something."""
    with Workspace.open(database) as workspace:
        entries = workspace.find("/", kind="file", min_size=200, max_size=20_000).entries
        for entry in entries:
            if b"\0" not in workspace.read_bytes(entry.path):
                return entry.path
    return _NOTE


def _renamed(patch: str, old: str, new: str) -> str:
    """Return a patch that does to one file what it was made for another."""
    kept = [line for line in patch.splitlines(keepends=True) if not _is_header(line)]
    return f"--- a{new}\n+++ b{new}\n" + "".join(kept).replace(old, new)


def _is_header(line: str) -> bool:
    headers = ("diff --git", "--- ", "+++ ", "rename ", "similarity ", "index ")
    return line.startswith(headers)


def _run(words: Sequence[str], stdin: str) -> Step:
    from .cli import main

    out, err = _Captured(), io.StringIO()
    before = sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(stdin.encode("utf-8", "surrogateescape")))
    start = time.perf_counter()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(["--no-color", *words])
    finally:
        seconds = time.perf_counter() - start
        sys.stdin = before
    command = " ".join(["vshell", *(shlex.quote(_shortened(word)) for word in words[2:])])
    out.flush()
    return Step(command, code, seconds, out.text(), err.getvalue())


class _Captured(io.TextIOWrapper):
    """A stdout that keeps what is written, bytes included."""

    def __init__(self) -> None:
        self._bytes = io.BytesIO()
        super().__init__(self._bytes, encoding="utf-8", errors="surrogateescape")

    def text(self) -> str:
        return self._bytes.getvalue().decode("utf-8", "replace")


def _shortened(word: str) -> str:
    return word if len(word) < 60 else os.path.join("...", os.path.basename(word))


def _show(step: Step, output: Output) -> None:
    mark = "✓" if not step.exit_code else f"exit {step.exit_code}"
    style = "green" if not step.exit_code else "red"
    prompt = output.style("$", "dim")
    milliseconds = output.style(f"{step.seconds * 1000:.1f} ms", "yellow")
    output.line(f"{prompt} {output.style(step.command, 'bold')}")
    lines = (step.stdout + step.stderr).splitlines()
    for line in lines[:_SHOWN_LINES]:
        output.line(f"  {line[:110]}")
    if len(lines) > _SHOWN_LINES:
        output.line(f"  ... {len(lines) - _SHOWN_LINES} more lines")
    output.line(f"  {output.style(mark, style)} {milliseconds}\n")


def _summary(steps: Sequence[Step], kept: Path | None, output: Output) -> None:
    total = sum(step.seconds for step in steps)
    failed = [step for step in steps if step.exit_code]
    if failed:
        output.line(f"failed: {failed[-1].command}")
        return
    size = sum(len(step.stdout) for step in steps)
    output.line(
        f"{len(steps)} commands in {total * 1000:.0f} ms, {readable_size(size)} of output;"
        " the tree was only read."
    )
    if kept is not None:
        output.line(f"kept in {kept}: demo.db and export/")
