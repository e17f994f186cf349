"""What a case of a corpus is, and the outcome of running one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

HOME = "/tmp/work"
"""Where each case runs, on the host as in the workspace."""

ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "HOME": "/root",
    "PATH": "/usr/bin:/bin",
    "SH": "bash",
    "THIS_SH": "bash",
    "TMP": "/tmp",
}

TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a script printed, and its exit code."""

    stdout: bytes
    exit_code: int | None


@dataclass(frozen=True, slots=True)
class Case:
    """A script of a corpus.

    Attributes:
        corpus: The row of the table that it counts for.
        name: Names it to people.
        script: What bash is asked to run.
        files: What is there before, by absolute path: bytes, None for a directory, or a
            text, the target of a link.
        executable: Which of the files are.
        attributes: Modes and times of last change (in nanoseconds) of files, by path.
        hard_links: Paths that are other names of files.
        expected: What it prints; without it, what bash does is asked of bash. Its exit code
            may be None: any will do.
        likeness: How alike the output must be: byte by byte, word by word, or as JSON.
    """

    corpus: str
    name: str
    script: str
    files: Mapping[str, bytes | str | None] = field(default_factory=dict)
    executable: frozenset[str] = frozenset()
    attributes: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    hard_links: Mapping[str, str] = field(default_factory=dict)
    expected: Outcome | None = None
    likeness: Literal["bytes", "words", "json"] = "bytes"

    def passes(self, found: Outcome, wanted: Outcome) -> bool:
        if wanted.exit_code is not None and found.exit_code != wanted.exit_code:
            return False
        if self.likeness == "words":
            return found.stdout.split() == wanted.stdout.split()
        if self.likeness == "json":
            return _values(found.stdout) == _values(wanted.stdout)
        return found.stdout == wanted.stdout


def _values(text: bytes) -> list[object]:
    try:
        return [json.loads(line) for line in text.splitlines()]
    except (ValueError, RecursionError):
        return [text]
