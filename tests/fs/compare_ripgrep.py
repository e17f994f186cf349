r"""`python -m tests.fs.compare_ripgrep DIR`: what `grep` finds in real files, beside ripgrep.

The lines that are found must be the same. Where they are not, the difference must be one of
those that are documented, and of that line:

- `unicode`: with `--no-unicode`, `\b`, `\w`, `\s`, `\d`, `.` and letters of any case are
  ASCII's, and ours are Unicode's. Such a line holds a byte beyond ASCII.
- `\w`: the `regex` module counts other characters as letters than Rust's tables do (marks
  and connectors). Such a line holds a character beyond ASCII.
- `invalid`: a byte that is no UTF-8 is one character to us, and nothing to ripgrep. Such a
  line holds one.
- `carriage return`: a line of ours ends before `\r\n`, one of ripgrep's before `\n`. Such a line
  ends in a carriage return.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections import Counter
from pathlib import Path

from vshell import Workspace

PATTERNS = [
    *(
        "return",
        "TODO|FIXME|XXX",
        r"\bint\b",
        r"\w+_t\b",
        r"^#include\s+<",
        r"\s+$",
        r"^\s*$",
        ";$",
    ),
    *(
        r"\b[a-z]{14}\b",
        "[A-Z]{5,}_[A-Z]+",
        r"0x[0-9a-f]{8}\b",
        r"\d{4}-\d{2}-\d{2}",
        r"if \(!\w+\)",
    ),
    *(
        r"(foo|bar|baz)\d*",
        r"\w+@\w+\.\w+",
        "é|ü|ö",
        r"\bß",
        ".{100,}",
        r"[^\x00-\x7f]",
        r"(\w)-\w-\w",
    ),
    *(
        r"\B_\B",
        r"\W{12}",
        r"\S{60}",
        "(?i)kernel",
        "(?i)straße",
        "(?i)todo:?",
        r"static\s+inline",
        "^$",
    ),
    *(
        r"\(\*\w+\)\(",
        "/\\*.*\\*/",
        r"[\w.]+\(\)",
        r"a.c",
        "x{3,}",
        r"(?i)\bk\b",
        "}$",
        r"\t\t\t\t\t\t",
    ),
]


def lines_of_ripgrep(tree: Path, pattern: str, *options: str) -> set[tuple[str, int]]:
    command = ["rg", "-n", "--no-heading", "--null", "--no-ignore", "--hidden", "-E", "none"]
    done = subprocess.run(
        [*command, *options, "-e", pattern, "."], cwd=tree, stdout=subprocess.PIPE, check=False
    )
    assert done.returncode in (0, 1), pattern
    found = set()
    for line in done.stdout.split(b"\n"):
        path, separator, rest = line.partition(b"\0")
        if separator:
            found.add((path[1:].decode("utf-8", "surrogateescape"), int(rest.partition(b":")[0])))
    return found


def lines_of_grep(ws: Workspace, pattern: str) -> set[tuple[str, int]]:
    found: set[tuple[str, int]] = set()
    offset: int | None = 0
    while offset is not None:
        result = ws.grep(pattern, max_matches=10_000_000, offset=offset, timeout_s=600)
        assert result.truncated_by in (None, "characters"), (pattern, result.truncated_by)
        found |= {(match.path, match.line) for match in result.matches}
        offset = result.next_offset
    return found


def cause(ws: Workspace, where: tuple[str, int], *, unicode: bool) -> str:
    """Return which documented difference a line is an example of, or its text."""
    path, number = where
    line = ws.read_bytes(path).split(b"\n")[number - 1]
    try:
        line.decode()
    except UnicodeDecodeError:
        return "invalid"
    if not line.isascii():
        return r"\w" if unicode else "unicode"
    if line.endswith(b"\r"):
        return "carriage return"
    return f"UNEXPLAINED {path}:{number}: {line[:80]!r}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fs.compare_ripgrep", description=__doc__)
    parser.add_argument("tree", type=Path)
    tree = parser.parse_args().tree
    unexplained = 0
    with Workspace.memory() as ws:
        ws.import_directory(str(tree))
        ws.index()
        for pattern in PATTERNS:
            ours = lines_of_grep(ws, pattern)
            told = [f"{len(ours)} lines"]
            for name, options in (("rg", ()), ("rg --no-unicode", ("--no-unicode",))):
                if name != "rg" and not pattern.isascii():
                    continue
                theirs = lines_of_ripgrep(tree, pattern, *options)
                causes = Counter(cause(ws, where, unicode=name == "rg") for where in ours ^ theirs)
                unexplained += sum(
                    count for what, count in causes.items() if what.startswith("UNEXPLAINED")
                )
                told.append(f"{name}: {dict(causes) or 'the same'}")
            print(f"{pattern!r}: {'; '.join(told)}", flush=True)
    print(f"{len(PATTERNS)} patterns, {unexplained} unexplained differences")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
