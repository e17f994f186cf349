"""bashkit as the engine: it runs the language, and has our files and our commands.

bashkit's own limits that Python cannot lift end a script with an error of their own, never
with less output: the depth of functions (16), the length of a brace range (100,000), the
words of one expansion (100,000). Its limits on runs, commands and loops are lifted.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from bashkit import Bash, BashError, ExecutionProfile, FileSystem, get_version

from vshell.shell.bashkit_abi import FileTable
from vshell.shell.bridge import STDIN_PATH, Bridge
from vshell.shell.dispatch import Dispatcher
from vshell.shell.engine import (
    LIMIT_EXIT_CODE,
    Check,
    OnOutput,
    Outcome,
    Plan,
    PlannedCommand,
    PlannedRedirect,
)
from vshell.shell.words import from_engine, output_from_engine, quoted, to_engine

_UNLIMITED: Final = 2**62
_PLACE: Final = re.compile(r"parse error(?: at line (\d+), column (\d+))?: (?:bash: )?(.*)", re.DOTALL)
_UNFINISHED: Final = (
    "unexpected end of file",
    "unexpected EOF",
    "unexpected end of input",
    "unterminated",
)
_CANCELLED: Final = "execution cancelled"

# What stays bashkit's: the language's own commands, and those that touch no file and
# are run in loops.
NATIVE: Final = frozenset(
    ". : [ alias bind break builtin caller cd command compgen complete compopt continue declare"
    " dirs disown echo enable eval exec exit export false fc fg bg getopts hash jobs kill let"
    " local mapfile popd printf pushd pwd read readarray readonly return set shift shopt sleep"
    " source test times trap true type typeset ulimit umask unalias unset wait bash sh".split()
)
# Commands of bashkit's that have no place here: they would reach for a network, a
# terminal or a process, or pretend to.
WITHOUT: Final = frozenset(
    "curl wget http ssh vi nano less more watch sudo busybox sqlite sqlite3 typescript ts"
    " python python3 log patch assert retry verify".split()
)


_OWN_ARRAYS: Final = frozenset({"PIPESTATUS", "BASH_VERSINFO", "BASH_REMATCH", "FUNCNAME", "DIRSTACK"})
_OWN_VARIABLES: Final = frozenset(
    "EUID UID PPID SHLVL HOSTNAME HOSTTYPE MACHTYPE OSTYPE OPTIND PS4 SHELL USER RANDOM SECONDS"
    " LINENO".split()
)


class BashkitEngine:
    """A bashkit interpreter.

    Args:
        bridge: Its files.
        dispatcher: Runs our commands.
        environment: The exported variables at the start.
        cwd: The working directory at the start.
    """

    def __init__(
        self,
        bridge: Bridge,
        dispatcher: Dispatcher,
        *,
        environment: Mapping[str, str],
        cwd: str,
    ) -> None:
        self._bridge = bridge
        self._dispatcher = dispatcher
        self._environment = dict(environment)
        self._start_cwd = cwd
        self._table = FileTable(bridge, bridge.explain)
        self._loop = asyncio.new_event_loop()
        self._bash = self._fresh(self._environment, cwd)
        self._helper: Bash | None = None
        self._last_exit_code = 0
        dispatcher.run_elsewhere = self._run_elsewhere

    def close(self) -> None:
        """Close the loop."""
        self._loop.close()

    @property
    def version(self) -> str:
        return f"bashkit {get_version()}"

    def _fresh(self, environment: Mapping[str, str], cwd: str) -> Bash:
        bash = Bash(
            username="user",
            hostname="vshell",
            cwd=to_engine(cwd),
            env={name: to_engine(value) for name, value in environment.items()},
            max_commands=_UNLIMITED,
            max_loop_iterations=_UNLIMITED,
            profile=ExecutionProfile.Interactive,
        )
        bash.mount("/", FileSystem.from_capsule(self._table.capsule()))
        for name in self._dispatcher.names():
            if name not in NATIVE:
                bash.add_command(name, self._dispatcher.call)
        return bash

    # Running.

    def run(
        self, script: str, *, stdin: bytes, arguments: Sequence[str], on_output: OnOutput
    ) -> Outcome:
        self._bridge.stdin = stdin
        self._bash.clear_cancel()
        text = self._wrapped(to_engine(script), stdin, arguments)
        result = self._loop.run_until_complete(self._run(text, on_output))
        self._last_exit_code = result.exit_code
        if result.error is None:
            return Outcome(result.exit_code)
        return self._failed(str(result.error), result.exit_code, on_output)

    def _wrapped(self, script: str, stdin: bytes, arguments: Sequence[str]) -> str:
        """Return a script with its arguments and input; no line of it has another number."""
        parts = []
        if arguments:
            words = " ".join(quoted(to_engine(word)) for word in arguments[1:])
            parts.append(f"BASH_ARGV0={quoted(to_engine(arguments[0]))}; set -- {words};")
        if self._last_exit_code:
            parts.append(f"(exit {self._last_exit_code});")
        if stdin and self.check(script).status == "complete":
            # A group, and not `exec`: all that is in it read on where the last one stopped.
            parts.append("{ ")
            script = f"{script}\n}} <{STDIN_PATH}"
        return " ".join(parts) + script

    async def _run(self, text: str, on_output: OnOutput) -> Any:
        async def stdout(data: bytes) -> None:
            on_output("stdout", output_from_engine(data))

        async def stderr(data: bytes) -> None:
            on_output("stderr", output_from_engine(data))

        return await self._bash.execute(text, capture=0, stdout=stdout, stderr=stderr)

    def _failed(self, error: str, exit_code: int, on_output: OnOutput) -> Outcome:
        if error.startswith("parse error"):
            found = _PLACE.match(error)
            line = found[1] if found and found[1] else "1"
            message = found[3] if found else error
            on_output("stderr", f"bash: line {line}: {message.strip()}\n".encode())
            return Outcome(2)
        if _CANCELLED in error:
            return Outcome(130, "cancelled")
        return Outcome(LIMIT_EXIT_CODE if exit_code in (0, 1) else exit_code, error)

    async def _run_elsewhere(
        self, words: Sequence[str], stdin: bytes, environment: Mapping[str, str], cwd: str
    ) -> tuple[int, bytes, bytes]:
        """Run a command that is not ours for one that is, such as `xargs bash -c ...`."""
        helper = self._fresh(environment, cwd)
        collected = {"stdout": bytearray(), "stderr": bytearray()}

        async def stdout(data: bytes) -> None:
            collected["stdout"] += output_from_engine(data)

        async def stderr(data: bytes) -> None:
            collected["stderr"] += output_from_engine(data)

        line = " ".join(quoted(to_engine(word)) for word in words)
        if stdin:
            token = self._dispatcher.hold_input(stdin)
            line = f"{Dispatcher.INPUT} {token} | {line}"
        result = await helper.execute(line, capture=0, stdout=stdout, stderr=stderr)
        if result.error is not None:
            collected["stderr"] += f"bash: {result.error}\n".encode()
        return result.exit_code, bytes(collected["stdout"]), bytes(collected["stderr"])

    def cancel(self) -> None:
        self._bash.cancel()

    # Knowing without running.

    def check(self, script: str) -> Check:
        try:
            self._bash.analyze(to_engine(script))
        except BashError as error:
            return _refused(str(error))
        if _continues(script):
            return Check("incomplete")
        return Check("complete")

    def plan(self, script: str) -> Plan:
        try:
            found = self._bash.analyze(to_engine(script))
        except BashError as error:
            raise ValueError(_refused(str(error)).message or str(error)) from None
        commands = tuple(
            PlannedCommand(each.name, tuple(each.args), each.context)
            for each in found.commands
            if not each.is_assignment_only
        )
        redirects = tuple(PlannedRedirect(each.path, each.mode) for each in found.redirects)
        return Plan(commands, redirects, tuple(found.functions), bool(found.is_opaque))

    # State.

    @property
    def cwd(self) -> str:
        return from_engine(self._bash.shell_state().cwd)

    def snapshot(self) -> bytes:
        return bytes(self._bash.snapshot(exclude_filesystem=True))

    def restore(self, state: bytes) -> None:
        try:
            self._bash.restore_snapshot(state)
        except (BashError, ValueError, RuntimeError) as error:
            raise ValueError(str(error)) from None

    def describe(self) -> dict[str, Any]:
        state = self._bash.shell_state()
        functions = bytearray()
        self._collect("declare -f", functions)
        own = {*_OWN_VARIABLES, "PWD", "OLDPWD"}
        return {
            "cwd": from_engine(state.cwd),
            "functions": functions.decode("utf-8", "replace"),
            "shopt": sorted(
                name[6:]
                for name, value in state.variables.items()
                if name.startswith("SHOPT_") and len(name) > 7 and value == "1"
            ),
            "aliases": dict(state.aliases),
            "exported": sorted(state.env),
            "variables": {
                name: from_engine(value)
                for name, value in {**state.variables, **state.env}.items()
                if name not in own and not name.startswith(("SHOPT_", "_", "BASH"))
            },
            "arrays": {
                name: {str(index): from_engine(text) for index, text in items.items()}
                for name, items in state.arrays.items()
                if name not in _OWN_ARRAYS
            },
            "assoc_arrays": {
                name: {key: from_engine(text) for key, text in items.items()}
                for name, items in state.assoc_arrays.items()
            },
        }

    def keeping_status(self, script: str) -> None:
        """Run a script of our own that `$?` does not show."""
        self._collect(script, bytearray())

    def _collect(self, script: str, into: bytearray) -> None:
        def keep(stream: str, data: bytes) -> None:
            if stream == "stdout":
                into.extend(data)

        before = self._last_exit_code
        self._last_exit_code = 0
        self.run(script, stdin=b"", arguments=(), on_output=keep)
        self._last_exit_code = before

    def names(self) -> Mapping[str, Sequence[str]]:
        state = self._bash.shell_state()
        functions = bytearray()
        self._collect("declare -F", functions)
        variables = {*state.variables, *state.env, *state.arrays, *state.assoc_arrays}
        commands = (set(self._bash.capabilities().builtins) | {*self._dispatcher.names()}) - WITHOUT
        return {
            "commands": sorted(commands),
            "functions": sorted(line.split()[-1] for line in functions.decode().splitlines()),
            "variables": sorted(name for name in variables if not name.startswith(("SHOPT_", "_"))),
            "aliases": sorted(state.aliases),
        }


def _refused(error: str) -> Check:
    found = _PLACE.match(error)
    if found is None:
        return Check("error", error)
    line, column, message = found.groups()
    unfinished = any(sign in message for sign in _UNFINISHED)
    return Check(
        "incomplete" if unfinished else "error",
        message.strip(),
        int(line) if line else None,
        int(column) if column else None,
    )


_HERE_DOCUMENT: Final = re.compile(r"<<(-?)\s*(\\?)(['\"]?)([A-Za-z_][A-Za-z0-9_]*)\3")


def _continues(script: str) -> bool:
    """Tell whether a script that parses still waits for lines."""
    backslashes = len(script) - len(script.rstrip("\\"))
    if backslashes % 2:
        return True
    lines = script.split("\n")
    for number, line in enumerate(lines):
        for found in _HERE_DOCUMENT.finditer(line):
            if line[: found.start()].endswith("<"):
                continue  # `<<<word`
            word, strip = found[4], bool(found[1])
            below = (each.lstrip("\t") if strip else each for each in lines[number + 1 :])
            if word not in below:
                return True
    return False
