"""`Shell`: bash lines over the files of a workspace."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Self

from vshell.errors import ConflictError, OperationTimeoutError, UnavailableError, VshellError
from vshell.fs import shells
from vshell.fs.paths import PathLike
from vshell.ops.changeset import FileChange, net_changes
from vshell.ops.context import Context
from vshell.shell.answers import changes_of, explanation_of, plan_of
from vshell.shell.engine import CANCELLED, Check, OnOutput, Plan
from vshell.shell.frames import ClosedConnectionError, Header
from vshell.shell.limits import (
    INTERRUPT_EXIT_CODE,
    TIMEOUT_EXIT_CODE,
    ShellLimits,
    limits_of,
)
from vshell.shell.mirrors import Mirrors
from vshell.shell.printed import Printed
from vshell.shell.process import WorkerProcess
from vshell.shell.programs import Guests, Programs
from vshell.shell.result import Explanation, ShellResult
from vshell.shell.rules import Question, Rules, rules_of
from vshell.shell.workers import Workers

if TYPE_CHECKING:
    from vshell.script.limits import Limits
    from vshell.sync.mirror import Mirror

Ask = Callable[[Question], bool]
"""Answers what the rules say to ask about; may take its time, which is not the script's."""

ENVIRONMENT: Final = {
    "HOME": "/",
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "SHELL": "/bin/bash",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "TERM": "dumb",
}
_BEGIN_TIMEOUT_S: Final = 60.0
EXPLAIN_TIMEOUT_S: Final = 5.0
_INTERRUPT_GRACE_S: Final = 1.0
"""How long an interrupted script may take to its next command before it is killed."""


class Shell:
    """A bash-syntax shell over the files of a workspace, with its own directory and state.

    `Workspace.shell` makes one. It may be used from several threads, which take turns;
    `interrupt` is for any thread at any time. Close it, or the workspace, when done.
    """

    def __init__(
        self,
        context: Context,
        workers: Workers,
        *,
        session: str | None,
        rules: Rules | Mapping[str, Any] | None = None,
        ask: Ask | None = None,
        limits: ShellLimits | Limits | Mapping[str, Any] | None = None,
        spool: PathLike | None = None,
        programs: Programs | None = None,
        mirrors: Mapping[str, PathLike | Mirror] | None = None,
    ) -> None:
        self._context = context
        self._workers = workers
        self._durable = session is not None
        self.name = session or context.name or f"shell-{os.urandom(4).hex()}"
        self.rules = rules_of(rules)
        self._ask_caller = ask
        self._limits = limits_of(limits)
        self._mirrors = Mirrors(Context(context.files, name=self.name), mirrors or {})
        self._spool = None if spool is None else context.resolve(spool)
        self._guests = Guests(programs)
        self._lock = threading.Lock()
        self._running: WorkerProcess | None = None
        self._interrupted = False
        self._number = 0
        self._revision = 0
        self._state: tuple[str, bytes, str | None] = ("", b"", None)
        self._cwd = context.cwd
        self._begun = False
        self._pending = False
        self._load()

    def _load(self) -> None:
        saved = shells.load(self._context.files, self.name) if self._durable else None
        if saved is not None:
            self._state = (saved.engine, saved.state, saved.portable)
            self._cwd = saved.cwd
            self._begun = True

    @property
    def cwd(self) -> str:
        """The working directory."""
        return self._cwd

    @property
    def confinement(self) -> Mapping[str, bool]:
        """What keeps scripts from the host: `files`, `network` and `calls`, each if it is there.

        Anything that is not, is also told to the logger `vshell.shell`.

        Raises:
            ClosedError: The workspace is closed.
            UnavailableError: No worker can be started here.
        """
        with self._lock:
            worker = self._take()
            self._workers.give_back(id(self), worker, self._catch_up)
            return worker.confinement

    def close(self) -> None:
        """End the worker. What a named session was stays in the workspace."""
        with self._lock:
            self._workers.release(id(self))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Running.

    def run(
        self,
        script: str,
        *,
        stdin: bytes | str = b"",
        env: Mapping[str, str] | None = None,
        cwd: PathLike | None = None,
        timeout_s: float | None = None,
        atomic: bool = False,
        dry_run: bool = False,
        on_output: OnOutput | None = None,
        arguments: Sequence[str] = (),
        limits: ShellLimits | Limits | Mapping[str, Any] | None = None,
        remember: bool = True,
    ) -> ShellResult:
        """Run a script; what it sets and where it goes stays for the next one.

        Args:
            script: Bash syntax, any number of lines.
            stdin: What it reads.
            env: Variables to export to it.
            cwd: Where to run this one; the shell's own directory stays.
            timeout_s: Seconds before it is killed; None is that of the limits, 120.
            atomic: Undo everything unless it ends with exit code 0.
            dry_run: Undo everything at the end; the result's `patch` says what it would do.
            on_output: Is called with `"stdout"` or `"stderr"` and bytes while it runs.
            arguments: `$0`, `$1`, ...: the script then runs as a child of the shell, as
                `bash -c` does, and changes nothing in it. Empty: it runs in the shell.
            limits: For this run only.
            remember: Whether it goes into a named session's history.

        Returns:
            What it came to. Failing is an exit code, never an exception.

        Raises:
            ClosedError: The workspace is closed.
            ConflictError: The calling thread has a transaction open: the script could not
                see what is in it.
            UnavailableError: No worker can be started here.
        """
        if self._context.files.store.depth and _owns_lock(self._context):
            raise ConflictError(
                "a shell cannot run inside a transaction of its workspace",
                hint="use atomic=True, or leave the transaction first",
            )
        allowed = self._limits if limits is None else limits_of(limits)
        if timeout_s is not None:
            allowed = replace(allowed, timeout_s=timeout_s)
        with self._lock:
            run = Printed(allowed, on_output, spools=self._spool is not None)
            asked: Header = {
                "ask": "run",
                "script": script,
                "arguments": list(arguments),
                "environment": dict(env or {}),
                "cwd": None if cwd is None else self._context.resolve(cwd),
                "atomic": atomic,
                "dry_run": dry_run,
                "remember": remember,
                "max_total_output_bytes": allowed.max_total_output_bytes,
                "now_ns": self._now_ns(),
                "ledger": self._context.ledger(),
            }
            data = stdin.encode("utf-8", "surrogateescape") if isinstance(stdin, str) else stdin
            return self._perform(run, asked, bytes(data))

    def _perform(self, run: Printed, asked: Header, stdin: bytes) -> ShellResult:
        self._interrupted = False
        self._number += 1
        worker = self._take()
        # For a script that dies only, any other's worker tells what it changed: so what is known
        # will do, which the database need not be asked for.
        before = max(self._revision, self._context.files.store.journal.revision)
        begun_at_s = time.monotonic()
        died: tuple[int, str] | None = None
        told: Header = {}
        try:
            worker.ask(asked, stdin)
            told = self._follow(worker, run, begun_at_s)
        except TimeoutError:
            worker.kill()
            died = (TIMEOUT_EXIT_CODE, f"the script took longer than {run.limits.timeout_s:g} s")
            run.timed_out = True
        except ClosedConnectionError:
            died = worker.cause_of_death()
        except BaseException:
            worker.kill()
            self._workers.discard(worker)
            raise
        finally:
            self._running = None
            self._guests.end()
        if died is not None:
            if self._interrupted and not run.timed_out:
                died = (INTERRUPT_EXIT_CODE, "interrupted")
            self._workers.discard(worker)
            run.print_error(died[1])
            told = {"done": died[0], "error": died[1], "cwd": self._cwd, "died": True}
        else:
            self._workers.give_back(id(self), worker, self._catch_up)
        return self._result(run, asked, told, before, time.monotonic() - begun_at_s)

    def _follow(self, worker: WorkerProcess, run: Printed, begun_at_s: float) -> Header:
        """Take what a worker says until its script ends; return the last of it."""
        self._running = worker
        deadline_s = begun_at_s + run.limits.timeout_s
        while True:
            left_s = deadline_s - time.monotonic()
            header, payload = worker.next(left_s)
            if "output" in header:
                run.print(header["output"], payload)
            elif "question" in header:
                asked_at_s = time.monotonic()
                worker.ask({"answer": self._answer(header["question"])})
                deadline_s += time.monotonic() - asked_at_s
            elif "program" in header:
                self._guests.start(worker, header["program"], left_s)
            elif "synchronise" in header:
                asked_at_s = time.monotonic()
                asked = header["synchronise"]
                worker.ask({"answer": self._mirrors.perform(**asked)})
                deadline_s += time.monotonic() - asked_at_s
            elif "failed" in header:
                run.print_error(header["failed"]["message"])
                return {"done": 1, "error": header["failed"]["message"], "cwd": self._cwd}
            elif "done" in header:
                self._cwd = header["cwd"]
                if payload:
                    self._state = (worker.version, payload, None)
                self._pending = header["state"] == "later"
                self._revision = header["revision"]
                if "ledger" in header:
                    self._context.replace_ledger(header["ledger"])
                return header

    def _answer(self, question: Mapping[str, Any]) -> bool:
        if self._ask_caller is None:
            return False
        words = tuple(question["words"])
        return self._ask_caller(Question(question["kind"], words, question["path"])) is True

    def _result(
        self, run: Printed, asked: Header, told: Header, before: int, duration_s: float
    ) -> ShellResult:
        undone = bool(told.get("undone"))
        if asked["dry_run"] and "changes" in told:
            changes = changes_of(told)
        elif undone or asked["dry_run"] or (asked["atomic"] and told.get("died")):
            changes, undone = (), True
        elif "changes" in told:
            changes = changes_of(told)
        else:
            changes = self._changes_since(told.get("since", before))
        code, error = told["done"], told.get("error")
        if self._interrupted and error == CANCELLED:
            code, error = INTERRUPT_EXIT_CODE, "interrupted"
        elif error and not told.get("died"):
            run.print_error(error)
        run.truncated = run.truncated or bool(told.get("cut"))
        spooled = run.spool_to(self._context, self._spool, self.name)
        return ShellResult(
            stdout=bytes(run.kept["stdout"]),
            stderr=bytes(run.kept["stderr"]),
            exit_code=code,
            timed_out=run.timed_out,
            truncated=run.truncated,
            changes=changes,
            committed=not undone,
            error=error,
            patch=told.get("patch"),
            stdout_bytes=run.printed["stdout"],
            stderr_bytes=run.printed["stderr"],
            spooled_to=spooled,
            cwd=self._cwd,
            duration_s=duration_s,
        )

    def _changes_since(self, before: int) -> tuple[FileChange, ...]:
        files = self._context.files
        if files.revision() == before:
            return ()
        return net_changes(self._context, before, session=self.name)

    # Workers and state.

    def _take(self) -> WorkerProcess:
        worker, known = self._workers.take(id(self))
        if known:
            self._catch_up(worker)
            return worker
        self._pending = False
        engine, state, portable = self._state
        environment = {} if self._begun else {**ENVIRONMENT, **self._context.environment}
        try:
            worker.ask(
                {
                    "ask": "begin",
                    "session": self.name,
                    "durable": self._durable,
                    "require_read": self._context.require_read,
                    "rules": self.rules.as_dict(),
                    "mirrors": self._mirrors.names,
                    "engine": engine,
                    "portable": portable,
                    "environment": environment,
                    "cwd": None if self._begun else self._cwd,
                    "max_memory_bytes": self._limits.max_memory_bytes,
                },
                state,
            )
            header, state = worker.next(_BEGIN_TIMEOUT_S)
        except (ClosedConnectionError, TimeoutError):
            self._workers.discard(worker)
            raise UnavailableError("the shell's worker did not take up the session") from None
        self._state = (worker.version, state, portable)
        self._cwd = header["cwd"]
        self._revision = header["revision"]
        self._begun = True
        return worker

    def _catch_up(self, worker: WorkerProcess) -> None:
        """Take the state that a worker sends after its answer."""
        if not self._pending:
            return
        self._pending = False
        try:
            _, state = worker.next(_BEGIN_TIMEOUT_S)
        except (ClosedConnectionError, TimeoutError):
            return
        self._state = (worker.version, state, None)

    def _now_ns(self) -> int | None:
        now = self._context.files.store.now
        return None if now is time.time_ns else now()

    def interrupt(self) -> None:
        """End the script that runs now: exit code 130. The shell goes on."""
        self._interrupted = True
        worker, number = self._running, self._number
        if worker is None:
            return
        worker.interrupt()
        self._guests.end()  # a command that waits for one goes on, and hears of it
        insist = threading.Timer(_INTERRUPT_GRACE_S, self._end, (worker, number))
        insist.daemon = True
        insist.start()

    def _end(self, worker: WorkerProcess, number: int) -> None:
        if self._running is worker and self._number == number:
            worker.kill()

    # Knowing without running.

    def _ask(self, header: Header, *, timeout_s: float = _BEGIN_TIMEOUT_S) -> Header:
        with self._lock:
            worker = self._take()
            try:
                worker.ask(header)
                told, _ = worker.next(timeout_s)
            except TimeoutError:
                self._workers.discard(worker)
                raise OperationTimeoutError(
                    f"the shell's worker did not answer within {timeout_s:g} s"
                ) from None
            except ClosedConnectionError:
                self._workers.discard(worker)
                raise UnavailableError("the shell's worker ended") from None
            self._workers.give_back(id(self), worker, self._catch_up)
            return told

    def check(self, line: str) -> Check:
        """Say whether a text is a script: complete, incomplete, or wrong, and where."""
        return Check(**self._ask({"ask": "check", "script": line})["check"])

    def names(self) -> dict[str, list[str]]:
        """Return what can be completed: `commands`, `functions`, `variables`, `aliases`."""
        found: dict[str, list[str]] = self._ask({"ask": "names"})["names"]
        return found

    def plan(self, script: str) -> Plan:
        """Say what a script would run and redirect, as far as its text shows it.

        Raises:
            VshellError: It is no script.
        """
        told = self._ask({"ask": "plan", "script": script})
        if told["plan"] is None:
            raise VshellError(told["message"])
        return plan_of(told["plan"])

    def explain(self, script: str) -> Explanation:
        """Say what a script would run, read and write, after all expansions.

        It is run on the files as they are, and all of it is undone, as with `dry_run`; what
        the rules say to ask about is not asked. It has no input.

        Raises:
            OperationTimeoutError: It takes longer than five seconds.
            UnavailableError: The worker ended.
        """
        told = self._ask({"ask": "explain", "script": script}, timeout_s=EXPLAIN_TIMEOUT_S)
        return explanation_of(told)

    def history(self, *, limit: int = 1000) -> list[shells.HistoryLine]:
        """Return the last scripts of a named session, oldest first."""
        return shells.history(self._context.files, self.name, limit=limit)


def _owns_lock(context: Context) -> bool:
    owned: bool = context.files.store.lock._is_owned()  # type: ignore[attr-defined] # noqa: SLF001
    return owned
