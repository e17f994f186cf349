"""What `zip` and `unzip` have in common: entries of archives, and how they end."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from vshell.errors import VshellError
from vshell.ops.compress import MAX_DECOMPRESSED_BYTES
from vshell.ops.tar_members import MAX_MEMBERS
from vshell.shell.command import Invocation
from vshell.shell.command_io import open_input, to_bytes
from vshell.shell.messages import reason

FIRST_YEAR: Final = 1980
LAST_YEAR: Final = 2107


class Stop(Exception):  # noqa: N818 - it is how the command ends
    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def guarded(run: Callable[[Invocation], int]) -> Callable[[Invocation], int]:
    def guarded(call: Invocation) -> int:
        try:
            return run(call)
        except Stop as stop:
            out = call.stdout if str(stop).startswith("\nzip error: Nothing") else call.stderr
            out.write(to_bytes(str(stop)))
            return stop.status

    return guarded


Entries = dict[str, tuple[zipfile.ZipInfo, bytes]]


def percent(size: int, packed: int) -> int:
    return int(100 * (size - packed) / size + 0.5)


# unzip.


def opened_archive(call: Invocation, name: str, *, program: str) -> zipfile.ZipFile:
    try:
        data = open_input(call, name).read()
        archive = zipfile.ZipFile(io.BytesIO(data))
        infos = archive.infolist()
    except (zipfile.BadZipFile, ValueError, struct.error, NotImplementedError):
        if program == "unzip":
            call.write(f"Archive:  {name}\n")
        raise Stop(
            _not_a_zip(name)
            if program == "unzip"
            else f"\nzip error: Zip file structure invalid ({name})\n",
            9 if program == "unzip" else 3,
        ) from None
    except VshellError as error:
        raise Stop(f"{program}:  cannot open {name}: {reason(error)}\n", 9) from None
    if len(infos) > MAX_MEMBERS:
        raise Stop(f"{program}:  the archive has more than {MAX_MEMBERS} entries\n", 5)
    if sum(info.file_size for info in infos) > MAX_DECOMPRESSED_BYTES or sum(
        info.compress_size for info in infos
    ) > len(data):
        raise Stop("error: invalid zip file with overlapped components (possible zip bomb)\n", 12)
    return archive


def _not_a_zip(name: str) -> str:
    return (
        "  End-of-central-directory signature not found.  Either this file is not\n"
        "  a zipfile, or it constitutes one disk of a multi-part archive.  In the\n"
        "  latter case the central directory and zipfile comment will be found on\n"
        "  the last disk(s) of this archive.\n"
        f"unzip:  cannot find zipfile directory in one of {name} or\n"
        f"        {name}.zip, and cannot find {name}.ZIP, period.\n"
    )


def shown_time(info: zipfile.ZipInfo) -> str:
    year, month, day, hour, minute, _ = info.date_time
    return f"{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}"


def safe_name(name: str) -> str:
    return "/".join(part for part in name.split("/") if part not in ("", ".", ".."))


def mtime_of(info: zipfile.ZipInfo) -> int:
    extra = info.extra
    place = 0
    while place + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, place)
        if kind == 0x5455 and size >= 5 and place + 9 <= len(extra) and extra[place + 4] & 1:
            (seconds,) = struct.unpack_from("<l", extra, place + 5)
            return int(seconds) * 10**9
        place += 4 + size
    try:
        return int(datetime(*info.date_time, tzinfo=UTC).timestamp()) * 10**9
    except ValueError:
        return 0
