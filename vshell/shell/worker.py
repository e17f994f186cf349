"""The worker: a process of its own that runs one session's scripts.

It opens the workspace itself, so that a file costs no message, and can crash, be killed or
run out of memory without the host noticing more than an exit code. It lives as long as
the socket to its host.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from vshell.errors import VshellError
from vshell.fs import shells
from vshell.jail.worker import confine_worker
from vshell.ops.context import Context
from vshell.shell import frames
from vshell.shell.bashkit_abi import FileTable
from vshell.shell.bashkit_engine import BashkitEngine
from vshell.shell.bridge import Bridge
from vshell.shell.command import Invocation
from vshell.shell.dispatch import Dispatcher
from vshell.shell.engine import Outcome
from vshell.shell.frames import ClosedConnectionError, Header
from vshell.shell.limits import OUTPUT_EXIT_CODE
from vshell.shell.native import PROGRAMS
from vshell.shell.outgoing import Outgoing
from vshell.shell.portable import portable_of, restoring_script
from vshell.shell.programs import Program, load_runner
from vshell.shell.rules import Judge, Question, Rules, rules_of
from vshell.shell.shell_files import ShellFiles, home_of
from vshell.shell.worker_setup import database_files, die_with_host, limit_memory, own_sizes

_CHANGES_TOLD = 1000
"""How many steps a script's changes may come from to be told to the host; of more, it reads
the journal itself."""


class Worker:
    """One session in this process.

    Args:
        connection: The socket to the host.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._clock: Callable[[], int] = time.time_ns
        self._last_state = b""
        self._begun = False
        self._asking = threading.Lock()

    def serve(self) -> None:
        """Answer the host until it is gone."""
        answers: dict[str, Callable[[Header, bytes], None]] = {
            "open": self._open,
            "begin": self._begin,
            "run": self._run,
            "check": lambda header, _: self._send(
                {"check": self._engine.check(header["script"]).as_dict()}
            ),
            "plan": self._plan,
            "explain": self._explain,
            "names": lambda _header, _: self._send({"names": dict(self._engine.names())}),
        }
        while True:
            header, payload = frames.receive(self._connection)
            try:
                answers[header["ask"]](header, payload)
            except VshellError as error:
                self._send({"failed": error.as_dict()})

    def interrupt(self) -> None:
        """End the script that runs, at its next command."""
        engine = getattr(self, "_engine", None)
        if engine is None:
            return
        if self._dispatcher.is_plain:
            raise KeyboardInterrupt
        engine.cancel()

    def _send(self, header: Header, payload: bytes = b"") -> None:
        frames.send(self._connection, header, payload)

    def _now_ns(self) -> int:
        return self._clock()

    # Starting.

    def _open(self, header: Header, _payload: bytes) -> None:
        """Open the workspace and make an interpreter: all that can be done in advance."""
        # First of all, while there is one thread: what is opened later is opened inside.
        files = database_files(header["path"])
        self._sizes = own_sizes()
        self._confinement = confine_worker(None, files=files, allow_partial=True)
        threading.Thread(target=die_with_host, args=(self._connection,), daemon=True).start()
        self._files = ShellFiles(
            header["path"],
            create=False,
            read_only=header["read_only"],
            durability=header["durability"],
            lock_timeout_s=header["lock_timeout_s"],
            now=self._now_ns,
        )
        self._session = ""
        self._base = Context(self._files)
        self._bridge = Bridge(self._files, lambda: self._base)
        self._table = FileTable(self._bridge, self._bridge.explain)
        self._judge = Judge(Rules(), self._question)
        self._dispatcher = Dispatcher(self._files, self._context, self._services(), self._judge)
        self._environment = header["environment"]
        self._files.home = home_of(self._environment)
        self._engine = self._new_engine()
        self._files.programs = self._engine.programs() | PROGRAMS
        self._send({"ready": self._engine.version, "confinement": self._confinement.as_dict()})

    def _new_engine(self) -> BashkitEngine:
        return BashkitEngine(
            self._bridge,
            self._table,
            self._dispatcher,
            environment=self._environment,
            cwd="/",
        )

    def _services(self) -> Mapping[str, Any]:
        from vshell.shell import commands

        return {
            "commands": commands,
            "history": self._history,
            "mirrors": lambda: self._mirrors,
            "program_names": lambda: self._files.programs,
            "programs": self._run_program,
            "synchronise": self._synchronise,
        }

    def _run_program(self, call: Invocation, program: Program) -> int:
        """Have a program run in a guest that the host starts; return its exit code."""
        if self._dispatcher.trace is not None:
            call.complain("programs are not run to explain a script")
            return 0
        with self._asking:
            self._send({"program": program.as_dict()})
            descriptor, told = frames.receive_descriptor(self._connection)
        if descriptor is None:
            call.complain(told["refused"])
            return 126
        return int(load_runner(told)(call, descriptor, told["timeout_s"]))

    def _synchronise(self, action: str, name: str, dry_run: bool) -> tuple[int, str, str]:
        """Have the host do it, which the lock must not be kept from meanwhile."""
        if self._files.store.depth:
            return 1, "", "not while all of a script is kept or undone together"
        asked = {"action": action, "name": name, "dry_run": dry_run}
        with self._asking:
            self._send({"synchronise": asked})
            header, _ = frames.receive(self._connection)
        exit_code, text, complaint = header["answer"]
        return exit_code, text, complaint

    def _history(self) -> list[str]:
        return [each.line for each in shells.history(self._files, self._session)]

    def _context(self, cwd: str, environment: Mapping[str, str]) -> Context:
        return self._base.moved(cwd, environment)

    def _begin(self, header: Header, state: bytes) -> None:
        """Become a session; nothing of the one before is left."""
        rules = rules_of(header["rules"])
        if self._begun or rules != self._judge.rules:
            self._judge = Judge(rules, self._question)
            self._dispatcher.judge = self._judge
            self._judge.can_begin_again = self._dispatcher.can_begin_again
            self._files.set_judge(self._judge)
            self._engine.close()
            self._engine = self._new_engine()
        self._begun = True
        self._session = header["session"]
        self._durable = header["durable"]
        self._mirrors: list[str] = header["mirrors"]
        self._base = Context(self._files, name=self._session, require_read=header["require_read"])
        self._files.ledger = self._base if self._base.require_read else None
        limit_memory(self._sizes, header["max_memory_bytes"])
        self._files.home = home_of({**self._environment, **header["environment"]})
        started = False
        if state and header["engine"] == self._engine.version:
            with suppress(ValueError):
                self._engine.restore(state)
                started = True
        if not started:
            script = restoring_script(header["environment"], header["cwd"], header["portable"])
            self._engine.run(script, stdin=b"", arguments=(), on_output=lambda *_: None)
        self._last_state = self._engine.snapshot()
        self._engine.forget_lines()
        told = {"begun": True, "cwd": self._engine.cwd, "revision": self._files.revision()}
        self._send(told, self._last_state)

    def _question(self, question: Question) -> bool:
        """Ask the host; may be called by any of the engine's threads."""
        if self._dispatcher.trace is not None:
            return True  # only being explained
        with self._asking:
            self._send({"question": question.as_dict()})
            header, _ = frames.receive(self._connection)
        return header["answer"] is True

    # Running.

    def _run(self, header: Header, stdin: bytes) -> None:
        now_ns = header["now_ns"]
        self._clock = time.time_ns if now_ns is None else lambda: int(now_ns)
        if self._base.require_read:
            self._base.replace_ledger(header["ledger"])
        self._judge.begin()
        output = Outgoing(self._connection, header["max_total_output_bytes"], self._engine.cancel)
        told: Header = {}
        revision, position = self._files.revision(), self._files.journal_position()
        with self._undoable(header, told) as committed:
            before = self._engine.cwd
            back = self._enter(header, before)
            outcome = self._engine.run(
                header["script"],
                stdin=stdin,
                arguments=header["arguments"],
                on_output=output.write,
            )
            if back:
                self._engine.keeping_status(back)
            output.keep(outcome.last)
            if output.exceeded:
                outcome = Outcome(OUTPUT_EXIT_CODE, output.exceeded)
            committed(outcome)
        told |= {"done": outcome.exit_code, "error": outcome.error, "cwd": self._engine.cwd}
        told["cut"] = outcome.cut
        if self._base.require_read:
            told["ledger"] = self._base.ledger()
        state = self._engine.snapshot() if self._durable else b""
        if self._durable:
            self._save(header, outcome, before, state)
        if "changes" not in told:
            told |= self._changes(revision, position)
        told["revision"] = self._files.revision()
        told["state"] = "here" if self._durable else "later" if self._engine.changed else "same"
        output.send_with(told, state)
        if told["state"] == "later":
            # After the answer: the host takes it up before it asks for anything else.
            self._last_state = self._engine.snapshot()
            self._send({"state": True}, self._last_state)

    def _changes(self, before: int, position: int) -> Header:
        """Return what was changed: here the pages that say it are at hand."""
        if self._files.revision() == before:
            return {"changes": []}
        if self._files.journal_position() - position > _CHANGES_TOLD:
            return {"since": before}
        from vshell.ops.changeset import net_changes_of

        rows = self._files.changes(since=before, position=position)
        changes = net_changes_of(self._base, [row for row in rows if row.session == self._session])
        return {"changes": [each.as_dict() for each in changes]}

    def _enter(self, header: Header, cwd: str) -> str:
        """Go where this one run is to happen, with its variables; return the way back."""
        variables = header["environment"]
        words = restoring_script(variables, header["cwd"], None)
        if not words:
            return ""
        back = self._engine.resetting_script(variables)
        self._engine.keeping_status(words)
        return f"{back}\n{restoring_script({}, cwd, None)}" if header["cwd"] else back

    @contextmanager
    def _undoable(self, header: Header, told: Header) -> Iterator[Callable[[Outcome], None]]:
        """Run what is inside in one transaction when the host asks for that."""
        ends: list[Outcome] = []
        if not (header["atomic"] or header["dry_run"]):
            yield ends.append
            return
        from vshell.ops.changeset import combined_patch, net_changes_after

        try:
            with self._base.changing("shell"):
                position = self._files.journal_position()
                # Commands and the engine's threads take turns below: the transaction is
                # this script's, and the lock is free for whoever works for it.
                self._dispatcher.depth = self._files.store.depth
                self._files.store.lock.release()
                try:
                    yield ends.append
                finally:
                    self._files.store.lock.acquire()
                    self._dispatcher.depth = 0
                if header["dry_run"]:
                    changes = net_changes_after(self._base, position)
                    told["changes"] = [each.as_dict() for each in changes]
                    told["patch"] = combined_patch(self._base, changes)
                if header["dry_run"] or ends[0].exit_code:
                    raise _UndoneError
        except _UndoneError:
            told["undone"] = True

    def _save(self, header: Header, outcome: Outcome, cwd: str, state: bytes) -> None:
        if self._files.store.database.read_only or header["dry_run"]:
            return
        saved = shells.SavedShell(
            self._engine.cwd, self._engine.version, state, portable_of(self._engine)
        )
        with self._base.changing("shell"):
            if state != self._last_state:
                shells.save(self._files, self._session, saved)
            if header["remember"]:
                shells.add_history(
                    self._files, self._session, cwd, outcome.exit_code, header["script"]
                )
        self._last_state = state

    # Knowing.

    def _plan(self, header: Header, _payload: bytes) -> None:
        try:
            plan = self._engine.plan(header["script"])
        except ValueError as error:
            self._send({"plan": None, "message": str(error)})
        else:
            self._send({"plan": plan.as_dict()})

    def _explain(self, header: Header, _payload: bytes) -> None:
        """Run a script, note what it does, and undo all of it, what it did to the shell too."""
        state = self._engine.snapshot()
        trace: list[tuple[str, ...]] = []
        reads: dict[str, None] = {}
        self._dispatcher.trace = trace
        self._files.reads = reads
        told: Header = {}
        asked = header | {"atomic": False, "dry_run": True}
        try:
            with self._undoable(asked, told) as committed:
                outcome = self._engine.run(
                    header["script"], stdin=b"", arguments=(), on_output=lambda *_: None
                )
                committed(outcome)
        finally:
            self._dispatcher.trace = None
            self._files.reads = None
            self._engine.restore(state)
        told["explained"] = [[words, self._judge.verdict(words)] for words in trace]
        told |= {"reads": sorted(reads), "exit_code": outcome.exit_code, "error": outcome.error}
        self._send(told)


class _UndoneError(Exception):
    """Ends a transaction that is not to be kept."""


def main(descriptor: int) -> None:
    """Serve the host at the other end of a socket."""
    connection = socket.socket(fileno=descriptor)
    with suppress(ImportError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    worker = Worker(connection)
    signal.signal(signal.SIGINT, lambda *_: worker.interrupt())
    with suppress(ClosedConnectionError):
        worker.serve()
    os._exit(0)
