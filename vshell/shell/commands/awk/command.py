"""The command line of `awk`, and running a program from its beginning to its end."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

from vshell._version import __version__
from vshell.errors import VshellError
from vshell.shell.command import Invocation
from vshell.shell.command_io import read_all, to_text
from vshell.shell.commands.awk.compiler import FILE_NAME, Compiled, compile_program
from vshell.shell.commands.awk.errors import (
    FATAL_STATUS,
    AwkFatal,
    AwkSyntaxError,
    ProgramExit,
    SkipRecord,
)
from vshell.shell.commands.awk.inplace import edit_in_place
from vshell.shell.commands.awk.inputs import ASSIGNMENT
from vshell.shell.commands.awk.lexer import unescape
from vshell.shell.commands.awk.runtime import Runtime
from vshell.shell.commands.awk.values import from_outside
from vshell.shell.messages import named_reason, reason

__all__ = ["run"]

MAX_CALLS: Final = 20_000
"""How deep functions of a program may call each other."""
_USAGE: Final = """\
Usage: {name} [-F fs] [-v var=value] [--] 'program' [file ...]
       {name} [-F fs] [-v var=value] -f progfile [--] [file ...]

  -F, --field-separator=fs   The value of FS.
  -v, --assign=var=value     Give a variable a value before the program begins.
  -f, --file=progfile        Read the program from a file; may be given again.
  -e, --source=program       A part of the program; may be given again.
  -i inplace                 Edit the files in place.
  -b, -c, -n, -O, -P, -r, -s, -S, -t, -W   Accepted.
      --help                 Display this help and exit.
      --version              Output version information and exit.
"""
_LONG: Final = {
    "assign": "v", "field-separator": "F", "file": "f", "source": "e", "include": "i",
    "exec": "E", "help": "h", "version": "V", "re-interval": "r", "posix": "P",
    "characters-as-bytes": "b", "traditional": "c", "non-decimal-data": "n", "sandbox": "S",
    "optimize": "O", "no-optimize": "s", "lint-old": "t",
}  # fmt: skip
_WITH_VALUE: Final = "FvfeEiW"
_ACCEPTED: Final = "bcnOPrsSt"
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(slots=True)
class _Settings:
    """What was asked for."""

    sources: list[tuple[str, str]] = field(default_factory=list)
    assignments: list[tuple[str, str]] = field(default_factory=list)
    separator: str | None = None
    in_place: bool = False
    operands: list[str] = field(default_factory=list)
    answer: str = ""


class _UsageError(Exception):
    pass


def run(call: Invocation) -> int:
    """Run `awk`."""
    try:
        settings = _settings(list(call.operands), call.name)
    except _UsageError as error:
        call.complain(str(error))
        return FATAL_STATUS
    if settings.answer:
        call.write(settings.answer)
        return 0
    if not settings.sources:
        if not settings.operands:
            call.stderr.write(_USAGE.format(name=call.name).encode())
            return FATAL_STATUS
        settings.sources.append(("e", settings.operands.pop(0)))
    return _run_settings(call, settings)


def _run_settings(call: Invocation, settings: _Settings) -> int:
    source = _Source()
    try:
        for kind, text in settings.sources:
            source.add("cmd. line" if kind == "e" else text, _program(call, kind, text))
        names = {name for name, _ in settings.assignments}
        names |= {found[1] for each in settings.operands if (found := ASSIGNMENT.fullmatch(each))}
        compiled = compile_program(source.text, frozenset(names))
    except AwkSyntaxError as error:
        call.stderr.write(source.complaint(call.name, error).encode("utf-8", "surrogateescape"))
        return 1 if call.name == "gawk" else FATAL_STATUS
    except AwkFatal as error:
        call.complain(f"{source.at(error.position)}fatal: {error}")
        return FATAL_STATUS
    return _Run(call, settings, compiled, source).run()


# The command line.


def _settings(words: list[str], name: str) -> _Settings:
    found = _Settings()
    while words and words[0].startswith("-") and words[0] != "-":
        word = words.pop(0)
        if word == "--":
            break
        if word.startswith("--"):
            _take_long(found, word[2:], words, name)
        else:
            _take_short(found, word[1:], words, name)
        if found.answer or (found.sources and found.sources[-1][0] == "E"):
            break
    found.operands = words
    return found


def _take_long(found: _Settings, text: str, words: list[str], name: str) -> None:
    typed, equals, value = text.partition("=")
    fitting = {letter for long, letter in _LONG.items() if long.startswith(typed)}
    letter = _LONG.get(typed) or (fitting.pop() if len(fitting) == 1 else None)
    if typed in ("lint", "lint-old", "profile", "pretty-print", "dump-variables"):
        return
    if letter is None:
        raise _UsageError(f"unrecognized option '--{text}'")
    if letter in _WITH_VALUE and not equals:
        if not words:
            raise _UsageError(f"option '--{typed}' requires an argument")
        value = words.pop(0)
    _take(found, letter, value, name)


def _take_short(found: _Settings, text: str, words: list[str], name: str) -> None:
    while text:
        letter, text = text[0], text[1:]
        if letter in _WITH_VALUE:
            if not text and not words:
                raise _UsageError(f"option requires an argument -- '{letter}'")
            _take(found, letter, text or words.pop(0), name)
            return
        _take(found, letter, "", name)


def _take(found: _Settings, letter: str, value: str, name: str) -> None:
    if letter == "F":
        found.separator = "\t" if value == "t" else value
    elif letter == "v":
        match = ASSIGNMENT.fullmatch(value)
        if match is None:
            raise _UsageError(f"fatal: `{value}' argument to `-v' not in `var=value' form")
        found.assignments.append((match[1], match[2]))
    elif letter in "feE":
        found.sources.append((letter, value))
    elif letter == "i":
        if value not in ("inplace", "inplace.awk"):
            raise _UsageError(
                f"fatal: cannot open source file `{value}' for reading: not supported"
            )
        found.in_place = True
    elif letter == "h":
        found.answer = _USAGE.format(name=name)
    elif letter == "V" or (letter == "W" and value.startswith("v")):
        found.answer = f"{name} (vshell) {__version__}, the language of GNU Awk 5.2\n"
    elif letter not in _ACCEPTED and letter != "W":
        raise _UsageError(f"invalid option -- '{letter}'")


def _program(call: Invocation, kind: str, text: str) -> str:
    if kind == "e":
        return text
    try:
        return to_text(read_all(call, text))
    except VshellError as error:
        raise AwkFatal(f"cannot open source file `{text}' for reading: {reason(error)}") from None


class _Source:
    """The text of a program, put together from several places."""

    def __init__(self) -> None:
        self.text = ""
        self._parts: list[tuple[int, int, str]] = []

    def add(self, name: str, text: str) -> None:
        """Add a part."""
        if self.text and not self.text.endswith("\n"):
            self.text += "\n"
        self._parts.append((len(self.text), self.text.count("\n"), name))
        self.text += text

    def where(self, line: int) -> str:
        """Return what gawk says a line is: `cmd. line:2`."""
        _, before, name = max(
            (part for part in self._parts if part[1] < line), default=(0, 0, "cmd. line")
        )
        return f"{name}:{line - before}"

    def at(self, position: int | None) -> str:
        """Return the beginning of a message about a place; nothing for none."""
        if position is None:
            return ""
        return f"{self.where(self.text.count(chr(10), 0, position) + 1)}: "

    def complaint(self, command: str, error: AwkSyntaxError) -> str:
        """Return the two lines by which gawk shows where a program is wrong."""
        start = self.text.rfind("\n", 0, error.position) + 1
        end = self.text.find("\n", start)
        line = self.text[start:] if end < 0 else self.text[start:end]
        where = f"{command}: {self.at(start)}"
        column = " " * (error.position - start)
        return f"{where}{line}\n{where}{column}^ {error.message}\n"


# Running.


class _Run:
    def __init__(
        self, call: Invocation, settings: _Settings, compiled: Compiled, source: _Source
    ) -> None:
        self._call = call
        self._source = source
        self._sections = compiled.sections
        self.runtime = Runtime(call, compiled.needs)
        names = self._names = self.runtime.namespace
        compiled.fill(names)
        names["a_ARGV"].update(_arguments(call.name, settings.operands))
        names["v_ARGC"] = float(len(settings.operands) + 1)
        self._settings = settings
        self.runtime.begin_file = names.get("begin_file")
        self.runtime.end_file = names.get("end_file")
        if settings.in_place:
            edit_in_place(call, self.runtime)

    def run(self) -> int:
        """Run the sections in turn; return the exit code."""
        runtime = self.runtime
        try:
            with _deep_calls():
                self._run_sections()
            runtime.streams.finish()
        except AwkFatal as error:
            return self._fail(str(error), error)
        except ZeroDivisionError as error:
            return self._fail("division by zero attempted", error)
        except RecursionError as error:
            return self._fail("functions call each other too deeply", error)
        except MemoryError as error:
            return self._fail("out of memory", error)
        except VshellError as error:
            return self._fail(named_reason(error), error)
        finally:
            runtime.streams.abandon()
        return runtime.exit_status

    def _run_sections(self) -> None:
        runtime, names = self.runtime, self._names
        if self._settings.separator is not None:
            runtime.assign("FS", unescape(self._settings.separator))
        for name, value in self._settings.assignments:
            runtime.assign(name, unescape(value))
        with suppress(ProgramExit):
            try:
                if "begin" in self._sections:
                    names["begin"]()
                if "main" in self._sections:
                    names["main"](runtime.input.blocks(), runtime.record, set())
            except SkipRecord:
                raise AwkFatal("`next' cannot be called from a BEGIN rule") from None
            except ProgramExit:
                if "end" not in self._sections:
                    raise
            if "end" in self._sections:
                names["end"]()

    def _fail(self, message: str, error: BaseException) -> int:
        """Say why the program cannot go on, and where it was."""
        with suppress(AwkFatal, VshellError):
            self.runtime.streams.finish()
        line = 0 if isinstance(error, AwkFatal) and error.is_of_input else _line_of(error)
        where = f"{self._source.where(line)}: " if line else ""
        if line and (record := self.runtime.input.delivered()):
            where += f"(FILENAME={self._names['v_FILENAME'] or '-'} FNR={record}) "
        self._call.complain(f"{where}fatal: {message}")
        return FATAL_STATUS


def _line_of(error: BaseException) -> int:
    """Return the line of the program in which an error came up, or 0."""
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == FILE_NAME:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _arguments(name: str, operands: list[str]) -> Iterator[tuple[str, str]]:
    """Yield the elements of ARGV."""
    for place, text in enumerate((name, *operands)):
        yield str(place), from_outside(text)


@dataclass(slots=True)
class _Depth:
    """How many programs run, and the limit of recursion that the first of them found."""

    programs: int = 0
    before: int = 0


_DEPTH: Final = _Depth()


@contextmanager
def _deep_calls() -> Iterator[None]:
    """Let functions call each other as deep as programs need it.

    A call from Python to Python takes no room on the stack of the process. The programs of a
    pipeline run by turns: the last of them that ends sets the limit back.
    """
    if not _DEPTH.programs:
        _DEPTH.before = sys.getrecursionlimit()
        sys.setrecursionlimit(max(_DEPTH.before, MAX_CALLS))
    _DEPTH.programs += 1
    try:
        yield
    finally:
        _DEPTH.programs -= 1
        if not _DEPTH.programs:
            sys.setrecursionlimit(_DEPTH.before)
