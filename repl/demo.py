"""`vshell demo`: the main job on a real tree, each step with its command, result and time."""

from __future__ import annotations

import contextlib
import json
import shlex
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from .captured import Step, run_captured
from .demo_compare import compare_trees
from .demo_target import Target, find_target
from .grammar import UsageError
from .output import Output, counted, printable

_SHOWN_LINES: Final = 10
_SHOWN_COLUMNS: Final = 110
_NOTES: Final = "# Notes\n\nEvery change is a row of the journal.\n"
_LINE: Final = "one more line\n"


def run_demo(directory: str, keep: str | None, output: Output) -> int:
    """Run the demo on a real directory, which is only read; return the exit code.

    Args:
        directory: The tree to import.
        keep: Where to leave the database and the export; None removes them.
        output: Where to show the steps.

    Raises:
        UsageError: There is no such directory, or the database and the export would be in
            it, or there is something where they would be.
    """
    tree = Path(directory)
    if not tree.is_dir():
        raise UsageError(f"no such directory: {tree}")
    steps: list[Step] = []
    with _place(tree, keep) as place:
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


@contextlib.contextmanager
def _place(tree: Path, keep: str | None) -> Iterator[Path]:
    """Yield a directory for the database and the export."""
    place = Path(tempfile.gettempdir() if keep is None else keep)
    if place.resolve().is_relative_to(tree.resolve()):
        raise UsageError(
            f"the demo must not change {tree}, and would work in {place}",
            "--keep names a directory outside of it, or TMPDIR one for the time being",
        )
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="vshell-demo-") as directory:
            yield Path(directory)
        return
    place.mkdir(parents=True, exist_ok=True)
    if any(place.iterdir()):
        raise UsageError(f"{place} is not empty", "name a new directory")
    yield place


def _steps(tree: Path, place: Path) -> Iterator[Step]:
    """Run the demo's commands one by one, as long as somebody asks for the next."""
    database, exported = str(place / "demo.db"), place / "export"

    def run(*words: str, after: Step | None = None) -> Step:
        command = f"vshell {' '.join(map(_quoted, words))}"
        if after is None:
            return run_captured(["-w", database, *words], command)
        command = f"{after.command} | {command}"
        return run_captured(["-w", database, *words], command, after.stdout)

    imported = run("import", str(tree), "--ignore", "--json")
    yield imported
    target = find_target(database)
    yield run("usage")
    yield run("write", target.notes, _NOTES)
    yield run("ls", "/")
    yield run("glob", target.pattern)
    yield run("grep", "--literal", "--max-matches", "200", "--", target.word)
    yield run("read", target.path, "--max-lines", "5")
    yield run("edit", target.notes, "Every change", "Each change")
    yield run("cp", target.path, target.copy)
    yield run("append", target.copy, _LINE)
    yield run("diff", target.path, target.copy)
    difference = run("diff-text", target.path, after=run("read-text", target.copy))
    yield difference
    yield run("patch", after=difference)
    yield _silent(run("diff", target.path, target.copy))
    yield run("log", "-n", "4")
    yield run("check")
    yield run("export", str(exported))
    yield _compared(tree, exported, json.loads(imported.stdout), target)


def _quoted(word: str) -> str:
    """Return a word as bash takes it, on one line."""
    if "\n" not in word:
        return shlex.quote(word)
    escaped = word.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"$'{escaped}'"


def _silent(step: Step) -> Step:
    """Return the step, failed if it printed anything."""
    if not step.stdout:
        return step
    return Step(step.command, 1, step.seconds, step.stdout, "this should print nothing\n")


def _compared(tree: Path, exported: Path, imported: dict[str, int], target: Target) -> Step:
    """Compare the export with the tree; every entry must be accounted for."""
    start = time.perf_counter()
    added, changed = target.directory[1:], target.path[1:]
    found = compare_trees(tree, exported, added=added, changed=changed)
    left_out = imported["ignored"] + imported["skipped_total"]
    differences = list(found.differences)
    if found.missing != left_out:
        differences.append(f"{found.missing} are missing, and {left_out} were left out on purpose")
    entries = counted(found.same, "entry", "entries")
    said = (
        f"{entries} as in {tree}; {imported['ignored']} ignored,"
        f" {imported['skipped_total']} that cannot be copied\n"
    )
    return Step(
        f"compare {shlex.quote(str(tree))} with the export",
        1 if differences else 0,
        time.perf_counter() - start,
        said,
        "".join(f"{difference}\n" for difference in differences),
    )


def _show(step: Step, output: Output) -> None:
    mark = "✓" if not step.exit_code else f"exit {step.exit_code}"
    style = "green" if not step.exit_code else "red"
    seconds = output.style(f"{step.seconds * 1000:.1f} ms", "yellow")
    output.line(f"{output.style('$', 'dim')} {output.style(printable(step.command), 'bold')}")
    lines = (step.stdout + step.stderr).splitlines()
    for line in lines[:_SHOWN_LINES]:
        output.line(f"  {printable(line)[:_SHOWN_COLUMNS]}")
    if len(lines) > _SHOWN_LINES:
        output.line(f"  ... {counted(len(lines) - _SHOWN_LINES, 'more line', 'more lines')}")
    output.line(f"  {output.style(mark, style)} {seconds}\n")
    output.flush()


def _summary(steps: Sequence[Step], keep: str | None, output: Output) -> None:
    failed = [step for step in steps if step.exit_code]
    if failed:
        output.line(f"failed: {printable(failed[-1].command)}")
        return
    total = sum(step.seconds for step in steps)
    output.line(f"{counted(len(steps), 'step')} in {total * 1000:.0f} ms; the tree was only read.")
    if keep is not None:
        output.line(f"kept in {keep}: demo.db and export/")
