"""The far end of a mirror inside a container: one shell that answers many questions.

Starting a command in a container takes 60 ms, and a question to a shell that runs already
takes less than one. The shell reads one line for each question, and lets the programs that
answer it read the data after the line. Its script is an argument and not its input, since
a shell that reads its script from there swallows the data.

It needs GNU's `find`, `tar`, `cp` and `xargs`, which images of Debian, Ubuntu and Fedora
have.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Generator, Iterable
from contextlib import suppress
from typing import Final

from vshell.errors import ConflictError, CorruptError, NotFoundError, UnavailableError
from vshell.sync import docker_exec
from vshell.sync.docker_client import Daemon, translated
from vshell.sync.docker_machine import CONTROL, WORKSPACE
from vshell.sync.docker_stream import ExecStream

__all__ = ["CLOCK", "RECORD", "ContainerLoop"]

CLOCK: Final = f"{CONTROL}/clock"
"""A file that is written anew before a look, so that its time is that of the look."""

RECORD: Final = r"%y %m %s %T@ %C@ %i %p\0"
"""What `find` says of an entry; the path is last, for it may hold anything."""

_LOOP: Final = (
    f"""
root={WORKSPACE} control={CONTROL}
export LC_ALL=C
cd "$root" || exit 90
find . -maxdepth 0 -printf '' && tar --version >/dev/null && xargs --version >/dev/null || exit 91
"""
    r"""
record='"""
    + RECORD
    + r"""'
# Each program that is started costs more than a millisecond, so there are few.
if find -files0-from /dev/null 2>/dev/null; then
  stats() { find -files0-from "$1" -maxdepth 0 -printf "$record" 2>/dev/null; }
else
  stats() { xargs -0 -r sh -c 'find "$@" -maxdepth 0 -printf "$0"' "$record" <"$1" 2>/dev/null; }
fi
take() { head -c "$1" >"$control/$2"; }
tick() { : >"$control/clock"; }
while IFS=' ' read -r token question; do
  eval "$question"
  printf '\n%s %s\n' "$token" "$?"
done
"""
)

_TIMEOUT_S: Final = 120.0
_MAX_ANSWER_BYTES: Final = 16 * 1024**2
"""More than what is asked about at once can take, with the longest names."""

_END: Final = re.compile(rb"(\d{1,3})\n")


class ContainerLoop:
    """A shell in a container, from the first question on.

    Args:
        daemon: Whose container it is.
        machine: The container.
        user: Who the shell runs as; None is the image's user.
    """

    def __init__(self, daemon: Daemon, machine: str, *, user: str | None) -> None:
        self._daemon = daemon
        self._machine = machine
        self._user = user
        self._stream: ExecStream | None = None
        self._is_answering = False
        self._mark = f"mirror-{os.urandom(8).hex()}"

    def close(self) -> None:
        """End the shell."""
        is_stuck = self._stream is not None and self._is_answering
        if self._stream is not None:
            self._stream.close()
            self._stream = None
        self._is_answering = False
        if is_stuck:  # it may go on for ever, with the lock
            docker_exec.kill(self._daemon, self._machine, self._mark, user=self._user)

    def ask(self, question: str, data: Iterable[bytes] = ()) -> tuple[int, bytes]:
        """Return the exit code and the whole answer; arguments and errors as for `stream`."""
        found = bytearray()
        answer = self.stream(question, data)
        while True:
            try:
                found += next(answer)
            except StopIteration as end:
                return end.value, bytes(found)
            if len(found) > _MAX_ANSWER_BYTES:
                answer.close()
                raise CorruptError("the container answers with more than was asked for")

    def stream(
        self, question: str, data: Iterable[bytes] = (), *, timeout_s: float = _TIMEOUT_S
    ) -> Generator[bytes, None, int]:
        """Yield the answer to a question in pieces, and return its exit code.

        It must be taken to its end, or no other can be asked.

        Args:
            question: A line of shell.
            data: What the programs in it read, in pieces.
            timeout_s: How long to wait for the next piece.

        Raises:
            UnavailableError: The container does not answer as it should, or is gone.
        """
        token = os.urandom(12).hex()
        if self._is_answering:  # somebody did not want the rest of the last answer
            self.close()
        connection = self._connection()
        self._is_answering = True
        finished = False
        try:
            deadline_s = time.monotonic() + timeout_s
            connection.write(f"{token} {question}\n".encode(), deadline_s)
            for piece in data:
                connection.write(piece, time.monotonic() + timeout_s)
            code = yield from _until(connection, f"\n{token} ".encode(), timeout_s)
            finished = True
        except (TimeoutError, OSError) as error:
            raise UnavailableError(
                f"the container does not answer ({type(error).__name__})"
            ) from None
        finally:
            if finished:
                self._is_answering = False
            elif self._stream is connection:  # what comes next is still of this answer
                self.close()
        return code

    def _connection(self) -> ExecStream:
        if self._stream is None:
            with translated("cannot reach the container"):
                made = self._daemon.api.exec_create(
                    self._machine,
                    ["/bin/sh", "-c", _LOOP],
                    stdin=True,
                    user=self._user or "",
                    environment={docker_exec.MARK: self._mark},
                )
            self._stream = ExecStream.start(self._daemon, made["Id"])
            self._is_answering = True
            try:
                self._stream.write(b"ready :\n")
                said = 0
                for piece in _until(self._stream, b"\nready ", _TIMEOUT_S):
                    said += len(piece)
                    if said > _MAX_ANSWER_BYTES:
                        raise CorruptError("the container's shell does not get ready")
            except BaseException:
                self.close()
                with suppress(NotFoundError, ConflictError):
                    self._explain(str(made["Id"]))
                raise
        return self._stream

    def _explain(self, process: str) -> None:
        """Say why the shell ended, if that is known."""
        with translated("cannot reach the container"):
            code = self._daemon.api.exec_inspect(process)["ExitCode"]
        if code == 91:
            raise UnavailableError(
                "the image has no GNU find, tar and xargs, which a mirror inside needs",
                hint="use an image of Debian, Ubuntu or Fedora, or a daemon on this host",
            )


def _until(connection: ExecStream, end: bytes, timeout_s: float) -> Generator[bytes, None, int]:
    """Yield what comes before the end of an answer, take the end, and return the exit code."""
    kept = bytearray()
    while True:
        piece = connection.read(time.monotonic() + timeout_s)
        if piece is None:
            raise UnavailableError("the container ended the connection")
        if piece.stream != "stdout":
            continue
        kept += piece.data
        place = kept.rfind(end, max(0, len(kept) - len(piece.data) - len(end) - 4))
        found = _END.match(kept, place + len(end)) if place >= 0 else None
        if found is not None:
            yield bytes(kept[:place])
            return int(found[1])
        if place < 0 and len(kept) > len(end):
            yield bytes(kept[: -len(end)])
            del kept[: -len(end)]
