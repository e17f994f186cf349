"""bashkit as the engine: it runs the language, and has our files and our commands.

bashkit's own limits that Python cannot lift end a script with an error of their own, never
with less output: the depth of functions (16), the length of a brace range (100,000), the
words of one expansion (100,000). Its limits on runs, commands and loops are lifted.
"""

from __future__ import annotations

import asyncio
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from bashkit import Bash, BashError, ExecutionProfile, FileSystem, get_version

from vshell.shell.bashkit_abi import FileTable
from vshell.shell.bridge import STDIN_PATH, Bridge
from vshell.shell.dispatch import REFUSED, Dispatcher
from vshell.shell.engine import (
    CANCELLED,
    LIMIT_EXIT_CODE,
    Check,
    OnOutput,
    Outcome,
    Plan,
    PlannedCommand,
    PlannedRedirect,
)
from vshell.shell.limits import OUTPUT_EXIT_CODE
from vshell.shell.native import (
    FILES,
    LANGUAGE,
    OWN_ARRAYS,
    OWN_VARIABLES,
    PRINTING,
    QUICK,
    SET_OPTIONS,
    STATEFUL,
    WITHOUT,
)
from vshell.shell.script_text import continues, with_file_tests, with_umask
from vshell.shell.words import from_engine, output_from_engine, quoted, to_engine

_ENGINE_CANCELLED: Final = "execution cancelled"
_PASSED_ON_BYTES: Final = 10 * 1024**2
"""How much of each stream bashkit's interactive profile passes on; it says nothing of more."""
_TOO_MUCH: Final = "the script printed more than the 10 MiB that the engine passes on"
_UNLIMITED: Final = 2**62
_PLACE: Final = re.compile(
    r"parse error(?: at line (\d+), column (\d+))?: (?:bash: )?(.*)", re.DOTALL
)
_UNFINISHED: Final = (
    "unexpected end of file",
    "unexpected EOF",
    "unexpected end of input",
    "unterminated",
)


_FLEETING: Final = ("_", "RANDOM", "SECONDS", "LINENO", "EPOCHSECONDS", "EPOCHREALTIME")
_SUGGESTION: Final = re.compile(rb"(?<=: command not found)\. [A-Z][^\n]*")
"""bashkit's guess, which knows its own commands only."""
_WORD: Final = r"""(?:[A-Za-z0-9_./=:,@%+-]|'[^']*'|"[^"$`\\]*")+"""
_PLAIN_COMMAND: Final = re.compile(rf"[ \t]*{_WORD}(?:[ \t]+{_WORD})*[ \t\n]*")
_QUICK_CHARACTERS: Final = 4096
_SLOW: Final = re.compile(r"\\|\b(?:select|coproc|time)\b|[<>]\(|(?<![&>])&(?![&>])|[|`]")
"""What the quick way is not for: output that may be no text, pipes and jobs."""
_LOUD: Final = frozenset({"e", "errexit", "x", "xtrace"})
"""Options with which what goes before a script would end it, or be printed."""
_LOOP: Final = re.compile(r"\b(?:for|while|until)\b")


class BashkitEngine:
    """A bashkit interpreter.

    Args:
        bridge: Its files.
        table: The same as functions of C's; must outlive the engine.
        dispatcher: Runs our commands.
        environment: The exported variables at the start.
        cwd: The working directory at the start.
    """

    def __init__(
        self,
        bridge: Bridge,
        table: FileTable,
        dispatcher: Dispatcher,
        *,
        environment: Mapping[str, str],
        cwd: str,
    ) -> None:
        self._bridge = bridge
        self._dispatcher = dispatcher
        self._environment = dict(environment)
        self._start_cwd = cwd
        self._table = table
        self._passed_on = [0, 0]
        self._loop = asyncio.new_event_loop()
        self._threads = ThreadPoolExecutor(1)
        self._bash = self._fresh(self._environment, cwd)
        self._helper: Bash | None = None
        self._last_exit_code = 0
        self._options: tuple[str, ...] = ()
        self._functions: frozenset[str] | None = frozenset()
        self._changes_unseen = False
        self._snapshot = b""
        self._snapshot_of: tuple[object, ...] = ()
        dispatcher.run_elsewhere = self._run_elsewhere

    def close(self) -> None:
        """Close the loop and end the thread."""
        self._loop.close()
        self._threads.shutdown()

    @property
    def version(self) -> str:
        return f"bashkit {get_version()}"

    def _fresh(self, environment: Mapping[str, str], cwd: str, *, inner: bool = False) -> Bash:
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
        ours = {name for name in self._dispatcher.names() if name not in LANGUAGE}
        for name in ours:
            bash.add_command(name, self._dispatcher.call)
        for name in WITHOUT - ours:
            bash.add_command(name, self._dispatcher.call_missing)
        if not inner:
            for name in self._judged_names(bash, ours):
                bash.add_command(name, self._dispatcher.call_native)
        return bash

    def _judged_names(self, bash: Bash, ours: set[str]) -> set[str]:
        """Return the engine's own commands that the rules must be asked about."""
        judge = self._dispatcher.judge
        if not judge.judges_commands:
            return set()
        native = set(bash.capabilities().builtins) - ours - WITHOUT - STATEFUL
        return {name for name in native if name not in LANGUAGE or judge.names(name)}

    # Running.

    def run(
        self, script: str, *, stdin: bytes, arguments: Sequence[str], on_output: OnOutput
    ) -> Outcome:
        self._bridge.stdin = stdin
        self._bash.clear_cancel()
        self._passed_on = [0, 0]
        refusal = self._refusal(script)
        if refusal is not None:
            on_output("stderr", f"bash: {refusal}\n".encode("utf-8", "replace"))
            self._last_exit_code = REFUSED
            return Outcome(REFUSED)
        if not arguments:
            words = self._plain_words(script)
            if words:
                return self._run_plainly(words, stdin, on_output)
        quick = self._note(script) and not stdin
        told = with_umask(with_file_tests(script), Dispatcher.UMASK)
        text = self._wrapped(to_engine(told), stdin, arguments)
        last: tuple[tuple[str, bytes], ...] = ()
        if quick and not _LOOP.search(text):
            result = self._bash.execute_sync(text)
            last = _told(result.stdout, result.stderr)
        elif quick:
            result = self._run_in_thread(text, on_output)
        else:
            result = self._loop.run_until_complete(self._run(text, on_output))
        self._last_exit_code = result.exit_code
        self._options = self._options_now()
        if max(self._passed_on) >= _PASSED_ON_BYTES:
            return Outcome(OUTPUT_EXIT_CODE, _TOO_MUCH, cut=True)
        if result.error is None:
            return Outcome(result.exit_code, last=last)
        for stream, data in last:
            on_output(stream, data)
        return self._failed(str(result.error), result.exit_code, on_output)

    def _refusal(self, script: str) -> str | None:
        """Return why the rules do not allow a script, by its text."""
        judge = self._dispatcher.judge
        if not judge.judges_commands:
            return None
        try:
            plan = self._bash.analyze(to_engine(script))
        except BashError:
            return None  # it will be refused for not being a script
        commands = [(each.name, each.args) for each in plan.commands if not each.is_assignment_only]
        return judge.refusal_of_text(commands, opaque=bool(plan.is_opaque))

    def _plain_words(self, script: str) -> list[str]:
        """Return the words of a script that is one command of ours with nothing to expand.

        Most lines that are run are (`ls -la src`), and they need no interpreter.
        """
        if _PLAIN_COMMAND.fullmatch(script) is None:
            return []
        words = shlex.split(script)
        if not self._dispatcher.has(words[0]) or words[0] in LANGUAGE:
            return []
        state = self._bash.shell_state()
        if state.traps or words[0] in state.aliases or self._options:
            return []
        return [] if words[0] in self._function_names() else words

    def _run_plainly(self, words: list[str], stdin: bytes, on_output: OnOutput) -> Outcome:
        state = self._bash.shell_state()
        try:
            self._last_exit_code, last = self._dispatcher.run_plainly(
                words,
                stdin,
                environment=dict(state.env),
                cwd=from_engine(state.cwd),
                on_output=on_output,
                loop=self._loop,
            )
        except KeyboardInterrupt:
            self._last_exit_code = 130
            return Outcome(130, CANCELLED)
        return Outcome(self._last_exit_code, last=(("stdout", last),) if last else ())

    def _function_names(self) -> frozenset[str]:
        if self._functions is None:
            listed = self._bash.execute_sync("declare -F").stdout
            self._functions = frozenset(line.split()[-1] for line in listed.splitlines() if line)
        return self._functions

    def _note(self, script: str) -> bool:
        """Note what a script may define; tell whether it can run without the loop.

        That needs none of our commands, and takes a fifth of the time. Output then comes
        as text, so nothing may print what is none.
        """
        try:
            plan = self._bash.analyze(to_engine(script))
        except BashError:
            return False
        if plan.functions or plan.is_opaque:
            self._functions = None
            self._changes_unseen = True
            return False
        if len(script) > _QUICK_CHARACTERS or _SLOW.search(script):
            return False
        commands = [each for each in plan.commands if not each.is_assignment_only]
        if _LOOP.search(script) and any(
            each.name in PRINTING and each.context == "direct" for each in commands
        ):
            return False  # without the loop, bashkit keeps 10 MB of what is printed
        names = {each.name or "" for each in commands}
        if not names <= QUICK or any(map(self._dispatcher.judge.names, names)):
            return False
        state = self._bash.shell_state()
        return not (state.traps or state.aliases or names & self._function_names())

    def _run_in_thread(self, text: str, on_output: OnOutput) -> Any:
        def told(stdout: str, stderr: str) -> None:
            for stream, data in _told(stdout, stderr):
                on_output(stream, data)

        # In a thread, so that a signal can end it; and not collected, for it may be endless.
        return self._threads.submit(self._bash.execute_sync, text, told).result()

    def _wrapped(self, script: str, stdin: bytes, arguments: Sequence[str]) -> str:
        """Return a script with its arguments and input; no line of it has another number."""
        parts = []
        if self._options:
            words = " ".join(
                f"-{name}" if len(name) == 1 else f"-o {name}" for name in self._options
            )
            parts.append(f"set {words};")
        if arguments:
            words = " ".join(quoted(to_engine(word)) for word in (script, *arguments))
            script = f"bash -c {words}"
        if self._last_exit_code and not _LOUD & {*self._options}:
            parts.append(f"(exit {self._last_exit_code});")
        if stdin and self.check(script).status == "complete":
            # A group, and not `exec`: all that is in it read on where the last one stopped.
            parts.append("{ ")
            script = f"{script}\n}} <{STDIN_PATH}"
        return " ".join(parts) + script

    async def _run(self, text: str, on_output: OnOutput) -> Any:
        async def stdout(data: bytes) -> None:
            self._passed_on[0] += len(data)
            on_output("stdout", output_from_engine(data))

        async def stderr(data: bytes) -> None:
            self._passed_on[1] += len(data)
            on_output("stderr", _SUGGESTION.sub(b"", output_from_engine(data)))

        return await self._bash.execute(text, capture=0, stdout=stdout, stderr=stderr)

    def _failed(self, error: str, exit_code: int, on_output: OnOutput) -> Outcome:
        if error.startswith("parse error"):
            found = _PLACE.match(error)
            line = found[1] if found and found[1] else "1"
            message = found[3] if found else error
            on_output("stderr", f"bash: line {line}: {message.strip()}\n".encode())
            return Outcome(2)
        if _ENGINE_CANCELLED in error:
            return Outcome(130, CANCELLED)
        return Outcome(LIMIT_EXIT_CODE if exit_code in (0, 1) else exit_code, error)

    async def _run_elsewhere(
        self, words: Sequence[str], stdin: bytes, environment: Mapping[str, str], cwd: str
    ) -> tuple[int, bytes, bytes]:
        """Run a command that is not ours for one that is, such as `xargs bash -c ...`."""
        helper = self._fresh(environment, cwd, inner=words[0] not in ("bash", "sh"))
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

    def programs(self) -> frozenset[str]:
        """Return the names of the commands that are files in `/usr/bin`."""
        native = set(self._bash.capabilities().builtins) - LANGUAGE - WITHOUT
        ours = set(self._dispatcher.names()) - {Dispatcher.INPUT, Dispatcher.UMASK}
        return FILES | native | ours

    def cancel(self) -> None:
        self._bash.cancel()

    # Knowing without running.

    def check(self, script: str) -> Check:
        try:
            self._bash.analyze(to_engine(script))
        except BashError as error:
            return _refused(str(error))
        if continues(script):
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
        # Taking one costs more than most scripts; what it depends on is compared first.
        shown = self._shown()
        if not self._snapshot or self._changes_unseen or shown != self._snapshot_of:
            self._snapshot = bytes(self._bash.snapshot(exclude_filesystem=True))
            self._snapshot_of = shown
            self._changes_unseen = False
        return self._snapshot

    def _shown(self) -> tuple[object, ...]:
        state = self._bash.shell_state()
        variables = dict(state.variables)
        for name in _FLEETING:
            variables.pop(name, None)
        arrays = {name: dict(each) for name, each in state.arrays.items()}
        arrays.pop("PIPESTATUS", None)
        assoc = {name: dict(each) for name, each in state.assoc_arrays.items()}
        rest = (dict(state.aliases), dict(state.traps))
        return (state.cwd, dict(state.env), variables, arrays, assoc, *rest)

    def restore(self, state: bytes) -> None:
        try:
            self._bash.restore_snapshot(state)
            self._options = self._options_now()
            self._functions = None
            self._changes_unseen = True
        except (BashError, ValueError, RuntimeError) as error:
            raise ValueError(str(error)) from None

    def _options_now(self) -> tuple[str, ...]:
        """Return what `set` has turned on; bashkit forgets it at the end of each script."""
        variables = self._bash.shell_state().variables
        self._dispatcher.take_umask(variables.get("_UMASK", "0022"))
        return tuple(
            name[6:]
            for name, value in variables.items()
            if value == "1" and name.startswith("SHOPT_") and name[6:] in SET_OPTIONS
        )

    def describe(self) -> dict[str, Any]:
        state = self._bash.shell_state()
        functions = bytearray()
        self._collect("declare -f", functions)
        own = {*OWN_VARIABLES, "PWD", "OLDPWD"}
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
                if name not in OWN_ARRAYS
            },
            "assoc_arrays": {
                name: {key: from_engine(text) for key, text in items.items()}
                for name, items in state.assoc_arrays.items()
            },
        }

    def resetting_script(self, names: Iterable[str]) -> str:
        """Return a script that gives variables the values that they have now."""
        state = self._bash.shell_state()
        lines = []
        for name in names:
            if name in state.env:
                lines.append(f"export {name}={quoted(state.env[name])}")
            else:
                lines.append(f"unset {name}")
                if name in state.variables:
                    lines.append(f"{name}={quoted(state.variables[name])}")
        return "\n".join(map(from_engine, lines))

    def keeping_status(self, script: str) -> None:
        """Run a script of our own that `$?` does not show."""
        self._collect(script, bytearray())

    def _collect(self, script: str, into: bytearray) -> None:
        def keep(stream: str, data: bytes) -> None:
            if stream == "stdout":
                into.extend(data)

        before = self._last_exit_code
        self._last_exit_code = 0
        outcome = self.run(script, stdin=b"", arguments=(), on_output=keep)
        for stream, data in outcome.last:
            keep(stream, data)
        self._last_exit_code = before

    def names(self) -> Mapping[str, Sequence[str]]:
        state = self._bash.shell_state()
        functions = bytearray()
        self._collect("declare -F", functions)
        variables = {*state.variables, *state.env, *state.arrays, *state.assoc_arrays}
        ours = set(self._dispatcher.names()) - {Dispatcher.INPUT}
        commands = (set(self._bash.capabilities().builtins) - WITHOUT) | ours
        return {
            "commands": sorted(commands),
            "functions": sorted(line.split()[-1] for line in functions.decode().splitlines()),
            "variables": sorted(name for name in variables if not name.startswith(("SHOPT_", "_"))),
            "aliases": sorted(state.aliases),
        }


def _told(stdout: str, stderr: str) -> tuple[tuple[str, bytes], ...]:
    """Return what the engine says that was printed, as the host is told it."""
    return tuple(
        (stream, _SUGGESTION.sub(b"", output_from_engine(printed.encode("utf-8", "replace"))))
        for stream, printed in (("stdout", stdout), ("stderr", stderr))
        if printed
    )


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
