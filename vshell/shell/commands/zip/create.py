"""`zip`: files, put into an archive."""

from __future__ import annotations

import io
import stat as modes
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Final

from vshell.errors import VshellError
from vshell.fs.paths import join
from vshell.fs.records import Stat
from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.command_io import to_bytes, write_file
from vshell.shell.commands.zip.entries import (
    FIRST_YEAR,
    LAST_YEAR,
    Entries,
    Stop,
    guarded,
    mtime_of,
    opened_archive,
    percent,
)
from vshell.shell.messages import reason
from vshell.shell.options import help_text, parse, version_text

# zip.


@guarded
def run_zip(call: Invocation) -> int:
    if not parsed_words(call, ZIP):
        return 0
    parsed = call.parsed
    if not call.operands:
        raise UsageError("missing operand", status=16)
    archive, *names = call.operands
    excluded = parsed.values("exclude")
    target = archive if archive == "-" or "." in archive.rpartition("/")[2] else f"{archive}.zip"
    if parsed.flag("names-stdin"):
        names += call.stdin.read().decode("utf-8", "surrogateescape").splitlines()
    old = _old_entries(call, target)
    if parsed.flag("delete"):
        return _delete(call, target, old, names)
    return _add(call, target, old, names, excluded)


def _with_lists(words: Sequence[str]) -> list[str]:
    """Repeat `-x` for each word of the list that follows it."""
    result: list[str] = []
    in_list = False
    for word in words:
        if word in ("-x", "--exclude"):
            in_list = True
        elif word.startswith("-") and len(word) > 1:
            in_list = False
            result.append(word)
        elif in_list:
            if word != "@":
                result += ("-x", word)
        else:
            result.append(word)
    return result


def parsed_words(call: Invocation, command: Command) -> bool:
    """Parse the words; return whether the command is to go on."""
    call.parsed = parse(command, _with_lists(call.operands), call.environment)
    if call.parsed.flag("help") or call.parsed.flag("version"):
        call.write(help_text(command) if call.parsed.flag("help") else version_text(command))
        return False
    return True


def _old_entries(call: Invocation, target: str) -> Entries:
    if target == "-" or not call.context.files.exists(call.context.resolve(target)):
        return {}
    with opened_archive(call, target, program="zip") as archive:
        return {info.filename: (info, archive.read(info)) for info in archive.infolist()}


def _add(
    call: Invocation, target: str, old: Entries, names: Sequence[str], excluded: Sequence[str]
) -> int:
    parsed = call.parsed
    files = call.context.files
    lines: list[str] = []
    status = 0
    added = False
    for name in names:
        if name == "-":
            old["-"] = (_info("-", None, call), call.stdin.read())
            lines.append(_said("adding", "-", old["-"][1], call))
            added = True
            continue
        path = call.context.resolve(name)
        if not files.exists(path, follow=False):
            call.stdout.write(to_bytes(f"\tzip warning: name not matched: {name}\n"))
            status = 12
            continue
        for place, stored in _tree(call, path, name.lstrip("/")):
            if any(
                fnmatchcase(stored, pattern) for pattern in excluded
            ) or place == call.context.resolve(target):
                continue
            if _is_wanted(call, old, place, stored):
                lines.append(_put(call, old, place, stored))
                added = True
    if not added and (parsed.flag("update") or parsed.flag("freshen")):
        return 12  # all is as new as it can be, of which zip says nothing
    if not added:
        raise Stop(f"\nzip error: Nothing to do! ({target})\n", 12)
    if not parsed.flag("quiet"):
        out = call.stderr if target == "-" else call.stdout
        out.write(to_bytes("".join(lines)))
    _save(call, target, old)
    if parsed.flag("move"):
        _remove(call, names)
    return status if status and not added else 0


def _is_wanted(call: Invocation, old: Entries, path: str, name: str) -> bool:
    """Tell whether a file goes into the archive, which with some options must be new to it."""
    parsed = call.parsed
    if not (parsed.flag("update") or parsed.flag("freshen")):
        return True
    if name not in old:
        return not parsed.flag("freshen")
    stat = call.context.files.stat(path, follow=not parsed.flag("symlinks"))
    return stat.mtime_ns // 10**9 > mtime_of(old[name][0]) // 10**9


def _tree(call: Invocation, path: str, name: str) -> Iterator[tuple[str, str]]:
    files = call.context.files
    stat = files.stat(path, follow=not call.parsed.flag("symlinks"))
    junk = call.parsed.flag("junk-paths")
    if stat.kind != "directory":
        yield path, name.rpartition("/")[2] if junk else _clean(name)
        return
    clean = _clean(name)
    if clean and not junk and not call.parsed.flag("no-dir-entries"):
        yield path, clean.rstrip("/") + "/"
    if call.parsed.flag("recurse-paths"):
        for base in sorted(files.names(path)):
            yield from _tree(call, join(path, base), f"{name.rstrip('/')}/{base}")


def _clean(name: str) -> str:
    parts = [part for part in name.split("/") if part not in ("", ".", "..")]
    return "/".join(parts)


def _put(call: Invocation, entries: Entries, path: str, name: str) -> str:
    files = call.context.files
    stat = files.stat(path, follow=not call.parsed.flag("symlinks"))
    data = b""
    if stat.kind == "file":
        data = files.read(path)
    elif stat.kind == "symlink":
        data = to_bytes(files.readlink(path))
    again = "freshening" if call.parsed.flag("freshen") else "updating"
    verb = again if name in entries else "adding"
    entries[name] = (_info(name, stat, call), data)
    return _said(verb, name, data, call)


def _said(verb: str, name: str, data: bytes, call: Invocation) -> str:
    packed = _packed_size(data, _level(call))
    how = "stored 0%" if packed >= len(data) else f"deflated {percent(len(data), packed)}%"
    return f"{verb.rjust(8)}: {name} ({how})\n"


def _level(call: Invocation) -> int:
    return next((int(name) for name, _ in reversed(call.parsed.given) if name.isdigit()), 6)


def _packed_size(data: bytes, level: int) -> int:
    if not data or not level:
        return len(data)
    compressor = zlib.compressobj(level, wbits=-15)
    return len(compressor.compress(data)) + len(compressor.flush())


def _info(name: str, stat: Stat | None, call: Invocation) -> zipfile.ZipInfo:
    time_ns = stat.mtime_ns if stat else call.context.files.store.now()
    when = datetime.fromtimestamp(max(0, time_ns // 10**9), UTC)
    year = min(max(when.year, FIRST_YEAR), LAST_YEAR)
    info = zipfile.ZipInfo(name, (year, when.month, when.day, when.hour, when.minute, when.second))
    kind = {"directory": modes.S_IFDIR, "symlink": modes.S_IFLNK}.get(
        stat.kind if stat else "", modes.S_IFREG
    )
    info.external_attr = (kind | (stat.mode if stat else 0o644)) << 16 | (
        0x10 if kind == modes.S_IFDIR else 0
    )
    info.create_system = 3
    # The time in UTC, to the second: the one above is what DOS could hold.
    info.extra = struct.pack("<HHBl", 0x5455, 5, 1, min(time_ns // 10**9, 2**31 - 1))
    return info


def _save(call: Invocation, target: str, entries: Entries) -> None:
    out = io.BytesIO()
    level = _level(call)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=level or 6) as archive:
        for info, data in entries.values():
            shrinks = _packed_size(data, level) < len(data)
            info.compress_type = zipfile.ZIP_DEFLATED if shrinks else zipfile.ZIP_STORED
            archive.writestr(info, data, compresslevel=level or 6)
    if target == "-":
        call.stdout.write(out.getvalue())
        return
    try:
        write_file(call, target, out.getvalue())
    except VshellError as error:
        raise Stop(
            f"zip I/O error: {reason(error)}\nzip error: Could not create output file ({target})\n",
            15,
        ) from None


def _delete(call: Invocation, target: str, old: Entries, patterns: Sequence[str]) -> int:
    gone = [name for name in old if any(fnmatchcase(name, pattern) for pattern in patterns)]
    if not gone:
        raise Stop(f"\nzip error: Nothing to do! ({target})\n", 12)
    for name in gone:
        del old[name]
        if not call.parsed.flag("quiet"):
            call.write(f"deleting: {name}\n")
    _save(call, target, old)
    return 0


def _remove(call: Invocation, names: Sequence[str]) -> None:
    with call.context.changing("zip"):
        for name in names:
            path = call.context.resolve(name)
            if call.context.files.exists(path, follow=False):
                call.context.files.remove_tree(path)


ZIP: Final = Command(
    "zip",
    "[options] zipfile [file]...",
    "Package and compress files.",
    run_zip,
    options=(
        Option(("-r", "--recurse-paths"), "Recurse into directories."),
        Option(("-j", "--junk-paths"), "Don't record directory names."),
        Option(("-d", "--delete"), "Delete entries in zipfile."),
        Option(("-m", "--move"), "Move into zipfile: delete the files."),
        Option(("-q", "--quiet"), "Quiet operation."),
        Option(("-v", "--verbose"), "Accepted."),
        Option(("-u", "--update"), "Update: only changed or new files."),
        Option(("-f", "--freshen"), "Freshen: only changed files."),
        Option(("-x", "--exclude"), "Exclude the following names.", "LIST"),
        Option(("-y", "--symlinks"), "Store symbolic links as the link."),
        Option(("-D", "--no-dir-entries"), "Do not add directory entries."),
        Option(("-X", "--no-extra"), "Accepted."),
        Option(("-@", "--names-stdin"), "Read names from stdin."),
        *(Option((f"-{level}",), "") for level in range(10)),
    ),
    raw=True,
    usage_status=16,
)
