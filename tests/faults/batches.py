"""Many cases, in child processes: none may end the process, hang, or take memory without end."""

from __future__ import annotations

import os
import resource
import select
import shutil
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.faults.findings import Findings
from tests.faults.scene import scratch
from tests.processes import Child
from vshell.errors import VshellError

CASE_S: Final = 20.0
_MEMORY_BYTES: Final = 3 * 1024**3
_LONGEST_TEXT: Final = 300
_CASES_OF_ONE: Final = 50

Case = Callable[[Path, str, Callable[[str], None]], tuple[str, list[str]]]
"""Gets an empty directory, its name, which all its chance comes from, and what is told the
kind of the case before anything can go wrong; returns what came of it, and what went wrong."""


def leaks(error: VshellError, path: Path) -> list[str]:
    """Return what an error tells that it must not."""
    text = f"{error} {error.hint} {error.data}"
    words = (str(path.parent), "sqlite3", "apsw")
    return [f"{word} in {text}" for word in words if word in text]


def described(name: str, error: BaseException) -> str:
    """Return where an error comes from that is none of ours."""
    places = [
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    return f"{name}: {error!r} at {' '.join(places[-4:])}"


def _work(case: Case, directory: Path, names: list[str], output: int) -> None:
    """Exercise cases one after the other; say of each when it begins, and what came of it."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, resource.RLIM_INFINITY))

    def say(text: str) -> None:
        os.write(output, f"{text.encode('ascii', 'backslashreplace').decode()}\n".encode())

    for name in names:
        place = directory / name.replace("/", "-")
        place.mkdir()
        what, failures = case(place, name, say)
        say("\t".join([what, *(text[:_LONGEST_TEXT] for text in failures)]).replace("\n", " "))
        shutil.rmtree(place)


@dataclass
class _Batch:
    """Cases in one child process.

    Attributes:
        lines: What the child wrote: two lines for each case that it finished.
        ending: How it ended, if not as it should.
    """

    lines: list[str]
    ending: str


def _run_batch(case: Case, names: list[str]) -> _Batch:
    reader, writer = os.pipe()
    with scratch() as directory, open(reader, "rb", buffering=0) as output:
        child = Child(lambda: _work(case, directory, names, writer))
        os.close(writer)
        text, hangs = b"", False
        while not hangs:
            hangs = not select.select([output], [], [], CASE_S)[0]
            piece = b"" if hangs else output.read(65536)
            if not piece:
                break
            text += piece
        lines = text.decode().split("\n")[:-1]
        if hangs:
            child.kill()
            return _Batch(lines, f"it hangs for more than {CASE_S:.0f} s")
        try:
            child.result()
        except EOFError:
            return _Batch(lines, "it ends the process")
        return _Batch(lines, "")


def run_cases(case: Case, *, count: int, seed: int) -> Findings:
    """Exercise so many cases."""
    findings = Findings(seed)
    left = [f"{seed}/{number}" for number in range(count)]
    while left:
        batch = left[:_CASES_OF_ONE]
        found = _run_batch(case, batch)
        begun = (len(found.lines) + 1) // 2
        for name, kind, report in zip(batch, found.lines[::2], found.lines[1::2], strict=False):
            what, *failures = report.split("\t")
            findings.counts[f"{kind}: {what}"] += 1
            findings.failures += [f"case {name} ({kind}): {text}" for text in failures]
        if found.ending:
            findings.failures.append(f"case {batch[begun - 1]} ({found.lines[-1]}): {found.ending}")
        left = left[begun:]
    return findings
