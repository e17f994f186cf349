"""What the engines in the jail share: starting a guest, and reading what it says.

A guest sends lists of JSON: `["call", method, arguments, keywords]`, `["log", stream,
text]`, `["done", value]` and `["failed", type, message, line, traceback]`. It hears
`["answer", value]` or `["fail", type, message, data]`. Whatever else it sends ends it.

An answer may hold, as `[[path, text], ...]`, what reading files would return that the
script is about to read. What the guest has used of it stands, as numbers, at the end of its
next message; the rest is void then.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.util import find_spec
from typing import Any, Final, NoReturn, cast

from vshell.errors import DecodeError, UnavailableError
from vshell.jail.channel import FrameTooLargeError, HostChannel, HungUpError
from vshell.jail.zygote import Forked, Isolation, Zygote
from vshell.script.engine import (
    Call,
    Death,
    Died,
    Done,
    Engine,
    Event,
    Failed,
    Guest,
    Job,
    Language,
    Log,
    Unavailability,
    Value,
)
from vshell.script.limits import Limits
from vshell.script.values import encode, tagged, untagged

__all__ = ["JailedEngine", "JailedGuest"]

JAVASCRIPT_EXTENSION: Final = "_quickjs"

_FRAME_BYTES: Final = 4096
"""What a message may have beside the value in it."""

_MAX_ITEMS: Final = 2_000_000
"""How many values a message may have: each costs the host some 60 bytes, however short."""

_DEATHS: Final[dict[signal.Signals, Death]] = {
    signal.SIGKILL: "killed",
    signal.SIGXCPU: "timeout",
}
_WORDS: Final[dict[Death, str]] = {
    "killed": "the system ended it, as it does when memory runs out",
    "timeout": "it used all the processor time that it may",
}

MAX_GUESTS: Final = 64
"""How many scripts in jails one process of the host runs at once."""

_PLACE_TIMEOUT_S: Final = 30.0
_START_TIMEOUT_S: Final = 10.0
_ATTEMPTS: Final = 3
_LONGEST_S: Final = 10**9
_STRINGS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


_decoder: Final = json.JSONDecoder(parse_constant=_refuse_constant)


class _Places:
    """How many guests of this process may run at once; the others wait for a while."""

    def __init__(self) -> None:
        self._free = threading.BoundedSemaphore(MAX_GUESTS)

    def take(self) -> Callable[[], None]:
        """Take a place; return what gives it back, once, however often it is called.

        Raises:
            UnavailableError: There was none for too long.
        """
        free = self._free
        if not free.acquire(timeout=_PLACE_TIMEOUT_S):
            raise UnavailableError(
                f"{MAX_GUESTS} scripts are running already", hint="try again when one has ended"
            )
        held = [free]

        def give_back() -> None:
            with suppress(IndexError):
                held.pop().release()

        return give_back

    def forget(self) -> None:
        """Start anew in a forked child, in which none of them runs."""
        self._free = threading.BoundedSemaphore(MAX_GUESTS)


def _nothing() -> None:
    """Give back no place."""


class JailedGuest(Guest):
    """A script in the jail.

    Args:
        forked: Its process, which has its job.
        limits: Its budgets.
        on_end: Called when it has ended or was given away, perhaps more than once.
    """

    takes_ahead = True

    def __init__(
        self, forked: Forked, limits: Limits, on_end: Callable[[], None] = _nothing
    ) -> None:
        largest = max(limits.max_message_bytes, limits.max_value_bytes)
        forked.channel.max_frame_bytes = largest + _FRAME_BYTES
        self._forked = forked
        self._on_end = on_end
        self._limits = limits
        self._deadline = time.monotonic() + limits.timeout_s
        self._calls = 0
        self._ahead: tuple[str, ...] = ()
        self._end: Event | None = None
        self._lock = threading.Lock()

    @classmethod
    def attached(cls, socket_descriptor: int, limits: Limits) -> JailedGuest:
        """Return the guest at a socket that another process gave away with `detach`.

        That process, or the limit of processor time, ends it; `close` only hangs up, on
        which a guest that listens ends.
        """
        channel = HostChannel(socket.socket(fileno=socket_descriptor), max_frame_bytes=0)
        return cls(Forked(channel, None), limits)

    def awaited(self) -> int | None:
        """Return the descriptor that is readable when `next` need not wait; None if it need not."""
        if self._end is not None or self._forked.channel.buffered:
            return None
        return self._forked.channel.fileno()

    def detach(self) -> tuple[int, int | None]:
        """Give the guest away, to be used with `attached`.

        Returns:
            Its socket, and the descriptor of its process, by which `signal.pidfd_send_signal`
            ends it. The caller closes both.
        """
        process, self._forked.process = self._forked.process, None
        self._end = Died("killed", "it was given away")
        self._on_end()
        return self._forked.channel.detach(), process

    def next(self, deadline: float) -> Event:
        if self._end is not None:
            return self._end
        self._deadline = deadline
        with self._lock:
            return self._received(deadline)

    def _received(self, deadline: float) -> Event:
        event: Event
        try:
            frame = self._forked.channel.receive(deadline=deadline)
            event = self._event_of(frame)
        except TimeoutError:
            event = Died("timeout")
        except FrameTooLargeError as error:
            event = Died("crash", f"a message of {error.args[0]} bytes is over the limit")
        except HungUpError:
            event = self._end or self._death()
        except (DecodeError, ValueError, TypeError, RecursionError) as error:
            event = Died("crash", f"it sent what is no message ({type(error).__name__})")
        if not isinstance(event, (Call, Log)):
            self._end = event
            self._forked.close()
            self._on_end()
        return event

    def _death(self) -> Died:
        """Tell how the process ended, which has hung up without a result."""
        found = self._forked.ended_by()
        if found is None:
            return Died("crash", "it ended without a result")
        reason = _DEATHS.get(found, "crash")
        return Died(reason, f"{_WORDS.get(reason, 'it crashed')} ({found.name})")

    def _event_of(self, frame: bytes) -> Event:
        match _decode(frame):
            case ["call", str(method), list(arguments), dict(keywords), *used]:
                self._calls += 1
                taken = self._taken(used)
                return Call(self._calls, method, tuple(arguments), keywords, taken)
            case ["log", "stdout" | "stderr" as stream, str(text) | bytes(text)]:
                return Log(stream, text)
            case ["done", value, *used]:
                return Done(value, self._taken(used), len(frame))
            case ["failed", str(type), str(text), None | int() as line, str(traceback), *used]:
                return Failed(type, text, line, traceback, taken=self._taken(used))
        raise ValueError("a message has no known form")

    def _taken(self, used: list[Value]) -> tuple[str, ...]:
        """Return which answers that were sent ahead the guest says that it has used."""
        ahead, self._ahead = self._ahead, ()
        if not used:
            return ()
        (numbers,) = used
        if len(numbers) > len(ahead) or not all(
            type(number) is int and 0 <= number < len(ahead) for number in numbers
        ):
            raise ValueError("it used what it was not sent")
        return tuple(ahead[number] for number in numbers)

    def answer(self, value: Value, ahead: Mapping[str, Value] | None = None) -> None:
        frame = b'["answer",' + encode(value, max_bytes=self._limits.max_message_bytes)
        if ahead:
            self._ahead = tuple(ahead)
            frame += b"," + encode(list(ahead.items()))
        self._send(frame + b"]")

    def fail(self, type: str, message: str, data: Mapping[str, Value]) -> None:
        self._send(encode(["fail", type, message, dict(data)]))

    def _send(self, frame: bytes) -> None:
        if self._end is not None:
            return
        try:
            self._forked.channel.send(frame, deadline=self._deadline)
        except TimeoutError:
            self._end = Died("timeout", "it did not take an answer")
            self._forked.close()
        except HungUpError:
            return  # `next` finds out: what it said before it went still counts

    def snapshot(self) -> bytes | None:
        return None

    def close(self) -> None:
        self._end = self._end or Died("killed")
        self._forked.kill()  # so that a thread that waits for it does not wait on
        with self._lock:
            self._forked.close()
            self._on_end()


def _decode(frame: bytes) -> Any:
    text = frame.decode("utf-8", "surrogatepass")
    if (
        len(frame) > _MAX_ITEMS
        and _separators(frame) > _MAX_ITEMS
        and _separators(_STRINGS.sub(b"", frame)) > _MAX_ITEMS
    ):
        raise ValueError("a message has too many values")
    value = _decoder.decode(text)
    return untagged(value) if '"$' in text else value


def _separators(data: bytes) -> int:
    return sum(data.count(mark) for mark in (b",", b"[", b"{"))


class _Shared:
    """The zygote of this process, which all its engines use while any of them is open."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._zygotes: dict[bool, Zygote] = {}
        self._users: dict[bool, set[object]] = {False: set(), True: set()}

    def zygote(self, user: object, *, allow_reduced: bool) -> Zygote:
        with self._lock:
            self._users[allow_reduced].add(user)
            found = self._zygotes.get(allow_reduced)
            if found is None:
                found = self._zygotes[allow_reduced] = _make_zygote(allow_reduced=allow_reduced)
            return found

    def release(self, user: object, *, allow_reduced: bool) -> None:
        with self._lock:
            users = self._users[allow_reduced]
            users.discard(user)
            zygote = None if users else self._zygotes.pop(allow_reduced, None)
        if zygote is not None:
            zygote.close()

    def forget(self) -> None:
        """Start anew in a forked child: the processes belong to the parent."""
        self._lock = threading.Lock()
        self._zygotes = {}


def _make_zygote(*, allow_reduced: bool) -> Zygote:
    modules, extensions = ["vshell.script.guest.python"], {}
    quickjs = find_spec(JAVASCRIPT_EXTENSION)
    if quickjs is not None and quickjs.origin is not None:
        modules.append("vshell.script.guest.javascript")
        extensions[JAVASCRIPT_EXTENSION] = quickjs.origin
    return Zygote(modules=modules, extensions=extensions, allow_reduced=allow_reduced)


_shared: Final = _Shared()
_places: Final = _Places()
os.register_at_fork(after_in_child=_shared.forget)
os.register_at_fork(after_in_child=_places.forget)


class JailedEngine(Engine):
    """Runs scripts in a process of their own that has nothing but a socket.

    Args:
        allow_reduced: Whether to go on where the system offers no namespaces. The guest is
            then confined by the filter of system calls and by limits alone.
    """

    can_snapshot = False
    _name: str
    _language: Language
    _module: str

    def __init__(self, *, allow_reduced: bool = False) -> None:
        self._allow_reduced = allow_reduced
        self._lock = threading.Lock()
        self._guests: weakref.WeakSet[JailedGuest] = weakref.WeakSet()
        self._available: tuple[Unavailability | None] | None = None
        self._token = object()
        self._finalizer = weakref.finalize(
            self, _shared.release, self._token, allow_reduced=allow_reduced
        )
        self._finalizer.atexit = True

    @property
    def name(self) -> str:
        return self._name

    @property
    def languages(self) -> frozenset[Language]:
        return frozenset({self._language})

    @property
    def isolation(self) -> Isolation:
        """What guests are confined by.

        Raises:
            UnavailableError: They cannot be confined here.
        """
        return self._zygote().isolation

    def _zygote(self) -> Zygote:
        return _shared.zygote(self._token, allow_reduced=self._allow_reduced)

    def available(self) -> Unavailability | None:
        if self._available is None:
            self._available = (self._look(),)
        return self._available[0]

    def _look(self) -> Unavailability | None:
        try:
            self._zygote().isolation  # noqa: B018 - it starts what is asked about
        except UnavailableError as error:
            return Unavailability(error.message, error.hint or "")
        return None

    def can_run(self, job: Job) -> bool:
        return job.language == self._language

    def start(self, job: Job) -> JailedGuest:
        missing = self.available()
        if missing is not None:
            raise UnavailableError(missing.reason, hint=missing.hint)
        give_back = _places.take()
        try:
            guest = JailedGuest(self._forked(job), job.limits, give_back)
        except BaseException:
            give_back()
            raise
        with self._lock:
            self._guests.add(guest)
        return guest

    def _forked(self, job: Job) -> Forked:
        """Return a process that has its job."""
        for _ in range(_ATTEMPTS):
            forked = self._zygote().fork()
            try:
                forked.start(
                    self._module,
                    _job_fields(job),
                    memory_bytes=job.limits.max_memory_bytes,
                    cpu_s=min(job.limits.timeout_s, _LONGEST_S),
                    deadline=time.monotonic() + _START_TIMEOUT_S,
                )
            except HungUpError:  # the one that was kept ready had ended
                forked.close()
                continue
            except BaseException:
                forked.close()
                raise
            return forked
        raise UnavailableError(
            "the process for a script ends before it can start",
            hint="the system may be out of memory",
        )

    def resume(self, snapshot: bytes, job: Job) -> NoReturn:  # noqa: ARG002 - the protocol's
        raise UnavailableError(f"the engine {self.name} has no snapshots")

    def close(self) -> None:
        with self._lock:
            guests = list(self._guests)
        for guest in guests:
            guest.close()
        _shared.release(self._token, allow_reduced=self._allow_reduced)


def _job_fields(job: Job) -> dict[str, Any]:
    return {
        "source": job.source,
        "inputs": cast("dict[str, Any]", tagged(dict(job.inputs))),
        "methods": job.methods,
        "functions": job.functions,
        "seed": job.seed,
        "now_ns": job.now_ns,
        "deterministic": job.deterministic,
        "name": job.name,
        "mode": job.mode,
        "arguments": job.arguments,
        "stdin": tagged(job.stdin),
        "memory_bytes": job.limits.max_memory_bytes,
    }
