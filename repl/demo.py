"""`vshell demo`: the main job on a real tree, each step with its command, result and time."""

from __future__ import annotations

import contextlib
import os
import shlex
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from .captured import Step, run_captured
from .demo_compare import Compared, compare_trees
from .demo_target import Target, find_target
from .grammar import UsageError
from .output import Output, counted, printable

_SHOWN_LINES: Final = 6
_SHOWN_COLUMNS: Final = 110
_NOTES: Final = "# Notes\n\nEvery change is a row of the journal.\n"


def run_demo(directory: str, keep: str | None, output: Output) -> int:
    """Run the demo on a real directory, which is only read; return the exit code.

    Args:
        directory: The tree to import.
        keep: Where to leave the database and the export; None removes them.
        output: Where to show the steps.

    Raises:
        UsageError: There is no such directory, or `keep` lies in it or is not empty.
    """
    tree = Path(directory)
    _check(tree, keep)
    steps: list[Step] = []
    with _place(keep) as place:
        for step in _steps(tree, place):
            steps.append(step)
            if not output.as_json:
                _show(step, output)
            if step.exit_code:
                break
    if output.as_json:
        output.json([step.as_dict() for step in steps])
    else:
        _summary(steps, keep, output)
    return 1 if any(step.exit_code for step in steps) else 0


def _check(tree: Path, keep: str | None) -> None:
    if not tree.is_dir():
        raise UsageError(f"no such directory: {tree}")
    if keep is None:
        return
    place = Path(keep)
    if place.resolve().is_relative_to(tree.resolve()):
        raise UsageError(
            f"{place} lies in {tree}, which the demo must not change",
            "name a directory outside of it",
        )
    if place.exists() and not (place.is_dir() and not any(place.iterdir())):
        raise UsageError(f"{place} is there already", "name a new directory, or an empty one")


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
    """Run the demo's commands one by one, as long as somebody asks for the next."""
    database, exported = str(place / "demo.db"), place / "export"

    def run(*words: str, stdin: str = "") -> Step:
        return run_captured(["-w", database, *words], _shown(words, stdin), stdin)

    imported = run("import", str(tree), "--ignore")
    yield imported
    yield run("usage")
    target = find_target(database)
    yield run("write", target.notes, _NOTES)
    yield run("ls", "/")
    yield run("glob", f"**/*{target.suffix}")
    yield run("grep", "--literal", target.word, "--max-matches", "200")
    yield run("read", target.path, "--max-lines", "5")
    yield run("edit", target.notes, "Every change", "Each change")
    yield run("cp", target.path, target.copy)
    yield run("append", target.copy, "one more line\n")
    yield run("diff", target.path, target.copy)
    changed = run("read-text", target.copy)
    difference = run("diff-text", target.path, stdin=changed.stdout)
    yield difference
    yield run("patch", stdin=difference.stdout)
    yield _expect_nothing(run("diff", target.path, target.copy))
    yield run("log", "-n", "4")
    yield run("check")
    yield run("export", str(exported))
    yield _comparison(tree, exported, place, target)
