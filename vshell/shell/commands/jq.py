"""`jq`: JSON, filtered by a program, in the `jq` library.

The library takes one value at a time and knows neither inputs nor environment of ours,
so a program is put into a frame that binds these: `$ENV` would otherwise be the host's.
"""

from __future__ import annotations

import io
import json
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from vshell.errors import VshellError
from vshell.shell.command import Command, Input, Invocation, Option, Output
from vshell.shell.command_io import BufferedOutput, Failure, failing, read_all, to_bytes, to_text
from vshell.shell.messages import reason

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
_USAGE: Final = (
    "Use jq --help for help with command-line options,\n"
    "or see the jq manpage, or online docs  at https://stedolan.github.io/jq\n"
)


class _Number(str):
    """A number, as it is written."""

    __slots__ = ()


@dataclass(slots=True)
class _Settings:
    program: str | None = None
    files: list[str] = field(default_factory=list)
    named: dict[str, Any] = field(default_factory=dict)
    positional: list[Any] = field(default_factory=list)
    flags: set[str] = field(default_factory=set)
    indent: str | None = "  "
    from_file: str | None = None


_SHORT: Final = {
    "n": "null-input", "r": "raw-output", "j": "join-output", "c": "compact-output", "s": "slurp",
    "R": "raw-input", "S": "sort-keys", "e": "exit-status", "a": "ascii-output",
    "M": "monochrome-output", "f": "from-file", "h": "help", "V": "version",
}  # fmt: skip
_LONG: Final = {
    *_SHORT.values(),
    "tab",
    "unbuffered",
    "raw-output0",
    "arg",
    "argjson",
    "slurpfile",
    "rawfile",
    "args",
    "jsonargs",
    "indent",
}


class _Usage(Failure):
    def __init__(self, message: str, *, hint: bool = True) -> None:
        super().__init__(message, 2)
        self.hint = _USAGE if hint else ""


def _settings(call: Invocation) -> _Settings:
    settings = _Settings()
    words = list(call.operands)
    rest = ""  # what operands are, after --args
    only_operands = False
    while words:
        word = words.pop(0)
        if word == "--" and not only_operands:
            only_operands = True
        elif only_operands or not word.startswith("-") or word == "-":
            _operand(settings, word, rest)
        elif word.startswith("--"):
            name = word[2:]
            if name not in _LONG:
                raise _Usage(f"Unknown option {word}")
            rest = _long_option(call, settings, name, words, rest)
        else:
            for letter in word[1:]:
                if letter not in _SHORT:
                    raise _Usage(f"Unknown option {word}")
                rest = _long_option(call, settings, _SHORT[letter], words, rest)
    if settings.from_file is not None:
        if settings.program is not None:
            settings.files.insert(0, settings.program)
        settings.program = _read_program(call, settings.from_file)
    return settings


def _operand(settings: _Settings, word: str, rest: str) -> None:
    if settings.program is None and settings.from_file is None:
        settings.program = word
    elif rest == "args":
        settings.positional.append(word)
    elif rest == "jsonargs":
        settings.positional.append(_json(word, "invalid JSON text passed to --jsonargs"))
    else:
        settings.files.append(word)


def _long_option(
    call: Invocation, settings: _Settings, name: str, words: list[str], rest: str
) -> str:
    if name in ("args", "jsonargs"):
        return name
    if name in ("arg", "argjson", "slurpfile", "rawfile"):
        if len(words) < 2:
            what = {"arg": "value", "argjson": "text"}.get(name, "filename")
            raise _Usage(f"--{name} takes two parameters (e.g. --{name} varname {what})")
        variable, value = words.pop(0), words.pop(0)
        settings.named.setdefault(variable, _named_value(call, name, variable, value))
    elif name == "indent":
        settings.indent = _indent(words)
    elif name == "tab":
        settings.indent = "\t"
    elif name == "compact-output":
        settings.indent = None
    elif name == "from-file":
        settings.from_file = words.pop(0) if words else ""
    else:
        settings.flags.add(name)
    return rest


def _indent(words: list[str]) -> str | None:
    if not words:
        raise _Usage("--indent takes one parameter")
    text = words.pop(0)
    # As C's `atoi` reads it.
    digits = re.match(r"\s*([-+]?[0-9]{1,9})", text)
    width = int(digits[1]) if digits else 0
    if not -1 <= width <= 7:
        raise _Usage("--indent takes a number between -1 and 7")
    return "\t" if width < 0 else " " * width or None


def _named_value(call: Invocation, kind: str, variable: str, value: str) -> Any:
    if kind == "arg":
        return value
    if kind == "argjson":
        return _json(value, "invalid JSON text passed to --argjson")
    try:
        text = to_text(read_all(call, value))
    except VshellError as error:
        raise _Usage(
            f"Bad JSON in --{kind} {variable} {value}: Could not open {value}: {reason(error)}",
            hint=False,
        ) from None
    if kind == "rawfile":
        return text
    try:
        return [json.loads(each) for each in _documents(text)]
    except _BadJSONError as error:
        raise _Usage(f"Bad JSON in --{kind} {variable} {value}: {error}", hint=False) from None


def _json(text: str, message: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise _Usage(message) from None


def _read_program(call: Invocation, name: str) -> str:
    try:
        return to_text(read_all(call, name))
    except VshellError as error:
        raise Failure(f"Could not open {name}: {reason(error)}", 2) from None


# Reading.


class _BadJSONError(ValueError):
    pass


_SPACE: Final = re.compile(r"[ \t\r\n\ufeff]*")
_DECODER: Final = json.JSONDecoder()


def _documents(text: str) -> Iterator[str]:
    """Yield the texts of the values that a text holds.

    Raises:
        _BadJSONError: What comes is no JSON, or is nested too deeply.
    """
    position = 0
    while True:
        space = _SPACE.match(text, position)
        assert space is not None
        position = space.end()
        if position == len(text):
            return
        try:
            _, end = _DECODER.raw_decode(text, position)
        except json.JSONDecodeError as error:
            raise _BadJSONError(_parse_error(text, error)) from None
        except RecursionError:
            raise _BadJSONError("Exceeds depth limit for parsing") from None
        following = text[end : end + 1]
        if following and (following.isalnum() and text[end - 1].isalnum()):
            line = text.count("\n", 0, end) + 1
            raise _BadJSONError(f"Invalid literal at line {line}, column {_column(text, end)}")
        yield text[position:end]
        position = end


def _column(text: str, position: int) -> int:
    return position - (text.rfind("\n", 0, position) + 1)


def _parse_error(text: str, error: json.JSONDecodeError) -> str:
    """Word an error as jq does, by letting jq find it."""
    import jq

    try:
        jq.compile(".").input_text(text).text()
    except (ValueError, RecursionError) as found:
        return str(found).removeprefix("parse error: ")
    return str(error)


def _inputs(
    call: Invocation, settings: _Settings, state: _State
) -> Iterator[tuple[str, str | None]]:
    """Yield the text of each input value, and the file that it is from."""
    raw, slurp = "raw-input" in settings.flags, "slurp" in settings.flags
    gathered: list[str] = []
    for name in settings.files or ("-",):
        try:
            text = call.stdin.read() if not settings.files else read_all(call, name)
        except VshellError as error:
            call.complain(f"error: Could not open file {name}: {reason(error)}")
            state.status = 2
            continue
        shown = name if settings.files else None
        decoded = text.decode("utf-8", "replace")
        if raw and slurp:
            gathered.append(decoded)
        elif raw:
            for line in decoded.removesuffix("\n").split("\n") if decoded else []:
                yield json.dumps(line), shown
        elif slurp:
            gathered += _documents(decoded)
        else:
            yield from ((each, shown) for each in _documents(decoded))
    if raw and slurp:
        yield json.dumps("".join(gathered)), None
    elif slurp:
        yield f"[{','.join(gathered)}]", None


# Running.


class _State:
    def __init__(self) -> None:
        self.status = 0
        self.last: str | None = None


class _Halt(Exception):  # noqa: N818 - it is how a program ends
    def __init__(self, code: int, value: Any) -> None:
        super().__init__()
        self.code = code
        self.value = value


def _compiler(call: Invocation, settings: _Settings) -> Callable[[Sequence[Any], str | None], Any]:
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

    def compile_for(inputs: Sequence[Any], name: str | None) -> Any:
        return jq.compile(
            frame,
            args={
                **constants,
                "vshell_env": dict(call.environment),
                "vshell_inputs": inputs,
                "vshell_file": name,
            },
        )

    return compile_for


def _compile_error(message: str, program: str) -> str:
    text = message.removeprefix("jq: ")
    return text if "compile error" in text else f"{text}\n{program}\njq: 1 compile error"


def file_operands(call: Invocation) -> list[str]:
    """Return the files that are meant; `yq` reads them itself.

    Raises:
        Failure: The words are wrong.
    """
    return _settings(call).files


def run_on(call: Invocation, source: Input, out: Output, *, compact: bool) -> int:
    """Run a program on JSON from elsewhere, for `yq`.

    Raises:
        Failure: The words or the program are wrong.
    """
    settings = _settings(call)
    settings.files = []
    settings.program = settings.program or "."
    if compact:
        settings.indent = None
        settings.flags -= {"raw-output", "join-output", "raw-output0"}
    return _run_deep(replace(call, stdin=source, stdout=out), settings)


@failing
def run(call: Invocation) -> int:
    try:
        settings = _settings(call)
    except _Usage as usage:
        call.stderr.write(to_bytes(f"jq: {usage}\n{usage.hint}"))
        return 2
    if settings.program is None:
        settings.program = "."
    return _run_deep(call, settings)


def _run_deep(call: Invocation, settings: _Settings) -> int:
    outcome: list[int | BaseException] = []
    # Another thread cannot wait for the rest of the pipeline.
    needs_stdin = "null-input" not in settings.flags or "input" in (settings.program or "")
    stdin = io.BytesIO(call.stdin.read() if needs_stdin and not settings.files else b"")
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


def _run(call: Invocation, settings: _Settings) -> int:
    compile_for = _compiler(call, settings)
    state = _State()
    with BufferedOutput(call.stdout) as out:
        printer = _printer(settings, out, state)
        try:
            for text, rest, name in _passes(call, settings, state):
                _one_pass(call, compile_for(rest, name).input_text(text), printer, state)
        except _BadJSONError as error:
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


def _passes(call: Invocation, settings: _Settings, state: _State) -> Iterator[Pass]:
    """Yield what the program runs on: a value, the inputs that it may ask for, a file's name."""
    inputs = _inputs(call, settings, state)
    used = set(_USES_INPUT.findall(settings.program or ""))
    if "null-input" in settings.flags:
        rest = [json.loads(text) for text, _ in inputs] if used else []
        yield "null", rest, None
    elif "inputs" in used:
        first = next(inputs, None)
        if first is not None:
            yield first[0], [json.loads(text) for text, _ in inputs], first[1]
    elif used:
        for text, name in inputs:
            following = next(inputs, None)
            yield text, [] if following is None else [json.loads(following[0])], name
    else:
        for text, name in inputs:
            yield text, [], name


def _one_pass(
    call: Invocation, program: Any, printer: Callable[[str], None], state: _State
) -> None:
    try:
        for result in program:
            printer(result)
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


# Printing.


def _printer(settings: _Settings, out: BufferedOutput, state: _State) -> Callable[[str], None]:
    flags = settings.flags
    raw = bool(flags & {"raw-output", "join-output", "raw-output0"})
    end = "" if "join-output" in flags else "\0" if "raw-output0" in flags else "\n"
    ascii_only, sort = "ascii-output" in flags, "sort-keys" in flags

    def show(text: str) -> None:
        state.last = text
        if raw and text.startswith('"'):
            value = json.loads(text)
            out.write((value + end).encode("utf-8", "surrogatepass"))
            return
        if settings.indent is not None or sort or ascii_only:
            text = _formatted(_parsed(text), settings.indent, ascii_only, sort)
        out.write((text + end).encode("utf-8", "surrogatepass"))

    return show


def _parsed(text: str) -> Any:
    return json.loads(text, parse_int=_Number, parse_float=_Number, parse_constant=_Number)


def _formatted(value: Any, indent: str | None, ascii_only: bool, sort: bool, level: int = 0) -> str:
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, str):
        return _string(value, ascii_only)
    if isinstance(value, (list, dict)) and value:
        if isinstance(value, list):
            items = [_formatted(each, indent, ascii_only, sort, level + 1) for each in value]
            opened, closed = "[", "]"
        else:
            colon = ":" if indent is None else ": "
            keys = sorted(value) if sort else value
            items = [
                _string(key, ascii_only)
                + colon
                + _formatted(value[key], indent, ascii_only, sort, level + 1)
                for key in keys
            ]
            opened, closed = "{", "}"
        if indent is None:
            return opened + ",".join(items) + closed
        inner = "\n" + indent * (level + 1)
        return opened + inner + f",{inner}".join(items) + "\n" + indent * level + closed
    return json.dumps(value)


def _string(text: str, ascii_only: bool) -> str:
    return json.dumps(text, ensure_ascii=ascii_only).replace("\x7f", "\\u007f")


_HELP: Final = {
    "n": "Use `null` as the single input value.",
    "r": "Output strings raw, without escapes and quotes.",
    "j": "Like -r, without newlines.",
    "c": "Compact instead of pretty-printed output.",
    "s": "Read all inputs into an array.",
    "R": "Read each line as a string.",
    "S": "Sort keys of objects on output.",
    "e": "Set the exit status by the last output.",
    "a": "Escape all but ASCII.",
    "M": "Without colours (always so).",
    "f": "Read the program from a file.",
}

COMMANDS: Final = (
    Command(
        "jq",
        "[OPTIONS] FILTER [FILES...]",
        "Process JSON by a program.",
        run,
        options=(
            *(
                Option((f"-{letter}", f"--{_SHORT[letter]}"), text)
                for letter, text in _HELP.items()
            ),
            Option(("--tab",), "Use tabs for indentation."),
            Option(("--indent",), "Use n spaces for indentation.", "n"),
            Option(("--arg",), "Set variable $a to string v.", "a v"),
            Option(("--argjson",), "Set variable $a to JSON value v.", "a v"),
            Option(("--slurpfile",), "Set variable $a to the values in file f.", "a f"),
            Option(("--rawfile",), "Set variable $a to the text of file f.", "a f"),
            Option(("--args",), "Remaining arguments are string arguments."),
            Option(("--jsonargs",), "Remaining arguments are JSON arguments."),
            Option(("--raw-output0",), "Like -r, with NUL after each output."),
        ),
        raw=True,
        usage_status=2,
    ),
)
