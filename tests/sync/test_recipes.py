"""Typical work, done for real in a container: the recipes of docs/sync.md."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.sync.conftest import OpenContainer
from tests.sync.daemon import need
from vshell import Workspace
from vshell.sync.container import Container
from vshell.sync.jobs import Job

pytestmark = [pytest.mark.docker, pytest.mark.slow]

GIT = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
}
ROOT = Path(__file__).parents[2]


def succeeded(job: Job) -> Job:
    assert (job.phase, job.exit_code) == ("done", 0), (job.error, job.stdout, job.stderr)
    assert not job.skipped
    assert not job.conflicts
    return job


def test_git_in_the_container_and_an_intact_repository_outside(
    workspace: Workspace, container: Container, tmp_path: Path
) -> None:
    need("git")
    workspace.import_directory(ROOT / "vshell", "/")
    container.exec("true")
    succeeded(container.exec("git init -q && git add -A && git commit -qm x", env=GIT))
    assert succeeded(container.exec("git log --format=%s")).stdout == b"x\n"
    workspace.write("/new.txt", "second\n")
    succeeded(container.exec("git add new.txt && git commit -qm second", env=GIT))
    workspace.append("/new.txt", "not committed\n")
    diff = succeeded(container.exec("git diff")).stdout
    assert b"+not committed" in diff
    workspace.export_directory("/", tmp_path / "out")
    checked = subprocess.run(
        ["git", "-c", "safe.directory=*", "fsck", "--full", "--strict"],
        cwd=tmp_path / "out",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.returncode, checked.stderr) == (0, "")
    status = ["git", "-c", "safe.directory=*", "status", "--porcelain"]
    told = subprocess.run(status, cwd=tmp_path / "out", capture_output=True, text=True, check=True)
    assert told.stdout == " M new.txt\n"


def test_the_same_repository_after_many_commands(
    workspace: Workspace, open_container: OpenContainer
) -> None:
    """Packing, branches, merges and a worktree full of changes, each in its own job."""
    need("git")
    container = open_container()
    steps = [
        "git init -q -b main && echo 1 > a && git add -A && git commit -qm 1",
        "git checkout -qb side && echo 2 > b && git add -A && git commit -qm 2",
        "git checkout -q main && echo 3 > c && git add -A && git commit -qm 3",
        "git merge -q side -m merged",
        "git gc -q --prune=now",
        "git mv a renamed && git commit -qm renamed && git tag v1",
        "git stash list; git reflog | head -3",
        "test ! -e .git/index.lock",
    ]
    for step in steps:
        succeeded(container.exec(step, env=GIT))
    assert succeeded(container.exec("git fsck --full --strict 2>&1")).stdout == b""
    assert workspace.read_text("/renamed") == "1\n"
    assert not workspace.exists("/a")


PACKAGE = {
    "name": "greeting",
    "version": "1.0.0",
    "main": "index.js",
    "scripts": {"test": "node --test"},
}


def npm_package(name: str, files: dict[str, str]) -> bytes:
    """Return what `npm pack` makes."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for path, text in files.items():
            member = tarfile.TarInfo(f"package/{path}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()


def test_npm_installs_from_a_tarball_and_tests_offline(
    workspace: Workspace, open_container: OpenContainer
) -> None:
    container = open_container()
    need("node", "npm")
    left = json.dumps({"name": "left", "version": "1.2.3", "main": "left.js"})
    pad = "module.exports = (text, size) => text.padStart(size);\n"
    workspace.write("/left-1.2.3.tgz", npm_package("left", {"package.json": left, "left.js": pad}))
    workspace.write("/package.json", json.dumps(PACKAGE))
    workspace.write("/index.js", "module.exports = name => require('left')(`hi ${name}`, 10);\n")
    workspace.write(
        "/test/greets.test.js",
        "const test = require('node:test'); const assert = require('node:assert');\n"
        "test('greets', () => assert.equal(require('..')('you'), '    hi you'));\n",
    )
    job = succeeded(container.exec("npm install --offline ./left-1.2.3.tgz", timeout_s=120))
    assert {change.path for change in job.pulled} == {"/package.json", "/package-lock.json"}
    assert json.loads(workspace.read_text("/package.json"))["dependencies"]
    tested = succeeded(container.exec(["npm", "test"], timeout_s=120))
    assert b"pass 1" in tested.stdout
    workspace.write("/index.js", "module.exports = name => 'wrong';\n")
    assert container.exec(["npm", "test"], timeout_s=120).exit_code == 1
    assert not workspace.exists("/node_modules")


@pytest.mark.registry
def test_npm_installs_from_the_registry(
    workspace: Workspace, open_container: OpenContainer
) -> None:
    need("node", "npm")
    workspace.write("/package.json", json.dumps(PACKAGE))
    container = open_container(network=True)
    succeeded(container.exec("npm install left-pad@1.3.0", timeout_s=180))
    job = succeeded(container.exec("node -e \"console.log(require('left-pad')('x', 3))\""))
    assert job.stdout == b"  x\n"
    assert "left-pad" in workspace.read_text("/package-lock.json")


def wheel(name: str, code: str) -> bytes:
    """Return a package that pip installs without building it."""
    info = f"{name}-1.0.dist-info"
    files = {
        f"{name}.py": code,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
        f"{info}/RECORD": f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n",
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return packed.getvalue()


def test_a_virtual_environment_with_a_package_offline(
    workspace: Workspace, open_container: OpenContainer
) -> None:
    container = open_container()
    need("python3")
    workspace.write("/wheels/hello-1.0-py3-none-any.whl", wheel("hello", "WORD = 'hi'\n"))
    workspace.write("/main.py", "import hello\nprint(hello.WORD)\n")
    job = container.exec(
        "python3 -m venv .venv && .venv/bin/pip install --no-index --find-links wheels hello",
        timeout_s=120,
    )
    succeeded(job)
    assert not job.pulled
    assert succeeded(container.exec(".venv/bin/python main.py")).stdout == b"hi\n"


MAKEFILE = """\
CFLAGS = -O1
target/hello: hello.o main.o
\tmkdir -p target && $(CC) -o $@ $^
check: target/hello
\ttest "$$(target/hello)" = "hello, world"
"""


def test_a_c_program_is_built_and_only_what_changed_is_built_again(
    workspace: Workspace, container: Container
) -> None:
    need("make", "gcc")
    workspace.write("/Makefile", MAKEFILE)
    workspace.write("/hello.h", "void hello(void);\n")
    workspace.write("/hello.c", '#include <stdio.h>\nvoid hello(void) { puts("hello, world"); }\n')
    workspace.write("/main.c", '#include "hello.h"\nint main(void) { hello(); return 0; }\n')
    built = succeeded(container.exec(["make", "check"], timeout_s=120))
    assert built.stdout.count(b"-c -o") == 2
    assert {change.path for change in built.pulled} == {"/hello.o", "/main.o"}
    assert b"-c -o" not in succeeded(container.exec(["make", "check"])).stdout
    workspace.write("/main.c", '#include "hello.h"\nint main(void) { return 0; }\n')
    again = container.exec(["make", "check"], timeout_s=120)
    assert again.stdout.count(b"-c -o") == 1
    assert again.exit_code == 2
