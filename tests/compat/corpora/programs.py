"""The corpora of single programs: awk, grep, sed, jq."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from tests.compat.corpora.case import HOME, Case, Outcome


def one_true_awk(root: Path) -> Iterator[Case]:
    for folder in sorted(root.rglob("testdir")):
        countries = (folder / "test.countries").read_bytes()
        data = (folder / "test.data").read_bytes()
        for program in sorted(folder.glob("[pt].*")):
            if not program.is_file() or program.suffix in (".x", ".y"):
                continue
            files = {
                f"{HOME}/program": program.read_bytes(),
                f"{HOME}/test.countries": countries,
                f"{HOME}/test.data": data,
            }
            named = "test.countries test.countries" if program.name[0] == "p" else "test.data"
            script = f"awk -f program {named}"
            yield Case("awk (one-true)", program.name, script, files)


def spencer_grep(root: Path) -> Iterator[Case]:
    """Cases of GNU grep's own form: exit code, pattern, text."""
    for file in sorted(root.rglob("*spencer*.tests")) + sorted(root.rglob("gnu-[be]re.tests")):
        option = "-G" if "bre" in file.name else "-E"
        for number, line in enumerate(file.read_text(errors="surrogateescape").splitlines()):
            parts = line.split("@")
            if line.startswith("#") or len(parts) < 3:
                continue
            if parts[0] in ("0", "1", "2"):
                pattern, text = parts[1], parts[2]
            else:
                pattern, text = parts[0], parts[1]
            script = f"printf '%s\\n' {shlex.quote(text)} | grep {option} -e {shlex.quote(pattern)}"
            yield Case("grep (Spencer)", f"{file.name}:{number + 1}: {line}", script)
            yield Case("grep (Spencer)", f"{file.name}:{number + 1}: -o {line}", script + " -o")


def python_sed(root: Path) -> Iterator[Case]:
    """Cases of PythonSed's form: a title, a script, a text and what comes of it."""
    for file in sorted(root.rglob("pythonsed-*.suite")):
        text = file.read_text(errors="surrogateescape")
        parts = re.split(r"^---\n", text, flags=re.MULTILINE)
        # Between the cases is prose, so that each has five parts, the first of them with it.
        for at in range(0, len(parts) - 4, 5):
            title = parts[at + 1].strip()
            first = parts[at + 2].partition("\n")[0]
            extended = "-r " if first.startswith("#r") else ""
            files = {
                f"{HOME}/script.sed": parts[at + 2].encode("utf-8", "surrogateescape"),
                f"{HOME}/input": parts[at + 3].encode("utf-8", "surrogateescape"),
            }
            yield Case("sed", f"{file.name}: {title}", f"sed {extended}-f script.sed input", files)


def jq(root: Path) -> Iterator[Case]:
    for file in sorted(root.rglob("tests/*.test")):
        if file.stem not in ("jq", "man", "base64", "manonig", "onig", "optional", "uri"):
            continue
        text = file.read_text(errors="surrogateescape")
        for number, block in enumerate(re.split(r"\n[ \t]*\n", text)):
            lines = [each for each in block.split("\n") if each and not each.startswith("#")]
            if len(lines) < 2 or lines[0].startswith("%%FAIL"):
                continue
            files = {
                f"{HOME}/program": lines[0].encode("utf-8", "surrogateescape"),
                f"{HOME}/input": lines[1].encode("utf-8", "surrogateescape"),
            }
            printed = "".join(f"{line}\n" for line in lines[2:])
            yield Case(
                "jq",
                f"{file.name}#{number}: {lines[0][:60]}",
                "jq -c -f program input",
                files,
                # Debian's jq is older than the tests.
                expected=Outcome(printed.encode("utf-8", "surrogateescape"), None),
                likeness="json",
            )
