"""Programs of `jq`, run by the `jq` library.

The library takes one value at a time and knows neither inputs nor environment of ours,
so a program is put into a frame that binds these: `$ENV` would otherwise be the host's.
"""

from __future__ import annotations

import io
import json
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

from vshell.shell.command import Invocation
from vshell.shell.command_io import BufferedOutput, Failure, to_bytes
from vshell.shell.commands.jq.documents import BadJSONError
from vshell.shell.commands.jq.inputs import inputs
from vshell.shell.commands.jq.printing import printer
from vshell.shell.commands.jq.settings import Settings

_FRAME: Final = (
    "$vshell_env as $ENV | def env: $ENV; def input_filename: $vshell_file;"
    " def inputs: $vshell_inputs[];"
    " def input: if ($vshell_inputs | length) > 0 then $vshell_inputs[0]"
    ' else error("No more inputs") end;'
    " def halt_error($code): {vshell_halt: [$code, .]} | error;"
    " def halt_error: halt_error(5); def halt: {vshell_halt: [0, null]} | error;"
    " (%s\n) | tojson"
)
"""On one line, so that lines are counted as in the program alone."""
_MODULE: Final = re.compile(r"(?:\s|#[^\n]*\n)*(?:module\b|import\b|include\b)")
_USES_INPUT: Final = re.compile(r"(?<![.$\w])(inputs?)\b")
_STACK_BYTES: Final = 64 * 1024 * 1024
"""Programs may nest values deeply, and the library frees them by recursion."""
_MAX_DEPTH: Final = 900
# Running.


def run_program(call: Invocation, settings: Settings) -> int:
    """Run a program; return the exit code.

    Raises:
        Failure: The program is wrong.
    """
    outcome: list[int | BaseException] = []
    # Another thread cannot wait for the rest of the pipeline.
    needs_inputs = "null-input" not in settings.flags or "input" in (settings.program or "")
    needs_stdin = needs_inputs and (not settings.files or "-" in settings.files)
    stdin = io.BytesIO(call.stdin.read() if needs_stdin else b"")
    stdout, stderr = io.BytesIO(), io.BytesIO()
    inner = replace(call, stdin=stdin, stdout=stdout, stderr=stderr)

    def work() -> None:
        try:
            outcome.append(_run(inner, settings))
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            outcome.append(error)

    _in_deep_thread(work)
    call.stderr.write(stderr.getvalue())
    call.stdout.write(stdout.getvalue())
    result = outcome[0]
    if isinstance(result, BaseException):
        raise result
    return result


_THREADS: Final = threading.Lock()


def _in_deep_thread(work: Callable[[], None]) -> None:
    with _THREADS:
        before = threading.stack_size(_STACK_BYTES)
        try:
            thread = threading.Thread(target=work, name="jq")
            thread.start()
        finally:
            threading.stack_size(before)
    thread.join()


class _State:
    def __init__(self) -> None:
        self.status = 0
        self.last: str | None = None

    def input_failed(self) -> None:
        self.status = 2


class _Halt(Exception):  # noqa: N818 - it is how a program ends
    def __init__(self, code: int, value: Any) -> None:
        super().__init__()
        self.code = code
        self.value = value


def _compiler(call: Invocation, settings: Settings) -> Callable[[Sequence[Any], str | None], Any]:
    import jq

    program = settings.program or "."
    if _MODULE.match(program):
        raise Failure("error: modules are not supported here\njq: 1 compile error", 3)
    constants = {
        **settings.named,
        "ARGS": {"positional": settings.positional, "named": settings.named},
        "named": settings.named.get("named"),
    }
    if "named" not in settings.named:
        del constants["named"]
    try:
        # By itself first: so nothing can reach out of the frame, and errors have their places.
        jq.compile(program, args=constants)
    except ValueError as error:
        raise Failure(_compile_error(str(error), program), 3) from None
    frame = _FRAME % program

    constants["vshell_env"] = dict(call.environment)

    @lru_cache(maxsize=1)
    def compile_alone(name: str | None) -> Any:
        return jq.compile(frame, args={**constants, "vshell_inputs": [], "vshell_file": name})

    def compile_for(rest: Sequence[Any], name: str | None) -> Any:
        # Compiling takes longer than most inputs do.
        if not rest:
            return compile_alone(name)
        return jq.compile(frame, args={**constants, "vshell_inputs": rest, "vshell_file": name})

    return compile_for


def _compile_error(message: str, program: str) -> str:
    text = message.removeprefix("jq: ")
    return text if "compile error" in text else f"{text}\n{program}\njq: 1 compile error"


def _run(call: Invocation, settings: Settings) -> int:
    compile_for = _compiler(call, settings)
    state = _State()
    with BufferedOutput(call.stdout) as out:
        show = printer(settings, out)
        try:
            for text, rest, name in _passes(call, settings, state):
                _one_pass(call, compile_for(rest, name).input_text(text), show, state)
        except BadJSONError as error:
            call.stderr.write(to_bytes(f"parse error: {error}\n"))
            return 4
        except _Halt as halt:
            _say_halt(call, halt)
            return halt.code
    if "exit-status" in settings.flags and not state.status:
        return 0 if state.last is None else int(state.last in ("null", "false"))
    return state.status


def _say_halt(call: Invocation, halt: _Halt) -> None:
    if halt.value is None and not halt.code:
        return
    text = (
        halt.value
        if isinstance(halt.value, str)
        else json.dumps(halt.value, ensure_ascii=False, separators=(",", ":")) + "\n"
    )
    call.stderr.write(to_bytes(text))


Pass = tuple[str, list[Any], str | None]


def _passes(call: Invocation, settings: Settings, state: _State) -> Iterator[Pass]:
    """Yield what the program runs on: a value, the inputs that it may ask for, a file's name."""
    values = inputs(call, settings, state.input_failed)
    used = set(_USES_INPUT.findall(settings.program or ""))
    if "null-input" in settings.flags:
        rest = [json.loads(text) for text, _ in values] if used else []
        yield "null", rest, None
    elif "inputs" in used:
        first = next(values, None)
        if first is not None:
            yield first[0], [json.loads(text) for text, _ in values], first[1]
    elif used:
        for text, name in values:
            following = next(values, None)
            yield text, [] if following is None else [json.loads(following[0])], name
    else:
        for text, name in values:
            yield text, [], name


def _one_pass(call: Invocation, program: Any, show: Callable[[str], None], state: _State) -> None:
    try:
        for result in program:
            state.last = result
            show(result)
        state.status = 2 if state.status == 2 else 0
    except (ValueError, RecursionError) as error:
        halted = _halted(str(error))
        if halted is not None:
            raise halted from None
        call.complain(f"error (at <unknown>): {error}")
        state.status = 5


def _halted(message: str) -> _Halt | None:
    if not message.startswith('{"vshell_halt":'):
        return None
    try:
        code, value = json.loads(message)["vshell_halt"]
    except (ValueError, KeyError, TypeError):
        return None
    return _Halt(int(code) & 0xFF if isinstance(code, (int, float)) else 5, value)
