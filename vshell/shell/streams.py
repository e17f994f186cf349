"""Streams of a command: plain functions outside, awaiting the engine inside.

Commands are plain functions that read and write. The engine's pipes are asynchronous: a
read waits for the writer before it, a write for the reader after it. So a command runs in
a greenlet of its own; where it has to wait, it hands an awaitable to `drive`, which is a
coroutine of the engine's loop, and gets the result back. Everything stays in one thread,
and commands of one pipeline change over only where one of them waits.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections.abc import Awaitable, Callable
from typing import Any, Final

from greenlet import getcurrent, greenlet

_BUFFER_BYTES: Final = 64 * 1024
"""What is written at once: larger pieces cost a change of command less often."""


async def drive(function: Callable[[], int]) -> int:
    """Run a plain function that may call `wait`; return what it returns."""
    running = greenlet(function)
    return await _go_on(running, running.switch())


def drive_alone(function: Callable[[], int], loop: AbstractEventLoop) -> int:
    """Run a plain function outside of a loop; the loop runs only if the function waits."""
    running = greenlet(function)
    result = running.switch()
    if running.dead:
        return int(result)
    return loop.run_until_complete(_go_on(running, result))


async def _go_on(running: greenlet, result: Any) -> int:
    while not running.dead:
        try:
            value = await result
        except BaseException as error:  # noqa: BLE001 - raised again where it was waited for
            result = running.throw(error)
        else:
            result = running.switch(value)
    return int(result)


def wait(awaitable: Awaitable[Any]) -> Any:
    """Return what an awaitable gives; call it below `drive` only."""
    parent = getcurrent().parent
    assert parent is not None, "only commands wait"
    return parent.switch(awaitable)


class Pipe:
    """What a command reads.

    Args:
        source: Returns an awaitable for the next piece, or for None at the end.
        before: Called before each wait: what the command has to say is said first.
    """

    def __init__(
        self, source: Callable[[], Awaitable[bytes | None]], before: Callable[[], None]
    ) -> None:
        self._source = source
        self._before = before
        self._held = b""
        self._ended = False
        self._read: list[bytes] | None = None
        self.touched = False

    def _pull(self) -> bytes:
        if self._ended:
            return b""
        if self._read is None:
            self.touched = True
            self._before()
        piece = bytes(wait(self._source()) or b"")
        self._ended = not piece
        if self._read is not None:
            self._read.append(piece)
            if sum(map(len, self._read)) > _BUFFER_BYTES:
                self._read = None
        return piece

    def keep(self) -> None:
        """Keep what is read, as long as it is not much, so that it can be read again."""
        self._read = []

    def rewind(self) -> None:
        """Begin again with what was kept."""
        if self._read:
            self._held = b"".join(self._read)

    def read(self, size: int = -1, /) -> bytes:
        if size < 0:
            pieces = [self._held]
            while piece := self._pull():
                pieces.append(piece)
            self._held = b""
            return b"".join(pieces)
        if not self._held and size:
            self._held = self._pull()
        data, self._held = self._held[:size], self._held[size:]
        return data

    def readline(self) -> bytes:
        end = self._held.find(b"\n")
        if end < 0:
            pieces = [self._held]
            while piece := self._pull():
                pieces.append(piece)
                if b"\n" in piece:
                    break
            self._held = b"".join(pieces)
            end = self._held.find(b"\n")
        line = self._held if end < 0 else self._held[: end + 1]
        self._held = self._held[len(line) :]
        return line

    def __iter__(self) -> Pipe:
        return self

    def __next__(self) -> bytes:
        line = self.readline()
        if not line:
            raise StopIteration
        return line


class Sink:
    """One of the two things that a command writes to; see `Sinks`.

    Attributes:
        touched: Whether something was written that cannot be taken back.
        holders: What still holds output of the command, as functions that write it: called
            before anything is written to the other one.
    """

    def __init__(self, sinks: Sinks, target: Callable[[bytes], Awaitable[None]]) -> None:
        self._sinks = sinks
        self.target = target
        self.touched = False
        self.holders: list[Callable[[], None]] = []

    def write(self, data: bytes, /) -> None:
        self._sinks.write(self, bytes(data))

    def flush(self) -> None:
        """Write what is held, of both."""
        self._sinks.flush()

    def take(self) -> bytes:
        """Return what is held, instead of writing it."""
        return self._sinks.take(self)


class Sinks:
    """Standard output and standard errors, which may be one: what is written keeps its order.

    GNU's tools write what they have before they complain, so that is the order of `2>&1`.

    Args:
        stdout: Returns an awaitable that writes a piece; raises `BrokenPipeError` in it
            when nobody reads any more.
        stderr: The same for errors.
        may_wait: Whether this is a moment to wait: inside a transaction, it is not.
    """

    def __init__(
        self,
        stdout: Callable[[bytes], Awaitable[None]],
        stderr: Callable[[bytes], Awaitable[None]],
        may_wait: Callable[[], bool],
    ) -> None:
        self.stdout = Sink(self, stdout)
        self.stderr = Sink(self, stderr)
        self._may_wait = may_wait
        self._held: list[tuple[Sink, list[bytes]]] = []
        self._size = 0

    def write(self, sink: Sink, data: bytes) -> None:
        if sink is self.stderr:
            for write in self.stdout.holders:
                write()
        if not self._held or self._held[-1][0] is not sink:
            self._held.append((sink, []))
        self._held[-1][1].append(data)
        self._size += len(data)
        if self._size >= _BUFFER_BYTES and self._may_wait():
            self.flush()

    def flush(self) -> None:
        held, self._held, self._size = self._held, [], 0
        for sink, pieces in held:
            sink.touched = True
            wait(sink.target(b"".join(pieces)))

    def take(self, sink: Sink) -> bytes:
        taken = [piece for each, pieces in self._held if each is sink for piece in pieces]
        self._held = [each for each in self._held if each[0] is not sink]
        self._size -= sum(map(len, taken))
        return b"".join(taken)


class Direct:
    """What a command that runs without the engine writes to.

    Args:
        stream: `"stdout"` or `"stderr"`.
        on_output: Is given what is written: errors at once, the rest in larger pieces.
    """

    def __init__(self, stream: str, on_output: Callable[[str, bytes], None]) -> None:
        self._stream = stream
        self._on_output = on_output
        self._held: list[bytes] = []
        self._size = 0
        self.touched = False
        self._enough = _BUFFER_BYTES if stream == "stdout" else 0

    def write(self, data: bytes, /) -> None:
        self._held.append(bytes(data))
        self._size += len(data)
        if self._size >= self._enough:
            self.flush()

    def flush(self) -> None:
        """Write what is held."""
        if self._held:
            self.touched = True
            self._on_output(self._stream, self.take())

    def take(self) -> bytes:
        """Return what is held, instead of writing it."""
        data = b"".join(self._held)
        self._held.clear()
        self._size = 0
        return data
