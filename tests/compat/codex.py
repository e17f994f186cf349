"""Patches for `apply_patch`, generated, and what Codex' own program makes of them."""

from __future__ import annotations

import random
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.compat import programs
from vshell import Workspace
from vshell.tools import make_profile

WORDS = ("alpha", "beta", "  gamma", "\tdelta", "x = 1", "", "}", "a — b", "“q”", "end ", "x = 1")
NAMES = ("a.txt", "b.txt", "dir/c.txt", "dir/sub/d.txt", "new.txt", "dir2/e.txt", "dir")

Tree = dict[str, bytes]


@dataclass(frozen=True)
class Case:
    """Files, and a patch for them."""

    number: int
    files: Tree
    patch: str


def cases(count: int, *, seed: int = 1) -> Iterator[Case]:
    """Yield generated cases, always the same."""
    for number in range(count):
        chance = random.Random(seed * 1_000_003 + number)
        files = random_files(chance)
        yield Case(number, files, _patch(chance, files))


def random_files(chance: random.Random) -> Tree:
    files = {}
    for name in chance.sample(NAMES[:4], chance.randint(1, 3)):
        lines = [chance.choice(WORDS) for _ in range(chance.randint(0, 12))]
        ending = "\r\n" if chance.random() < 0.08 else "\n"
        text = ending.join(lines) + (ending if chance.random() < 0.8 else "")
        files[name] = text.encode()
    return files


def _patch(chance: random.Random, files: Tree) -> str:
    lines = ["*** Begin Patch"]
    for _ in range(chance.randint(1, 3)):
        lines += _operation(chance, files)
    lines.append("*** End Patch")
    if chance.random() < 0.04:
        lines[chance.randrange(len(lines))] = chance.choice(["", "*** What: x", "junk", "@@"])
    if chance.random() < 0.1:
        lines = [chance.choice(["<<'EOF'", "<<EOF", '<<"EOF"']), *lines, "EOF"]
    if chance.random() < 0.1:
        lines = [f" {line} " if line.startswith("*** ") else line for line in lines]
    ending = "\r\n" if chance.random() < 0.05 else "\n"
    return ending.join(lines) + chance.choice(["", "\n", "\n\n"])


def _operation(chance: random.Random, files: Tree) -> list[str]:
    kind = chance.choice(["add", "delete", "update", "update", "update", "update"])
    if kind == "add":
        name = chance.choice(NAMES)
        body = [f"+{chance.choice(WORDS)}" for _ in range(chance.randint(0, 3))]
        return [f"*** Add File: {name}", *body]
    known = chance.random() < 0.9
    name = chance.choice(sorted(files)) if known else chance.choice(NAMES)
    if kind == "delete":
        return [f"*** Delete File: {name}"]
    lines = [f"*** Update File: {name}"]
    if chance.random() < 0.2:
        # Codex loses a file that is moved onto itself; these tools keep it.
        lines.append(f"*** Move to: {chance.choice([other for other in NAMES if other != name])}")
    text = files.get(name, b"alpha\n").decode().replace("\r\n", "\n").split("\n")
    for number in range(chance.choice([1, 1, 1, 2, 2, 3, 0])):
        lines += random_chunk(chance, text, bare=not number)
    return lines


def random_chunk(chance: random.Random, text: list[str], *, bare: bool) -> list[str]:
    header = chance.random()
    lines = []
    if not bare or header < 0.8:
        lines.append(f"@@ {chance.choice(text)}" if header < 0.3 else "@@")
    if chance.random() < 0.1:
        lines += [f"+{chance.choice(WORDS)}" for _ in range(chance.randint(0, 2))]
    else:
        start = chance.randrange(len(text))
        for line in text[start : start + chance.randint(1, 4)]:
            lines += _changed(chance, line)
    if chance.random() < 0.12:
        lines.append("*** End of File")
    if chance.random() < 0.05:
        lines.append("")
    return lines


def _changed(chance: random.Random, line: str) -> list[str]:
    seen = line
    if chance.random() < 0.12:
        seen = chance.choice([line + " ", line.strip(), "  " + line, line.replace("—", "-")])
    roll = chance.random()
    if roll < 0.4:
        return [f" {seen}" if seen or chance.random() < 0.5 else ""]
    if roll < 0.6:
        return [f"-{seen}"]
    if roll < 0.8:
        return [f"-{seen}", f"+{chance.choice(WORDS)}"]
    return [f"+{chance.choice(WORDS)}", f" {seen}"]


def expected(case: Case, binary: Path) -> tuple[bool, Tree]:
    """Return whether Codex applies a patch, and the files after it."""
    with tempfile.TemporaryDirectory() as name:
        program, root = Path(name, "apply_patch"), Path(name, "root")
        program.symlink_to(binary)
        for path, data in case.files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(data)
        root.mkdir(exist_ok=True)
        done = subprocess.run(
            [program, case.patch], check=False, cwd=root, capture_output=True, timeout=60
        )
        after = {
            str(path.relative_to(root)): path.read_bytes()
            for path in root.rglob("*")
            if path.is_file()
        }
    return done.returncode == 0, after


def found(case: Case, *, atomic: bool = False) -> tuple[bool, Tree]:
    """Return the same of the `codex` profile, without the atomic difference."""
    with Workspace.memory() as workspace:
        for path, data in case.files.items():
            workspace.write(f"/{path}", data)
        profile = make_profile(workspace, "codex", atomic=atomic)
        result = profile.run("apply_patch", {"input": case.patch})
        files = workspace.find("/", kind="file").entries
        after = {entry.path[1:]: workspace.read_bytes(entry.path) for entry in files}
    return not result.is_error, after


def differences(count: int) -> list[Case]:
    """Return the cases in which the two differ."""
    binary = programs.codex_binary()
    assert binary is not None
    return [case for case in cases(count) if expected(case, binary) != found(case)]
