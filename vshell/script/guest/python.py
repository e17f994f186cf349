"""A Python script in the jail: compiled, run, and its end reported."""

from __future__ import annotations

import ast
import difflib
import importlib
import inspect
import linecache
import os
import signal
import sys
import traceback
import types
from collections.abc import Callable, Mapping
from typing import Any, Final

from vshell.errors import TooLargeError
from vshell.jail.channel import GuestChannel
from vshell.script.guest import clock, event_loop, files, imports, library, streams
from vshell.script.guest.host import Host
from vshell.script.plain import plain
from vshell.script.values import untagged

__all__ = ["MODULES", "prepare", "run"]

_NAMES: Final = """
    abc argparse array ast asyncio base64 binascii bisect builtins bz2 calendar cmath cmd
    code codecs codeop collections collections.abc colorsys concurrent.futures configparser
    contextlib contextvars copy copyreg csv dataclasses datetime decimal difflib dis email
    email.message email.mime.text email.parser email.policy email.utils encodings.ascii
    encodings.cp1252
    encodings.idna encodings.latin_1 encodings.punycode encodings.utf_16 encodings.utf_16_be
    encodings.utf_16_le encodings.utf_32 encodings.utf_8_sig enum errno filecmp fileinput
    fnmatch fractions functools gc getopt gettext glob graphlib gzip hashlib heapq hmac html
    html.entities html.parser http inspect io ipaddress itertools json keyword linecache
    locale logging lzma marshal math mimetypes numbers opcode operator os os.path pathlib
    pickle pkgutil platform posixpath pprint queue quopri random re reprlib sched secrets
    shlex shutil signal sqlite3 stat statistics string stringprep struct sys sysconfig
    tarfile tempfile textwrap threading time timeit token tokenize tomllib traceback types
    typing unicodedata unittest unittest.mock urllib.parse uuid warnings weakref
    xml.dom.minidom xml.etree.ElementTree xml.sax zipfile zlib zoneinfo
"""
MODULES: Final = tuple(_NAMES.split())
"""What scripts can import: the standard library, without what needs a system below it."""

LIBRARY: Final = "<module>"
"""The name of a program that is no source, but the name of a module to run."""

_ARGV0: Final = {"<string>": "-c", "<stdin>": "-"}
_RESERVE_BYTES: Final = 1 << 20
_MAX_TEXT: Final = 100_000
_reserve: bytearray | None = None
_host: Final = Host()
_finder: imports.Finder


def _call_state(method: str, *arguments: Any) -> Any:
    return _host.call(method, arguments, {})


def prepare() -> None:
    """Import what scripts may want, while there are files to import from."""
    global _reserve  # noqa: PLW0603 - freed when memory runs out, to report just that
    # OpenSSL doubles what a fork has to map, and there is nobody to talk to; hashlib has
    # its own implementations.
    sys.modules |= dict.fromkeys(("ssl", "_ssl", "_hashlib"))  # type: ignore[arg-type]
    for name in MODULES:
        try:
            importlib.import_module(name)
        except ImportError:
            continue  # gone in later releases of Python, or left out of this build
    library.prepare()
    for name in ("this", "antigravity", "ctypes", "_ctypes"):
        sys.modules.pop(name, None)
    sys.argv[:] = [""]
    sys.path[:] = []
    os.environ.clear()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    event_loop.install()
    _reserve = bytearray(_RESERVE_BYTES)


def warm() -> None:
    """Make what every script gets, and run the code once that every run runs."""
    global _finder  # noqa: PLW0603 - one guest, one script
    streams.set_input(b"")
    streams.set_logs(_host, as_bytes=False)
    files.install(_call_state)
    _finder = imports.install(_call_state)
    _execute("def warm(): ...\nwarm()", "<warm>", {})
    linecache.clearcache()


def run(channel: GuestChannel, job: Mapping[str, Any]) -> None:
    """Run a script and end the process."""
    _host.connect(channel)
    job = untagged(job)
    program = job["mode"] == "program"
    if program:
        streams.set_logs(_host, as_bytes=True)
    if job["stdin"] is None:
        streams.ask_for_input(_host)
    elif job["stdin"]:
        streams.set_input(job["stdin"])
    if job["deterministic"]:
        clock.install(seed=job["seed"], now_ns=job["now_ns"])
    sys.argv[:] = [_ARGV0.get(job["name"], job["name"]), *job["arguments"]]
    try:
        if program and job["name"] == LIBRARY:
            _run_library(job["source"], _module_of(job).__dict__)
        else:
            value = _execute(job["source"], job["name"], _module_of(job).__dict__)
        if program:
            value = 0
    except SystemExit as exit:
        value = _exit_value(exit, program=program)
    except BaseException as error:  # noqa: BLE001 - whatever a script raises is its result
        _fail(job, error)
    _finish(job, value)


def _run_library(name: str, names: dict[str, Any]) -> None:
    """Run a module of the standard library, as `python -m` does."""
    found = library.program_of(name)
    if found is None:
        known = name in sys.modules
        reason = f"{name} cannot be run as a program here" if known else f"No module named {name}"
        raise SystemExit(f"python: {reason}")
    sys.argv[0] = name
    code, names["__package__"] = found
    names["__file__"] = name
    exec(code, names)  # noqa: S102 - this is the place for it


def _module_of(job: Mapping[str, Any]) -> types.ModuleType:
    """Make the module that the script is, with everything that it gets."""
    _finder.place(os.path.dirname(job["name"]) or ".")
    module = types.ModuleType("__main__")
    module.__file__ = job["name"]
    sys.modules["__main__"] = module
    names = module.__dict__
    names["state"] = _State(frozenset(job["methods"]))
    names["inputs"] = job["inputs"]
    names |= {name: value for name, value in job["inputs"].items() if name.isidentifier()}
    names |= {name: _function_of(name) for name in job["functions"]}
    return module


def _function_of(name: str) -> Callable[..., Any]:
    def function(*arguments: Any, **keywords: Any) -> Any:
        return _host.call(name, arguments, keywords)

    function.__name__ = function.__qualname__ = name
    return function


class _State:
    """What a script knows as `state`."""

    __slots__ = ("_methods",)

    def __init__(self, methods: frozenset[str]) -> None:
        self._methods = methods

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name in self._methods:
            return _function_of(name)
        near = difflib.get_close_matches(name, self._methods, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise AttributeError(f"state has no method {name}{hint}", name=name, obj=self)

    def __dir__(self) -> list[str]:
        return sorted(self._methods)

    def __repr__(self) -> str:
        return "<state>"


class _Plain(ast.NodeTransformer):
    """Takes `await` from calls of `state`, which return no promise in Python."""

    def visit_Await(self, node: ast.Await) -> ast.AST:
        self.generic_visit(node)
        call = node.value
        if (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and isinstance(call.func.value, ast.Name)
            and call.func.value.id == "state"
        ):
            return call
        return node


def _execute(source: str, name: str, names: dict[str, Any]) -> Any:
    """Run a module; return the value of its last statement, if that is an expression."""
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    tree = compile(source, name, "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    if "await" in source:
        tree = _Plain().visit(tree)
    last = None
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        last = ast.Expression(tree.body.pop().value)
    _evaluate(compile(tree, name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
    if last is None:
        return None
    value = _evaluate(compile(last, name, "eval", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
    return _wait_for(value) if inspect.iscoroutine(value) else value


def _evaluate(code: types.CodeType, names: dict[str, Any]) -> Any:
    value = eval(code, names)  # noqa: S307 - this is the place for it
    return _wait_for(value) if code.co_flags & inspect.CO_COROUTINE else value


def _wait_for(coroutine: Any) -> Any:
    loop = event_loop.ScriptLoop()
    try:
        return loop.run_until_complete(coroutine)
    finally:
        loop.close()


def _exit_value(exit: SystemExit, *, program: bool) -> Any:
    code = exit.code
    if not program:
        return None
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    sys.stderr.write(f"{code}\n")
    return 1


def _finish(job: Mapping[str, Any], value: Any) -> None:
    try:
        _flush()
        _host.finish("done", plain(value))
    except (TypeError, TooLargeError, RecursionError) as error:
        problem = TypeError(f"the result cannot be returned: {error}")
        _fail(job, problem)
    except BaseException as error:  # noqa: BLE001 - of a script's own objects, or no memory
        _fail(job, error)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        flush = getattr(stream, "flush", None)
        if flush is not None and not getattr(stream, "closed", False):
            flush()


def _fail(job: Mapping[str, Any], error: BaseException) -> None:
    global _reserve  # noqa: PLW0603
    _reserve = None
    if isinstance(error, MemoryError):
        line = _line_of(error, job["name"])
        traceback.clear_frames(error.__traceback__)
        _host.finish("failed", "MemoryError", "the script used all memory that it may", line, "")
    try:
        _flush()
        text = _traceback_of(error, job["name"])
        message = str(error)[:_MAX_TEXT]
    except BaseException as another:  # noqa: BLE001 - a script's own __str__, write or flush
        text, message = "", f"no message, for {type(another).__name__} was raised instead"
    if isinstance(error, SyntaxError) and error.filename == job["name"]:
        message = error.msg
    line = _line_of(error, job["name"])
    if job["mode"] == "program":
        _print_traceback(text)
        _host.finish("done", 1)
    _host.finish("failed", type(error).__name__[:200], message, line, text)


def _print_traceback(text: str) -> None:
    _host.log("stderr", text.encode("utf-8", "backslashreplace"))


def _line_of(error: BaseException, name: str) -> int | None:
    line = None
    if isinstance(error, SyntaxError) and error.filename == name:
        line = error.lineno
    step = error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == name:
            line = step.tb_lineno
        step = step.tb_next
    return line


def _traceback_of(error: BaseException, name: str) -> str:
    """Return the traceback as Python prints it, with the script's own frames only."""
    pending: list[BaseException] = [error]
    seen: set[int] = set()
    while pending:
        each = pending.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        each.__traceback__ = _own_part(each.__traceback__, name)
        pending += [more for more in (each.__cause__, each.__context__) if more is not None]
        if isinstance(each, BaseExceptionGroup):
            pending += each.exceptions
    return "".join(traceback.format_exception(error))[-_MAX_TEXT:]


def _own_part(step: types.TracebackType | None, name: str) -> types.TracebackType | None:
    steps = []
    while step is not None:
        filename = step.tb_frame.f_code.co_filename
        if filename == name or _finder.has_loaded(filename):
            steps.append(step)
        step = step.tb_next
    own = None
    for each in reversed(steps):
        own = types.TracebackType(own, each.tb_frame, each.tb_lasti, each.tb_lineno)
    return own
