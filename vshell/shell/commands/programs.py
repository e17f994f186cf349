"""`python` and `node`: programs in a sandbox, on the files of the workspace."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Iterator
from typing import Final

from vshell.errors import IsDirectoryError, VshellError
from vshell.ops import read
from vshell.shell.command import Command, Invocation
from vshell.shell.programs import Program

_NODE_VERSION: Final = "v22.0.0"
"""What `process.version` says; the engine is QuickJS."""

_PYTHON_FLAGS: Final = "bBdEhiIOPqRsStuvVx?"
_PYTHON_WITH_VALUE: Final = "cmWX"
_PYTHON_USAGE: Final = """\
Usage: python [option] ... [-c cmd | -m mod | file | -] [arg] ...
Options:
-c cmd : program passed in as string (terminates option list)
-m mod : run library module as a script (terminates option list)
-V     : print the Python version number and exit (also --version)
-h     : print this help message and exit (also --help)
Other options of Python are taken and have no effect.
Programs run in a sandbox: the files are those of the workspace, there is no network and no
other process, and modules come from the standard library and the workspace.
"""
_NODE_USAGE: Final = """\
Usage: node [options] [ script.js ] [arguments]
       node [options] -e script [arguments]

Options:
  -                  script read from stdin (default)
  -e, --eval=...     evaluate script
  -p, --print [...]  evaluate script and print result
  -v, --version      print version
  -h, --help         print this message

Programs run in a sandbox: the files are those of the workspace, and there is no network.
"""
_LIBRARY: Final = "<module>"
"""What a program is called that is the name of a module of the standard library."""


def _start(call: Invocation, program: Program) -> int:
    run: Callable[[Invocation, Program], int] | None = call.services.get("programs")
    if run is None:
        call.complain("programs cannot be run here")
        return 126
    return run(call, program)


def _text(call: Invocation) -> str:
    return call.stdin.read().decode("utf-8", "replace")


def run_python(call: Invocation) -> int:
    words = list(call.operands)
    while words and words[0].startswith("-") and words[0] != "-":
        word = words.pop(0)
        if word == "--":
            break
        if word.startswith("--"):
            if word in ("--version", "--help"):
                return _python_told(call, "V" if word == "--version" else "h")
            return _python_misused(call, f"unknown option {word}")
        status = _python_flags(call, word, words)
        if status is not None:
            return status
    if not words or words[0] == "-":
        return _start(call, Program("python", _text(call), "<stdin>", tuple(words[1:])))
    return _run_python_file(call, words[0], words[1:])


def _python_flags(call: Invocation, word: str, words: list[str]) -> int | None:
    """Take a word of short options, and the value of the last; the exit code ends it."""
    for at, letter in enumerate(word[1:], 2):
        if letter in "Vh?":
            return _python_told(call, letter)
        if letter in _PYTHON_WITH_VALUE:
            value = word[at:] or (words.pop(0) if words else None)
            if value is None:
                return _python_misused(call, f"Argument expected for the -{letter} option")
            if letter == "c":
                return _start(call, Program("python", value, "<string>", tuple(words)))
            return _run_module(call, value, words) if letter == "m" else None
        if letter not in _PYTHON_FLAGS:
            return _python_misused(call, f"Unknown option: -{letter}")
    return None


def _python_told(call: Invocation, letter: str) -> int:
    if letter == "V":
        call.write(f"Python {platform.python_version()}\n")
    else:
        call.write(_PYTHON_USAGE)
    return 0


def _python_misused(call: Invocation, message: str) -> int:
    call.stderr.write(
        f"{message}\nusage: {call.name} [option] ... [-c cmd | -m mod | file | -] [arg] ...\n"
        f"Try `{call.name} -h' for more information.\n".encode("utf-8", "surrogateescape")
    )
    return 2


def _run_python_file(call: Invocation, name: str, arguments: list[str]) -> int:
    path = call.context.resolve(name)
    try:
        source = read.read_bytes(call.context, path)
    except IsDirectoryError:
        inside = f"{name.rstrip('/')}/__main__.py"
        if not call.context.files.exists(call.context.resolve(inside)):
            call.complain(f"can't find '__main__' module in {name!r}")
            return 1
        return _run_python_file(call, inside, arguments)
    except VshellError as error:
        number = error.errno or 0
        call.complain(f"can't open file {path!r}: [Errno {number}] {os.strerror(number)}")
        return 2
    text = source.decode("utf-8", "replace").removeprefix("\ufeff")
    return _start(call, Program("python", text, name, tuple(arguments)))


def _run_module(call: Invocation, name: str, arguments: list[str]) -> int:
    """Run a module of the workspace, or else one of the standard library."""
    for path in _places(name):
        if call.context.files.exists(call.context.resolve(path)):
            return _run_python_file(call, path, arguments)
    return _start(call, Program("python", name, _LIBRARY, tuple(arguments)))


def _places(name: str) -> Iterator[str]:
    path = name.replace(".", "/")
    yield f"{path}/__main__.py"
    yield f"{path}.py"


def run_node(call: Invocation) -> int:
    words = list(call.operands)
    source: str | None = None
    prints = False
    while words and words[0].startswith("-") and words[0] != "-":
        word, _, value = words.pop(0).partition("=")
        if word == "--":
            break
        if word in ("-v", "--version", "-h", "--help"):
            call.write(f"{_NODE_VERSION}\n" if word in ("-v", "--version") else _NODE_USAGE)
            return 0
        if word in ("-e", "--eval", "-p", "--print", "-pe"):
            prints = prints or word in ("-p", "--print", "-pe")
            if not value and not words:
                call.stderr.write(f"node: {word} requires an argument\n".encode())
                return 9
            source = value or words.pop(0)
        elif not word.startswith(("--input-type", "--no-", "--max-", "--stack-", "--enable-")):
            call.stderr.write(f"node: bad option: {word}\n".encode("utf-8", "surrogateescape"))
            return 9
    if source is not None:
        if prints:
            source = f"console.log(eval({json.dumps(source)}))"
        return _start(call, Program("javascript", source, "[eval]", tuple(words)))
    if not words or words[0] == "-":
        return _start(call, Program("javascript", _text(call), "[stdin]", tuple(words[1:])))
    return _run_node_file(call, words[0], words[1:])


def _run_node_file(call: Invocation, name: str, arguments: list[str]) -> int:
    for ending in ("", ".js", ".mjs", ".cjs", "/index.js"):
        path = call.context.resolve(name + ending)
        try:
            source = read.read_bytes(call.context, path)
        except VshellError:
            continue
        text = source.decode("utf-8", "replace").removeprefix("\ufeff")
        return _start(call, Program("javascript", text, path, tuple(arguments)))
    call.stderr.write(
        f"Error: Cannot find module '{call.context.resolve(name)}'\n".encode(
            "utf-8", "surrogateescape"
        )
    )
    return 1


COMMANDS: Final = (
    Command(
        "python",
        "[OPTION]... [-c CMD | -m MOD | FILE | -] [ARG]...",
        "Run Python in a sandbox, on the files of the workspace.",
        run_python,
        aliases=("python3",),
        raw=True,
        tells_itself=True,
        usage_status=2,
    ),
    Command(
        "node",
        "[OPTION]... [-e CODE | FILE | -] [ARG]...",
        "Run JavaScript in a sandbox, on the files of the workspace.",
        run_node,
        aliases=("js",),
        raw=True,
        tells_itself=True,
        usage_status=9,
    ),
)
