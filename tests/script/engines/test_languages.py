"""What every engine does alike: forms of scripts, values, errors, logs, inputs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.script.guests import drive, job, run
from vshell.errors import UnavailableError
from vshell.ops.state import State
from vshell.script.engine import Call, Died, Engine
from vshell.script.limits import Limits
from vshell.script.pool import engine_class
from vshell.workspace import Workspace

PYTHON = ("cpython", "monty")
SNIPPET = """\
async () => {
  const files = await state.glob("src/**/*.ts");
  const results = [];
  for (const file of files) {
    const content = await state.readFile(file);
    const todos = content.match(/\\/\\/ TODO:.*/g);
    if (todos) results.push({ file, todos });
  }
  return results;
}
"""
TWIN = """\
import re
results = []
for file in state.glob("src/**/*.ts"):
    todos = re.findall(r"// TODO:.*", state.read_file(file))
    if todos:
        results.append({"file": file, "todos": todos})
results
"""
TODOS = [{"file": "/src/a.ts", "todos": ["// TODO: one", "// TODO: two"]}]


@pytest.fixture(scope="module")
def engines() -> Iterator[dict[str, Engine]]:
    made = {name: engine_class(name)() for name in ("cpython", "monty", "quickjs")}
    yield made
    for engine in made.values():
        engine.close()


@pytest.fixture
def state() -> Iterator[State]:
    with Workspace.memory() as workspace:
        workspace.write("/src/a.ts", "// TODO: one\nlet x;\n// TODO: two\n")
        workspace.write("/src/b.ts", "let y;\n")
        yield workspace.state


def engine_of(engines: dict[str, Engine], name: str) -> Engine:
    missing = engines[name].available()
    if missing is not None:
        pytest.skip(missing.reason)
    return engines[name]


@pytest.mark.parametrize(
    ("name", "source"), [("quickjs", SNIPPET), ("cpython", TWIN), ("monty", TWIN)]
)
def test_the_todo_scan_runs_as_it_stands(
    engines: dict[str, Engine], state: State, name: str, source: str
) -> None:
    assert run(engine_of(engines, name), state, source).value == TODOS


VALUES = [
    ("None", "null", None),
    ("[True, 1, 1.5, 'é']", "[true, 1, 1.5, 'é']", [True, 1, 1.5, "é"]),
    ("{'a': [1, {'b': None}]}", "({ a: [1, { b: null }] })", {"a": [1, {"b": None}]}),
    ("b'\\x00\\xff'", "new Uint8Array([0, 255])", b"\0\xff"),
    ("float('inf')", "Infinity", float("inf")),
    ("{'$bytes': 'AA=='}", "({ $bytes: 'AA==' })", {"$bytes": "AA=="}),
    ("sorted({3, 1})", "new Set([1, 3])", [1, 3]),
    ("{'a': 1}", "new Map([['a', 1]])", {"a": 1}),
    ("'a\\x00b'", "'a\\0b'", "a\0b"),
    ("'x' * 100000", "'x'.repeat(100000)", "x" * 100_000),
]


@pytest.mark.parametrize(("python", "javascript", "value"), VALUES)
@pytest.mark.parametrize("name", ["cpython", "monty", "quickjs"])
def test_values_come_back(
    engines: dict[str, Engine],
    state: State,
    name: str,
    python: str,
    javascript: str,
    value: Any,
) -> None:
    source = javascript if name == "quickjs" else python
    assert run(engine_of(engines, name), state, source).value == value


@pytest.mark.parametrize("name", ["cpython", "monty", "quickjs"])
def test_bytes_go_to_the_host_and_back(engines: dict[str, Engine], state: State, name: str) -> None:
    python = "state.write_file_bytes('/b', b'\\x00\\xff')\nstate.read_file_bytes('/b')"
    javascript = "await state.writeFileBytes('/b', new Uint8Array([0, 255]));"
    javascript += " await state.readFileBytes('/b')"
    source = javascript if name == "quickjs" else python
    assert run(engine_of(engines, name), state, source).value == b"\0\xff"


@pytest.mark.parametrize("name", PYTHON)
@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("1 + 1", 2),
        ("x = 1\nx + 1", 2),
        ("x = 1", None),
        ("def f():\n    return 3\nf()", 3),
        ("async def main():\n    return await state.exists('/src')\nawait main()", True),
        (
            (
                "import asyncio\nasync def f(n):\n    await asyncio.sleep(0)\n    return n\n"
                "await asyncio.gather(f(1), f(2))"
            ),
            [1, 2],
        ),
        ("state.readFile('/src/b.ts')", "let y;\n"),
        ("state.find('/src', name='a*')[0]['path']", "/src/a.ts"),
        ("open('/n.txt', 'w').write('x')\nopen('/n.txt').read()", "x"),
        (
            (
                "with open('/n', 'w') as f:\n    f.write('a')\nwith open('/n', 'a') as f:\n"
                "    f.write('b')\nopen('/n').read()"
            ),
            "ab",
        ),
        (
            (
                "from pathlib import Path\nPath('/d/e').mkdir(parents=True)\n"
                "Path('/d/e/f').write_text('t')\nPath('/d/e/f').read_text()"
            ),
            "t",
        ),
        (
            "from pathlib import Path\nsorted(str(p) for p in Path('/src').rglob('*.ts'))",
            ["/src/a.ts", "/src/b.ts"],
        ),
        ("import os\nsorted(os.listdir('/src'))", ["a.ts", "b.ts"]),
        (
            "import os\n[(d, sorted(f)) for d, _, f in os.walk('/src')]",
            [["/src", ["a.ts", "b.ts"]]],
        ),
        ("try:\n    open('/nope')\nexcept FileNotFoundError:\n    r = 'none'\nr", "none"),
        (
            "try:\n    state.read_file('/nope')\nexcept FileNotFoundError:\n    r = 'none'\nr",
            "none",
        ),
        ("inputs['n'] + n", 4),
        ("ask(5)", [5]),
        ("f = state.exists\nf('/src')", True),
    ],
)
def test_python_scripts(
    engines: dict[str, Engine], state: State, name: str, source: str, value: Any
) -> None:
    outcome = run(engine_of(engines, name), state, source, inputs={"n": 2}, functions=("ask",))
    assert outcome.failed is None
    assert outcome.value == value


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("1 + 1", 2),
        ("const x = 1;\nx + 1", 2),
        ("const x = 1;\nx + 1;\n", 2),
        ("const x = 3\n  + 4", None),
        ("let x = 2; // a comment\nx // another\n", 2),
        ("() => 3", 3),
        ("async () => 3", 3),
        ("(state, inputs) => inputs.n", 2),
        ("async function main() { return 3 }", 3),
        ("function f() { return 3 }\nf()", 3),
        ("function f() { return 3 }\n(() => f())()", 3),
        ("return 3", 3),
        ("await state.exists('/src')", True),
        ("const ok = await state.exists('/src');\nok", True),
        ("await Promise.all([1, 2].map(async (n) => n * 2))", [2, 4]),
        ("await new Promise((done) => setTimeout(() => done(5), 1))", 5),
        (
            "try { await state.readFile('/nope') } catch (e) { return [e.name, e.code, e.path] }",
            ["FileNotFoundError", "not_found", "/nope"],
        ),
        ("inputs.n + n", 4),
        ("await ask(5)", [5]),
        ("[1, 2].at(-1) + Object.groupBy([1], () => 'k').k[0]", 3),
    ],
)
def test_javascript_scripts(
    engines: dict[str, Engine], state: State, source: str, value: Any
) -> None:
    engine = engine_of(engines, "quickjs")
    outcome = run(engine, state, source, inputs={"n": 2}, functions=("ask",))
    assert outcome.failed is None
    assert outcome.value == value


ERRORS = [
    ("cpython", "\ndef f():\n    raise ValueError('no')\nf()", "ValueError", "no", 3),
    ("monty", "\ndef f():\n    raise ValueError('no')\nf()", "ValueError", "no", 3),
    ("quickjs", "\nfunction f() {\n  throw new TypeError('no')\n}\nf()", "TypeError", "no", 3),
    ("cpython", "1\n\nx = (", "SyntaxError", "'(' was never closed", 3),
    ("quickjs", "1\n\nlet x y", "SyntaxError", "expecting ';'", 3),
    ("cpython", "1\nstate.read_fil('/')", "AttributeError", None, 2),
    ("monty", "1\nstate.read_fil('/')", "AttributeError", None, 2),
    ("quickjs", "1\nawait state.readFil('/')", "TypeError", "state has no method readFil", 2),
    ("cpython", "1\nstate.read_file('/nope')", "FileNotFoundError", None, 2),
    ("monty", "1\nstate.read_file('/nope')", "FileNotFoundError", None, 2),
    ("quickjs", "1;\nawait state.readFile('/nope')", "FileNotFoundError", None, 2),
    ("quickjs", "await new Promise(() => {})", "Error", None, None),
    ("cpython", "object()", "TypeError", None, None),
]


@pytest.mark.parametrize(("name", "source", "type", "message", "line"), ERRORS)
def test_errors_have_type_message_and_line(
    engines: dict[str, Engine],
    state: State,
    name: str,
    source: str,
    type: str,
    message: str | None,
    line: int | None,
) -> None:
    failed = run(engine_of(engines, name), state, source).failed
    assert failed is not None
    assert (failed.type, failed.line) == (type, line)
    assert message is None or failed.message == message


@pytest.mark.parametrize("name", ["cpython", "monty"])
def test_tracebacks_show_the_script_alone(
    engines: dict[str, Engine], state: State, name: str
) -> None:
    failed = run(engine_of(engines, name), state, "state.read_file('/nope')").failed
    assert failed is not None
    assert failed.traceback.count("File ") == 1
    assert 'File "<script>", line 1' in failed.traceback


@pytest.mark.parametrize("name", ["cpython", "monty", "quickjs"])
def test_what_is_printed_comes_in_order(
    engines: dict[str, Engine], state: State, name: str
) -> None:
    python = "print('a', 1)\nprint('b')\nstate.exists('/')\nprint('c')\nraise ValueError"
    javascript = "console.log('a', 1); console.log('b'); await state.exists('/');"
    javascript += " console.log('c'); throw 1"
    source = javascript if name == "quickjs" else python
    outcome = run(engine_of(engines, name), state, source)
    assert outcome.output == "a 1\nb\nc\n"
    assert outcome.failed is not None


@pytest.mark.parametrize("name", ["cpython", "monty", "quickjs"])
def test_runs_with_a_seed_are_the_same_twice(
    engines: dict[str, Engine], state: State, name: str
) -> None:
    python = "import random, time, datetime\n"
    python += "[random.random(), time.time(), datetime.datetime.now().isoformat()]"
    javascript = "[Math.random(), Date.now(), new Date().toISOString(), performance.now()]"
    source = javascript if name == "quickjs" else python
    given = {"deterministic": True, "seed": 7, "now_ns": 1_700_000_000 * 10**9}
    first, second = (run(engine_of(engines, name), state, source, **given).value for _ in range(2))
    assert first == second
    assert "2023-11-14T22:13:20" in first[2]
    other = run(engine_of(engines, name), state, source, **{**given, "seed": 8}).value
    assert other[0] != first[0]


@pytest.mark.parametrize("name", ["cpython", "monty", "quickjs"])
def test_the_deadline_ends_a_guest_and_closing_does_so_twice(
    engines: dict[str, Engine], name: str
) -> None:
    source = "for (;;) ;" if name == "quickjs" else "while True: pass"
    engine = engine_of(engines, name)
    guest = engine.start(job(source, next(iter(engine.languages))))
    assert guest.next(time.monotonic() + 0.05) == Died("timeout")
    assert guest.next(time.monotonic() + 5) == Died("timeout")
    guest.close()
    guest.close()


def test_monty_goes_on_from_a_snapshot_in_the_middle_of_a_request(
    engines: dict[str, Engine], state: State
) -> None:
    engine = engine_of(engines, "monty")
    made = job(
        "a = ask(1)\nwith open('/s', 'w') as f:\n    f.write('x')\n[a, open('/s').read()]",
        functions=("ask",),
    )
    guest = engine.start(made)
    methods = []
    while isinstance(event := guest.next(time.monotonic() + 10), Call):
        methods.append(event.method)
        stored = guest.snapshot()
        assert stored is not None
        guest.close()
        guest = engine.resume(stored, made)
        if event.method == "ask":
            guest.answer("asked")
        else:
            guest.answer(state.dispatch(event.method, event.arguments))
    guest.close()
    assert event.value == ["asked", "x"]  # type: ignore[union-attr]
    assert methods.count("ask") == 1


def test_a_damaged_snapshot_is_unavailable(engines: dict[str, Engine]) -> None:
    engine = engine_of(engines, "monty")
    with pytest.raises(UnavailableError):
        engine.resume(b'{"directory":"/","answers":[],"lent":[]}\nrubbish', job("1"))


@pytest.mark.parametrize(
    ("source", "supported"),
    [
        ("[x for x in range(3)]", True),
        ("import re, json, os", True),
        ("def f():\n    yield 1", False),
        ("class A(Exception): pass", False),
        ("import difflib", False),
        ("del x", False),
        ("x = {}\ndel x['a']", False),
        ("isinstance(1, int)", True),
        ("issubclass(int, object)", False),
        ("import re\nre.sub('a', lambda m: 'b', 'a')", False),
        ("next(x for x in [1])", False),
        ("x = (", True),
    ],
)
def test_monty_tells_what_it_lacks(
    engines: dict[str, Engine], source: str, supported: bool
) -> None:
    assert engines["monty"].can_run(job(source)) is supported


def test_no_more_guests_than_there_are_places(
    engines: dict[str, Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    from vshell.script.engines import jailed

    engine = engine_of(engines, "cpython")
    monkeypatch.setattr(jailed, "MAX_GUESTS", 2)
    monkeypatch.setattr(jailed, "_PLACE_TIMEOUT_S", 0.01)
    monkeypatch.setattr(jailed, "_places", jailed._Places())
    first, second = engine.start(job("1")), engine.start(job("2"))
    with pytest.raises(UnavailableError, match="2 scripts are running already"):
        engine.start(job("3"))
    first.close()
    first.close()
    third = engine.start(job("3"))
    with pytest.raises(UnavailableError):
        engine.start(job("4"))
    second.close()
    third.close()


def test_who_ended_a_guest_is_told_where_the_system_can(engines: dict[str, Engine]) -> None:
    import os
    import signal
    import time

    from vshell.script.engines.jailed import JailedGuest

    engine = engine_of(engines, "cpython")
    guest = engine.start(job("while True: pass"))
    assert isinstance(guest, JailedGuest)
    process = guest._forked.process
    assert process is not None
    signal.pidfd_send_signal(process, signal.SIGKILL)  # as the kernel does when memory is out
    event = guest.next(time.monotonic() + 5)
    assert isinstance(event, Died)
    release = tuple(int(part) for part in os.uname().release.split(".")[:2])
    assert event.reason == ("killed" if release >= (6, 15) else "crash")


def test_a_guest_can_be_given_to_another_process(engines: dict[str, Engine], state: State) -> None:
    import os

    from vshell.script.engines.jailed import JailedGuest

    engine = engine_of(engines, "cpython")
    made = job("state.read_file('/src/b.ts')")
    guest = engine.start(made)
    assert isinstance(guest, JailedGuest)
    socket, process = guest.detach()
    assert process is not None
    taken = JailedGuest.attached(socket, made.limits)
    assert drive(taken, state, Limits(timeout_s=5)).value == "let y;\n"
    taken.close()
    os.close(process)


@pytest.mark.parametrize(
    ("name", "source", "code", "output"),
    [
        (
            "cpython",
            "import sys\nprint(sys.argv[1:], sys.stdin.read())\nsys.exit(3)",
            3,
            "['a', 'b'] typed\n",
        ),
        ("cpython", "import sys\nsys.exit('bye')", 1, "bye\n"),
        ("cpython", "print(input())", 0, "typed\n"),
        ("cpython", "import sys\nsys.stdout.buffer.write(b'\\xff')", 0, "\ufffd"),
        ("quickjs", "console.log(process.argv.slice(2)); process.exit(3)", 3, "[ 'a', 'b' ]\n"),
        ("quickjs", "console.log(require('fs').readFileSync(0, 'utf8'))", 0, "typed\n"),
        (
            "quickjs",
            (
                "const fs = require('node:fs'); fs.writeFileSync('/w', 'é');\n"
                "console.log(fs.readFileSync('/w').length, fs.existsSync('/w'), fs.readdirSync('/src'))"
            ),
            0,
            "2 true [ 'a.ts', 'b.ts' ]\n",
        ),
        ("quickjs", "import { join } from 'path';\nconsole.log(join('/a', '..', 'b'));", 0, "/b\n"),
        (
            "quickjs",
            (
                "let text = '';\nprocess.stdin.on('data', (part) => { text += part; });\n"
                "process.stdin.on('end', () => console.log(text.length));"
            ),
            0,
            "5\n",
        ),
        ("quickjs", "setTimeout(() => console.log('late'), 1); process.exitCode = 4", 4, "late\n"),
        (
            "quickjs",
            "try { require('fs').readFileSync('/x') } catch (e) { console.log(e.code) }",
            0,
            "ENOENT\n",
        ),
    ],
)
def test_programs_have_arguments_streams_and_an_exit_code(
    engines: dict[str, Engine], state: State, name: str, source: str, code: int, output: str
) -> None:
    outcome = run(
        engine_of(engines, name),
        state,
        source,
        mode="program",
        name="/p.py",
        arguments=("a", "b"),
        stdin=b"typed",
    )
    assert outcome.value == code
    assert outcome.output == output


def test_a_program_imports_what_stands_next_to_it(engines: dict[str, Engine], state: State) -> None:
    state.write_file("/app/helper.py", "def twice(x):\n    return 2 * x\n")
    state.write_file("/app/package/__init__.py", "from .inner import NAME\n")
    state.write_file("/app/package/inner.py", "NAME = 'inner'\n")
    source = "import helper, package\nprint(helper.twice(2), package.NAME)"
    outcome = run(engine_of(engines, "cpython"), state, source, mode="program", name="/app/main.py")
    assert (outcome.value, outcome.output) == (0, "4 inner\n")


@pytest.mark.parametrize(
    ("name", "source", "first", "last"),
    [
        (
            "cpython",
            "1/0",
            "Traceback (most recent call last):",
            "ZeroDivisionError: division by zero",
        ),
        ("cpython", "x = (", '  File "/p.py", line 1', "SyntaxError: '(' was never closed"),
        ("quickjs", "throw new Error('no')", "Uncaught Error: no", "    at <anonymous> (<input>:1"),
        ("quickjs", "let x y", "Uncaught SyntaxError: expecting ';'", "    at <input>:1"),
    ],
)
def test_a_program_that_fails_says_so_and_has_the_exit_code_1(
    engines: dict[str, Engine], state: State, name: str, source: str, first: str, last: str
) -> None:
    outcome = run(engine_of(engines, name), state, source, mode="program", name="/p.py")
    assert outcome.value == 1
    lines = outcome.output.splitlines()
    assert lines[0] == first
    assert lines[-1].startswith(last)
    assert {log.stream for log in outcome.logs} == {"stderr"}
