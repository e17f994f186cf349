"""`python` and `node` in a shell: as the real ones, on the files of the workspace."""

from __future__ import annotations

import os
import platform
import threading
from collections.abc import Iterator

import pytest

from vshell import Workspace
from vshell.fs.filesystem import FileSystem
from vshell.programs.starting import programs_of
from vshell.script.pool import scripts_of
from vshell.shell.programs import Guests, Program, Started
from vshell.shell.shell import Shell

PYTHON_FILE = """\
import sys
print(sys.argv, open('x.txt').read(), flush=True)
print('complaint', file=sys.stderr)
sys.exit(5)
"""
NODE_FILE = """\
const fs = require('fs');
console.log(process.argv.slice(2).join('+'), fs.readFileSync('x.txt', 'utf8'));
process.exitCode = 4;
"""
FILES = {
    "a.py": PYTHON_FILE,
    "a.js": NODE_FILE,
    "x.txt": "X",
    "lib.py": "def f(): return 7\n",
    "tool/__main__.py": "import sys\nprint(sys.argv[1:])\n",
    "test_it.py": "import unittest\nclass T(unittest.TestCase):\n    def test(self): pass\n",
}


@pytest.fixture(scope="module")
def workspace() -> Iterator[Workspace]:
    with Workspace.memory() as opened:
        for engine in ("cpython", "quickjs"):
            reason = scripts_of(opened.files).engine(engine).available()
            if reason is not None:
                pytest.skip(reason.reason)
        yield opened


@pytest.fixture
def shell(workspace: Workspace) -> Iterator[Shell]:
    with workspace.transaction():
        workspace.rm("/w", recursive=True, force=True)
        for name, text in FILES.items():
            workspace.write(f"/w/{name}", text)
    with workspace.session("", cwd="/w").shell() as opened:
        yield opened


@pytest.mark.parametrize(
    ("line", "stdout", "code"),
    [
        ("python -c 'print(1 + 1)'", "2\n", 0),
        ("python3 a.py 1 '2 3' 2>/dev/null", "['a.py', '1', '2 3'] X\n", 5),
        ("python a.py 2>&1 >/dev/null", "complaint\n", 5),
        ("python - a b <<< 'import sys; print(sys.argv)'", "['-', 'a', 'b']\n", 0),
        ("echo 'print(42)' | python", "42\n", 0),
        ("python -uc 'import sys; print(sys.argv)' -x y", "['-c', '-x', 'y']\n", 0),
        ("seq 3 | python -c 'import sys\nfor n in sys.stdin: print(int(n) * 2)'", "2\n4\n6\n", 0),
        ("printf '\\377\\0' | python -c 'import sys; print(sys.stdin.buffer.read())'",
         "b'\\xff\\x00'\n", 0),
        ("python -c 'import sys; sys.stdout.buffer.write(bytes(range(256)))' | md5sum",
         "e2c865db4162bed963bfaa9ef6ac18f0  -\n", 0),
        ("python -c \"import sys; sys.stdout.write('x' * 500 * 1024)\" | wc -c", "512000\n", 0),
        ("python -c 'import lib; print(lib.f())'", "7\n", 0),
        ("python -m tool a", "['a']\n", 0),
        ("python -m json.tool <<< '{\"a\":1}'", '{\n    "a": 1\n}\n', 0),
        ("python -m unittest 2>&1 | tail -1", "OK\n", 0),
        ("python --version", f"Python {platform.python_version()}\n", 0),
        ("python -c 1/0 2>/dev/null", "", 1),
        ("python -c 1/0 2>&1 | tail -1", "ZeroDivisionError: division by zero\n", 0),
        ("python none.py 2>&1",
         "python: can't open file '/w/none.py': [Errno 2] No such file or directory\n", 2),
        ("python -m nothing 2>&1", "python: No module named nothing\n", 1),
        ("python -c 2>&1 | head -1", "Argument expected for the -c option\n", 0),
        ("python -c \"open('made', 'w').write('m')\" && cat made", "m", 0),
        ("cd tool && python -c 'import os; print(os.getcwd())'", "/w/tool\n", 0),
        ("printf 'a\\nb\\n' | while read f; do python -c \"print('$f')\"; done", "a\nb\n", 0),
        ("python -c 'while True: print(1)' | head -2", "1\n1\n", 0),
        ("python -c 'import os; os.fork()' 2>&1 | tail -1 | cut -d: -f1", "PermissionError\n", 0),
        ("node -e 'console.log(1 + 1, process.argv.length)' z", "2 2\n", 0),
        ("node -p '[1, 2].length'", "2\n", 0),
        ("node a.js p q", "p+q X\n", 4),
        ("node a p", "p X\n", 4),
        ("js -e 'process.exit(3)'", "", 3),
        ("echo 'console.log(7)' | node", "7\n", 0),
        ("node -e 'console.log(require(\"fs\").readFileSync(0, \"utf8\"))' <<< in", "in\n\n", 0),
        ("node -e 'require(\"fs\").writeFileSync(\"made\", \"m\")'; cat made", "m", 0),
        ("node -e 'throw new Error(\"no\")' 2>&1 | head -1", "Uncaught Error: no\n", 0),
        ("node none 2>&1", "Error: Cannot find module '/w/none'\n", 1),
        ("node --wrong 2>&1", "node: bad option: --wrong\n", 9),
    ],
)  # fmt: skip
def test_programs_do_as_the_real_ones(shell: Shell, line: str, stdout: str, code: int) -> None:
    result = shell.run(line)
    assert (result.stdout.decode(), result.exit_code) == (stdout, code), result.stderr


def test_a_program_is_part_of_the_scripts_transaction(shell: Shell, workspace: Workspace) -> None:
    """It sees what the script has written, the script sees what it writes, and all of it goes."""
    script = "echo 1 > t1; python -c \"print(open('t1').read()); open('t2', 'w').write('2')\""
    undone = shell.run(f"{script}; cat t2; false", atomic=True)
    assert (undone.stdout, undone.committed) == (b"1\n\n2", False)
    assert not workspace.exists("/w/t2")
    done = shell.run(script, atomic=True)
    assert [change.path for change in done.changes] == ["/w/t1", "/w/t2"]
    tried = shell.run('node -e \'require("fs").unlinkSync("t1")\'', dry_run=True)
    assert [change.action for change in tried.changes] == ["delete"]
    assert workspace.exists("/w/t1")


def test_what_it_changes_bears_the_shells_name(workspace: Workspace, shell: Shell) -> None:
    with workspace.session("named", cwd="/w").shell() as named:
        named.run("python -c \"open('by', 'w').write('x')\"")
    assert workspace.history("/w/by").changes[0].session == "named"


def test_one_that_does_not_end_ends_with_the_script(shell: Shell) -> None:
    result = shell.run("python -c 'while True: pass'; echo after", timeout_s=0.3)
    assert (result.exit_code, result.timed_out, result.stdout) == (124, True, b"")
    assert shell.run("python -c 'print(1)'").stdout == b"1\n"


def test_one_that_does_not_end_can_be_interrupted(shell: Shell) -> None:
    started = threading.Event()

    def interrupt(stream: str, data: bytes) -> None:
        threading.Thread(target=shell.interrupt).start()
        started.set()

    result = shell.run("python -c 'print(1)\nwhile True: pass'; echo after", on_output=interrupt)
    assert started.is_set()
    assert (result.exit_code, result.stdout) == (130, b"1\n")


def test_rules_hold_for_programs(workspace: Workspace) -> None:
    with workspace.shell(rules={"deny": ["python*"]}) as careful:
        assert careful.run("python -c 'print(1)'").exit_code == 126


def test_nothing_is_run_to_explain(shell: Shell) -> None:
    found = shell.explain("python -c \"open('z', 'w')\"; echo x")
    assert [each.words[0] for each in found.commands][:1] == ["python"]
    assert found.changes == ()


class _Worker:
    """What `Guests` sends to a worker."""

    def __init__(self) -> None:
        self.told: list[dict[str, object]] = []

    def give(self, descriptor: int | None, header: dict[str, object]) -> None:
        self.told.append(header | {"given": descriptor is not None})


@pytest.mark.parametrize(
    "asked",
    [
        None,
        [],
        {},
        {"language": "perl", "source": "", "name": "", "arguments": []},
        {"language": "python", "source": 1, "name": "", "arguments": []},
        {"language": "python", "source": "", "name": "", "arguments": [1]},
        {"language": "python", "source": "", "name": "", "arguments": "ab"},
    ],
)
def test_a_worker_can_only_ask_for_programs(workspace: Workspace, asked: object) -> None:
    worker = _Worker()
    Guests(programs_of(workspace.files)).start(worker, asked, 1.0)  # type: ignore[arg-type]
    (told,) = worker.told
    assert "refused" in told
    assert not told["given"]


def test_a_worker_gets_no_more_than_sixteen_at_once() -> None:
    held: list[int] = []

    def start(program: Program, timeout_s: float) -> Started:
        lives, ends = os.pipe()  # the first becomes readable when the second is closed
        held.append(ends)
        return Started(os.open(os.devnull, os.O_RDONLY), lives, "module:function")

    worker, guests = _Worker(), Guests(start)
    asked = Program("python", "", "x").as_dict()
    for _ in range(17):
        guests.start(worker, asked, 1.0)  # type: ignore[arg-type]
    assert [told["given"] for told in worker.told] == [True] * 16 + [False]
    os.close(held.pop())
    guests.start(worker, asked, 1.0)  # type: ignore[arg-type]
    assert worker.told[-1]["given"], "one has ended"
    for each in held:
        os.close(each)


def test_a_shell_without_programs_says_so(workspace: Workspace) -> None:
    from vshell.shell.opening import open_shell

    assert isinstance(workspace.files, FileSystem)
    with open_shell(workspace, None) as bare:
        result = bare.run("python -c 'print(1)'")
    assert result.exit_code == 126
    assert b"programs cannot be run in this shell" in result.stderr
