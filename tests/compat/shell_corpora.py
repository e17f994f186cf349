"""Other projects' shell tests, run by bash and by vshell: `python -m tests.compat.shell_corpora PATH...`.

    PATH   a checkout, or a part of one, of
           oils     spec/*.test.sh: cases between `#### NAME` lines
           brush    brush-shell/tests/cases/**/*.yaml: cases with `stdin`
           yash     tests/*-p.tst: cases of test_oE, test_x and the like
           others   *.sh: each file is one case

What bash 5 prints, and its exit code, is what is expected; each case runs in an empty
directory. A case whose outcome differs from one run of bash to the next is left out.
Nothing of the corpora is stored here.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from vshell import Workspace

TIMEOUT_S = 5.0
ENVIRONMENT = {"LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": "/root", "PATH": "/usr/bin:/bin"}


class Case(NamedTuple):
    """One case of a corpus."""

    name: str
    script: str


class Outcome(NamedTuple):
    """What a script printed, and its exit code."""

    stdout: bytes
    exit_code: int


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.compat.shell_corpora",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="each Nth case only")
    parser.add_argument("--failing", action="store_true", help="print the cases that differ")
    found = parser.parse_args()
    print("| corpus | cases | as bash |\n|---|---|---|")
    for path in found.paths:
        cases = list(cases_of(path))[:: found.every]
        passed, counted, failing = run(cases)
        share = f"{100 * passed / counted:.1f} %" if counted else ""
        print(f"| {path.name} | {counted} | {share} |")
        if found.failing:
            for case in failing:
                print(f"  {case.name}", file=sys.stderr)
    return 0


def run(cases: list[Case]) -> tuple[int, int, list[Case]]:
    """Return how many cases pass, how many count, and those that do not pass."""
    passed, counted = 0, 0
    failing = []
    with Workspace.memory() as workspace:
        for number, case in enumerate(cases):
            wanted = by_bash(case.script)
            if wanted is None or wanted != by_bash(case.script):
                continue
            counted += 1
            if by_vshell(workspace, f"/{number}", case.script) == wanted:
                passed += 1
            else:
                failing.append(case)
    return passed, counted, failing


def by_bash(script: str) -> Outcome | None:
    with tempfile.TemporaryDirectory() as directory:
        try:
            done = subprocess.run(
                ["bash", "-c", script],
                cwd=directory,
                env=ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=TIMEOUT_S,
                check=False,
            )
        except (subprocess.TimeoutExpired, ValueError):
            return None
    # A path of the host, a process' number and the like are nobody else's.
    if directory.encode() in done.stdout or done.returncode < 0:
        return None
    return Outcome(done.stdout, done.returncode)


def by_vshell(workspace: Workspace, directory: str, script: str) -> Outcome:
    workspace.mkdir(directory)
    session = workspace.session("corpus", cwd=directory, environment=ENVIRONMENT)
    with session.shell() as shell:
        result = shell.run(script, timeout_s=TIMEOUT_S)
    return Outcome(result.stdout, result.exit_code)


def cases_of(path: Path) -> Iterator[Case]:
    """Yield the cases of a corpus, by the names of its files."""
    files = sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]
    for file in files:
        if file.name.endswith(".test.sh"):
            yield from oils_cases(file)
        elif file.suffix == ".yaml":
            yield from brush_cases(file)
        elif file.suffix == ".tst":
            yield from yash_cases(file)
        elif file.suffix == ".sh":
            yield Case(file.name, file.read_text(errors="surrogateescape"))


def oils_cases(file: Path) -> Iterator[Case]:
    text = file.read_text(errors="surrogateescape")
    for part in re.split(r"^#### ", text, flags=re.MULTILINE)[1:]:
        name, _, body = part.partition("\n")
        # What is expected of which shell stands below the script.
        script = re.split(r"^## ", body, maxsplit=1, flags=re.MULTILINE)[0]
        if "$SH" not in script and "$REPO_ROOT" not in script and "argv.py" not in script:
            yield Case(f"{file.name}: {name}", script)


def brush_cases(file: Path) -> Iterator[Case]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        found: Any = YAML(typ="safe").load(file.read_text())
    except YAMLError:
        return
    for case in found.get("cases", ()) if isinstance(found, dict) else ():
        plain = not {"args", "test_files", "skip", "env", "pty", "min_oracle_version"} & set(case)
        if plain and isinstance(case.get("stdin"), str):
            yield Case(f"{file.name}: {case.get('name')}", case["stdin"])


_YASH = re.compile(
    r"^test_[oOeExX]+ (?:-[^ ]+ )*'([^'\n]*)'[^\n]*\n(.*?)^__IN__$", re.MULTILINE | re.DOTALL
)


def yash_cases(file: Path) -> Iterator[Case]:
    text = file.read_text(errors="surrogateescape")
    for found in _YASH.finditer(text):
        yield Case(f"{file.name}: {found[1]}", found[2])


if __name__ == "__main__":
    sys.exit(main())
