"""bashkit as the engine: it runs the language, and has our files and our commands.

bashkit's own limits that Python cannot lift end a script with an error of their own, never
with less output: the depth of functions (16), the length of a brace range (100,000), the
words of one expansion (100,000). Its limits on runs, commands and loops are lifted.
"""

from __future__ import annotations

import asyncio
import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from bashkit import Bash, BashError, ExecutionProfile, FileSystem, get_version

from vshell.shell import bashkit_words
from vshell.shell.bashkit_abi import FileTable
from vshell.shell.bashkit_state import State
from vshell.shell.bridge import STDIN_PATH, Bridge
from vshell.shell.dispatch import REFUSED, Dispatcher
from vshell.shell.engine import CANCELLED, Check, OnOutput, Outcome, Plan
from vshell.shell.held_input import with_held_input
from vshell.shell.limits import OUTPUT_EXIT_CODE
from vshell.shell.native import FILES, LANGUAGE, STATEFUL, WITHOUT
from vshell.shell.rewriting import FUNCTIONS, joined_lines, rewritten, with_functions
from vshell.shell.script_text import continues
from vshell.shell.ways import Way, is_served_by_us, plain_words, way_of
from vshell.shell.words import from_engine, output_from_engine, quoted, to_engine

_PASSED_ON_BYTES: Final = 10 * 1024**2
"""How much of each stream bashkit's interactive profile passes on; it says nothing of more."""
_TOO_MUCH: Final = "the script printed more than the 10 MiB that the engine passes on"
_UNLIMITED: Final = 2**62
_AT_START: Final = r"""
IFS=$' \t\n' BASH=/usr/bin/bash OPTERR=1
TIMEFORMAT=$'\nreal\t%3lR\nuser\t0m0.000s\nsys\t0m0.000s'
"""
"""Variables that bash has from the start and bashkit does not. What a command takes of the CPU
is not known: `time` says 0."""
_READERS: Final = re.compile(r"\b(?:envsubst|pr|shasum)\b")
"""The engine's own commands that read files by name."""
_LOUD: Final = frozenset({"e", "errexit", "x", "xtrace"})
"""Options with which what goes before a script would end it, or be printed."""


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
        self._ours = {name for name in dispatcher.names() if name not in LANGUAGE}
        self._bash = self._fresh(self._environment, cwd)
        self._last_exit_code = 0
        self._options: tuple[str, ...] = ()
        self._functions: frozenset[str] | None = frozenset()
        self._changes_unseen = False
        self._snapshot = b""
        self._compared: State | None = None
        self._shown: tuple[object, ...] = ()
        self._natives: frozenset[str] = frozenset()
        self._state = State(self._bash.shell_state())
        dispatcher.run_elsewhere = self._run_elsewhere
        bridge.held = dispatcher.held
        bridge.rewrite = self._rewritten

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
        ours = self._ours
        for name in ours:
            bash.add_command(name, self._dispatcher.call)
        for name in WITHOUT & set(bash.capabilities().builtins) - ours:
            bash.add_command(name, self._dispatcher.call_missing)
        bash.execute_sync(_AT_START)
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
        self._bridge.reads_scripts = _READERS.search(script) is None
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
        script = self._parsable(script)
        way = self._way(script, stdin)
        self._serve_natively(way.natives)
        text = self._wrapped(to_engine(self._rewritten(script)), stdin, arguments)
        result, last = self._run_in(way, text, on_output)
        self._last_exit_code = result.exit_code
        self._look()
        if max(self._passed_on) >= _PASSED_ON_BYTES:
            return Outcome(OUTPUT_EXIT_CODE, _TOO_MUCH, cut=True)
        if result.error is None:
            return Outcome(result.exit_code, last=last)
        for stream, data in last:
            on_output(stream, data)
        return bashkit_words.failed(str(result.error), result.exit_code, on_output)

    def _run_in(
        self, way: Way, text: str, on_output: OnOutput
    ) -> tuple[Any, tuple[tuple[str, bytes], ...]]:
        """Run a text in a way; return the result, and the output that was not passed on."""
        if way.loop:
            return self._loop.run_until_complete(self._run(text, on_output)), ()
        if way.endless:
            return self._run_in_thread(text, on_output), ()
        result = self._bash.execute_sync(text)
        return result, bashkit_words.told(result.stdout, result.stderr)

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
        """Return the words of a script that needs no interpreter."""
        words = plain_words(script)
        if not is_served_by_us(words, self._ours) or self._options:
            return []
        state = self._state
        if state.traps or words[0] in state.aliases:
            return []
        return [] if words[0] in self._function_names() else words

    def _run_plainly(self, words: list[str], stdin: bytes, on_output: OnOutput) -> Outcome:
        try:
            self._last_exit_code, last = self._dispatcher.run_plainly(
                words,
                stdin,
                environment=self._state.environment,
                cwd=from_engine(self._state.cwd),
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

    def _way(self, script: str, stdin: bytes) -> Way:
        """Return how to run a script; note what it may define."""
        try:
            plan = self._bash.analyze(to_engine(script))
        except BashError:
            return Way()
        state = self._state
        known = self._function_names()
        if plan.functions or plan.is_opaque:
            self._functions = None
            self._changes_unseen = True
        if state.traps or state.aliases or self._dispatcher.trace is not None:
            return Way()
        judge = self._dispatcher.judge
        return way_of(script, plan, functions=known, judge=judge, has_input=bool(stdin))

    def _parsable(self, script: str) -> str:
        """Return a script, in another form when the engine refuses the one that it has."""
        if "\\\n" in script and self.check(script).status == "error":
            joined = joined_lines(script)
            if self.check(joined).status != "error":
                return joined
        return script

    def _rewritten(self, script: str) -> str:
        text = with_held_input(rewritten(script), self._ours)
        exports = FUNCTIONS in text or FUNCTIONS in self._state.environment
        return with_functions(text) if exports else text

    def _serve_natively(self, names: frozenset[str]) -> None:
        """Let the engine's own commands of these names be run, and ours of all others."""
        for name in names - self._natives:
            self._bash.remove_builtin(name)  # type: ignore[attr-defined] # not in its stubs
        for name in self._natives - names:
            self._bash.add_command(name, self._dispatcher.call)
        self._natives = names

    def _run_in_thread(self, text: str, on_output: OnOutput) -> Any:
        def told(stdout: str, stderr: str) -> None:
            for stream, data in bashkit_words.told(stdout, stderr):
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
            script = self._as_child(script, arguments)
        if self._last_exit_code and not _LOUD & {*self._options}:
            parts.append(f"(exit {self._last_exit_code});")
        if stdin and self.check(script).status == "complete":
            # A group, and not `exec`: all that is in it read on where the last one stopped.
            parts.append("{ ")
            script = f"{script}\n}} <{STDIN_PATH}"
        return " ".join(parts) + script

    def _as_child(self, script: str, arguments: Sequence[str]) -> str:
        """Return what runs a script with arguments: as a file when its name is that of one.

        So `BASH_SOURCE` is what `$0` is, by which scripts see that they are not sourced.
        """
        name = arguments[0]
        words = [quoted(to_engine(word)) for word in arguments]
        if not ("/" in name or name.endswith((".sh", ".bash"))) or name.startswith("-"):
            return f"bash -c {quoted(script)} {' '.join(words)}"
        path = posixpath.normpath(posixpath.join(self.cwd, name))
        self._bridge.script = (path, script.encode("utf-8", "surrogateescape"))
        return f"bash {' '.join(words)}"

    async def _run(self, text: str, on_output: OnOutput) -> Any:
        async def stdout(data: bytes) -> None:
            self._passed_on[0] += len(data)
            on_output("stdout", output_from_engine(data))

        async def stderr(data: bytes) -> None:
            self._passed_on[1] += len(data)
            on_output("stderr", bashkit_words.errors_from_engine(data))

        return await self._bash.execute(text, capture=0, stdout=stdout, stderr=stderr)

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

        words = list(words)
        if words[0] in ("bash", "sh") and len(words) > 2 and words[1] == "-c":
            words[2] = self._rewritten(words[2])
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
        ours = set(self._dispatcher.names()) - Dispatcher.OWN
        return FILES | native | ours

    def forget_lines(self) -> None:
        """Empty the engine's own history, which has all that was run in it."""
        self._bash.execute_sync("history -c")

    def cancel(self) -> None:
        self._bash.cancel()

    # Knowing without running.

    def check(self, script: str) -> Check:
        try:
            self._bash.analyze(to_engine(script))
        except BashError as error:
            return bashkit_words.refused(str(error))
        if continues(script):
            return Check("incomplete")
        return Check("complete")

    def plan(self, script: str) -> Plan:
        try:
            found = self._bash.analyze(to_engine(script))
        except BashError as error:
            raise ValueError(bashkit_words.refused(str(error)).message or str(error)) from None
        return bashkit_words.plan_of(found)

    # State.

    def _look(self) -> None:
        """Take note of the state after a script: bashkit forgets options at its end."""
        self._state = State(self._bash.shell_state())
        self._options = self._state.options()
        self._dispatcher.take_umask(self._state.variables.get("_UMASK", "0022"))

    @property
    def cwd(self) -> str:
        return from_engine(self._state.cwd)

    @property
    def changed(self) -> bool:
        # Taking a snapshot costs more than most scripts; what it depends on is compared first.
        if self._state is not self._compared and not self._changes_unseen:
            self._compared = self._state
            shown = self._state.shown()
            self._changes_unseen = shown != self._shown
            self._shown = shown
        return self._changes_unseen

    def snapshot(self) -> bytes:
        if self.changed or not self._snapshot:
            self._snapshot = bytes(self._bash.snapshot(exclude_filesystem=True))
            self._shown = self._state.shown()
            self._compared = self._state
            self._changes_unseen = False
        return self._snapshot

    def restore(self, state: bytes) -> None:
        try:
            self._bash.restore_snapshot(state)
        except (BashError, ValueError, RuntimeError) as error:
            raise ValueError(str(error)) from None
        self._look()
        self._functions = None
        self._changes_unseen = True

    def describe(self) -> dict[str, Any]:
        functions = bytearray()
        self._collect("declare -f", functions)
        return self._state.describe(functions.decode("utf-8", "replace"))

    def resetting_script(self, names: Iterable[str]) -> str:
        return self._state.resetting_script(names)

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
        functions = bytearray()
        self._collect("declare -F", functions)
        ours = set(self._dispatcher.names()) - Dispatcher.OWN
        commands = (set(self._bash.capabilities().builtins) - WITHOUT) | ours
        return {
            "commands": sorted(commands),
            "functions": sorted(line.split()[-1] for line in functions.decode().splitlines()),
            "variables": self._state.names(),
            "aliases": sorted(self._state.aliases),
        }
