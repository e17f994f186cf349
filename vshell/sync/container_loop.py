"""The far end of a mirror inside a container: one shell that answers many questions.

Starting a command in a container takes 60 ms, and a question to a shell that runs already
takes less than one. The shell reads one line for each question, and lets the programs that
answer it read the data after the line. Its script is an argument and not its input, since
a shell that reads its script from there swallows the data.

It needs `find`, `tar`, `cp`, `xargs` and `head`: GNU's, which images of Debian, Ubuntu and
Fedora have, or with `stat` those of BusyBox, which Alpine's have. These know nothing of what
`find` could say to the end while directories are closed to it, and list no million files.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Generator, Iterable
from contextlib import suppress
from typing import Final, Literal

from vshell.errors import ConflictError, CorruptError, NotFoundError, UnavailableError
from vshell.sync import docker_exec
from vshell.sync.container_listing import CLOCK, CLOSED_RECORD, NUMBERS, RECORD
from vshell.sync.docker_client import Daemon, translated
from vshell.sync.docker_machine import CONTROL, WORKSPACE
from vshell.sync.docker_stream import ExecStream

__all__ = ["ContainerLoop", "Tools"]

Tools = Literal["gnu", "plain"]
"""Whose `find`, `stat` and `tar` the image has: GNU's, or those of BusyBox or the like."""

_SETTINGS: Final = f"""
root={WORKSPACE} control={CONTROL} clock={CLOCK}
record='{RECORD}' closed='{CLOSED_RECORD}' numbers='{NUMBERS}'
export LC_ALL=C TZ=UTC0
cd "$root" || exit 90
"""

# Each program that is started costs more than a millisecond, so there are few.
_GNU: Final = r"""
if find . -maxdepth 0 -printf '' 2>/dev/null && tar --version >/dev/null 2>&1; then
  tools=gnu
  list() {
    find "$clock" . -xdev -ignore_readdir_race "$@" \
      -type d \( ! -readable -o ! -executable \) -printf "$closed" -prune \
      -o -printf "$record" 2>/dev/null
  }
  if find -files0-from /dev/null 2>/dev/null; then
    stats() { find -files0-from "$1" -maxdepth 0 -printf "$record" 2>/dev/null; }
  else
    stats() { xargs -0 -r sh -c 'find "$@" -maxdepth 0 -printf "$0"' "$record" <"$1" 2>/dev/null; }
  fi
  contents() {
    tar -cf - --format=gnu --null --verbatim-files-from --no-recursion --hard-dereference \
      --no-unquote -T "$1" 2>/dev/null
  }
  unpack() { tar -xpf - --no-same-owner --delay-directory-restore 2>/dev/null; }
  exact() { head -c "$1"; }
"""

_PLAIN: Final = r"""
elif find . -maxdepth 0 -print0 >/dev/null 2>&1 && stat -c "$numbers" . >/dev/null 2>&1 \
  && tar --help 2>&1 | grep -q no-recursion && printf . | xargs -0 true \
  && printf . | dd bs=1 count=1 iflag=fullblock >/dev/null 2>&1; then
  tools=plain
  list() {
    find "$clock" . -xdev "$@" -print0 >"$control/names" 2>/dev/null || return
    cat "$control/names"
    printf '\0'
    stats "$control/names"
  }
  stats() { xargs -0 -r stat -c "$numbers" <"$1" 2>/dev/null; }
  contents() { xargs -0 tar -cf - --no-recursion <"$1" 2>/dev/null; }
  unpack() { tar -xpof - 2>/dev/null; }
  # BusyBox's `head` takes more than it is to.
  exact() {
    [ "$1" -lt 65536 ] || dd bs=65536 count=$(($1 / 65536)) iflag=fullblock 2>/dev/null || return
    [ $(($1 % 65536)) = 0 ] || dd bs=$(($1 % 65536)) count=1 iflag=fullblock 2>/dev/null
  }
else
  exit 91
fi
"""

_LOOP: Final = (
    _SETTINGS
    + _GNU
    + _PLAIN
    + r"""
if command -v flock >/dev/null; then
  hold() { exec 9>"$control/lock"; flock -n 9; }
  free() { exec 9>&-; }
else
  # Who has made the file has the lock, for as long as his process lives.
  hold() {
    (set -C; echo "$$" >"$control/held") 2>/dev/null && return
    read -r holder <"$control/held"
    [ "$holder" != "$$" ] || return 0
    [ -d "/proc/$holder" ] || rm -f "$control/held"
    return 1
  }
  free() { rm -f "$control/held"; }
fi
# What follows the data would be taken for a question if some of them were left.
take() { exact "$1" >"$control/$2" || exit 92; }
tick() { : >"$clock"; }
end() { return "$1"; }
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
        self._tools: Tools = "gnu"
        self._mark = f"mirror-{os.urandom(8).hex()}"

    @property
    def tools(self) -> Tools:
        """Whose programs answer; arguments and errors as for `stream`."""
        self._connection()
        return self._tools

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
                self._stream.write(b'ready printf %s "$tools"\n')
                said = bytearray()
                for piece in _until(self._stream, b"\nready ", _TIMEOUT_S):
                    said += piece
                    if len(said) > _MAX_ANSWER_BYTES:
                        raise CorruptError("the container's shell does not get ready")
                self._tools = "plain" if said == b"plain" else "gnu"
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
                "the image has no find, tar, stat and xargs that a mirror inside can use",
                hint="use an image of Debian, Ubuntu, Fedora or Alpine, or a daemon on this host",
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
