"""What runs a script: an engine yields events, the host answers its calls.

An engine starts a guest for a job. The host asks for the next event, answers when it is
a call, and goes on until the guest is done, has failed or died. Budgets but memory, the
log, files and replay are the host's business (`loop.py`); an engine confines and runs.

Nothing that a guest says is trusted: an engine checks the form of each message, and
whatever has none is `Died("crash")`.

The engines are `engines.monty.MontyEngine` (named `monty`), `engines.python.PythonEngine`
(`cpython`) and `engines.javascript.JavaScriptEngine` (`quickjs`); each is made without
arguments.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from vshell.script.limits import Limits

__all__ = [
    "Call",
    "Death",
    "Died",
    "Done",
    "Engine",
    "Event",
    "Failed",
    "Guest",
    "Job",
    "Language",
    "Log",
    "Unavailability",
    "Value",
]

Language = Literal["python", "javascript"]
Death = Literal["timeout", "memory", "killed", "crash"]

Value = Any
"""What travels between guest and host: None, booleans, integers, floats, text, bytes, lists
and objects with text as keys. Where messages are JSON, `values.py` says how bytes stand there."""


@dataclass(frozen=True, slots=True)
class Job:
    """What an engine is asked to run.

    Attributes:
        source: The program, normalised (`source.py`). Python: a module with `await`
            allowed at the top; its result is the value of the last statement if that is
            an expression. JavaScript: what is an expression that gives a function is
            called with `(state, inputs)`; else statements of which the last expression
            counts; where that does not parse, the body of an async function. A promise
            is awaited.
        language: The language of `source`.
        inputs: Global variables by name; also all together as `inputs`.
        methods: The names that `state` has, in every spelling.
        functions: More functions of the host, as global names; calls have that name.
        limits: The budgets.
        seed: What randomness comes from when `deterministic`.
        now_ns: What the clock shows at first when `deterministic`, in nanoseconds.
        deterministic: Whether clock and randomness come from `seed` and `now_ns` alone, so
            that running again with the same answers does the same.
        name: What tracebacks call the program.
        mode: `"function"`: a result is wanted. `"program"`: as `python FILE` does it:
            `arguments`, `stdin`, the two streams as bytes, and an exit code as result.
        arguments: What `sys.argv[1:]` or `process.argv.slice(2)` has.
        stdin: What the program reads; None when it is to ask for it, a piece at a time, by
            calls of `guest.host.READ_STDIN` with how many bytes it wants (-1: all).
    """

    source: str
    language: Language
    inputs: Mapping[str, Value] = field(default_factory=dict)
    methods: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    seed: int = 0
    now_ns: int = 0
    deterministic: bool = False
    name: str = "<script>"
    mode: Literal["function", "program"] = "function"
    arguments: tuple[str, ...] = ()
    stdin: bytes | None = b""


@dataclass(frozen=True, slots=True)
class Call:
    """The guest wants something; it waits for `answer` or `fail`.

    Attributes:
        id: Counts the guest's calls from 1; answers go to the latest.
        method: A name of `Job.methods` or `Job.functions`.
        arguments: By position.
        keywords: By name.
        taken: The files that it has read since its last call from what was sent ahead.
    """

    id: int
    method: str
    arguments: tuple[Value, ...] = ()
    keywords: Mapping[str, Value] = field(default_factory=dict)
    taken: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Log:
    """The guest printed something; nothing is answered."""

    stream: Literal["stdout", "stderr"]
    text: str | bytes


@dataclass(frozen=True, slots=True)
class Done:
    """The script ended with a value.

    Attributes:
        value: What it returned.
        taken: As in `Call`.
        size: How many bytes it took as JSON, if it was; at most a little more than it is.
    """

    value: Value
    taken: tuple[str, ...] = ()
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The script failed by itself.

    Attributes:
        type: The name of the exception, such as `KeyError` or `TypeError`; also
            `MemoryError` or `RecursionError` where the engine noticed in time.
        message: What it says.
        line: The line of `Job.source` that it came from, from 1; None if unknown.
        traceback: The whole of it, for people.
        unsupported: The engine lacks what the script uses, as far as it can tell; another
            engine may run it.
        taken: As in `Call`.
    """

    type: str
    message: str
    line: int | None = None
    traceback: str = ""
    unsupported: bool = False
    taken: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Died:
    """The guest is gone, or had to be ended."""

    reason: Death
    detail: str = ""


Event = Call | Log | Done | Failed | Died


@dataclass(frozen=True, slots=True)
class Unavailability:
    """Why an engine cannot be used here.

    Attributes:
        reason: What is missing, one sentence without a final full stop.
        hint: What can be done about it.
    """

    reason: str
    hint: str = ""


class Guest(Protocol):
    """A started script; one thread at a time uses it."""

    @property
    def takes_ahead(self) -> bool:
        """Whether `answer` may be given what comes next."""

    def next(self, deadline: float) -> Event:
        """Return what happens next; `Died("timeout")` at `deadline` of `time.monotonic()`.

        After `Done`, `Failed` and `Died` there is nothing more.
        """

    def answer(self, value: Value, ahead: Mapping[str, Value] | None = None) -> None:
        """Let the latest call return `value`.

        Args:
            value: What it returns.
            ahead: By their paths, what reading files returns that the script is about to read,
                to spare it those calls. It is void as soon as the guest calls anything.

        Raises:
            TooLargeError: It is larger than a message may be. The call still waits.
            TypeError: It has no form as a message. The call still waits.
        """

    def fail(self, type: str, message: str, data: Mapping[str, Value]) -> None:
        """Let the latest call raise.

        Args:
            type: The builtin exception of Python that it is most like.
            message: What it says.
            data: More about it: `code`, `path`, `hint` and the like; JavaScript has them as
                properties of the error, Python as attributes where it can.
        """

    def snapshot(self) -> bytes | None:
        """Return the paused guest, to be resumed where it waits for an answer.

        None when the engine cannot. Call it between a `Call` and its answer.
        """

    def close(self) -> None:
        """End the guest, whatever it does, and free what it had. Idempotent.

        Another thread may call it, too: `next` then returns `Died("killed")`.
        """


class Engine(Protocol):
    """Runs scripts of some languages. Threads may use it at once."""

    @property
    def name(self) -> str:
        """What `engine=` and results call it."""

    @property
    def languages(self) -> frozenset[Language]:
        """What it can run."""

    @property
    def can_snapshot(self) -> bool:
        """Whether its guests have snapshots."""

    def available(self) -> Unavailability | None:
        """Tell why it cannot be used here; None when it can. The answer is kept."""

    def can_run(self, job: Job) -> bool:
        """Tell, without running it, whether the script uses only what the engine has."""

    def start(self, job: Job) -> Guest:
        """Start a guest.

        Raises:
            UnavailableError: It cannot be used here.
        """

    def resume(self, snapshot: bytes, job: Job) -> Guest:
        """Return the guest that a snapshot is of, waiting for the answer to its call.

        Raises:
            UnavailableError: It has no snapshots, or this one is of another release.
        """

    def close(self) -> None:
        """End all guests and helpers. Idempotent; starting again afterwards is allowed."""
