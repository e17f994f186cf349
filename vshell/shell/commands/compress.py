"""`gzip`, `bzip2` and `xz`, each with its relatives: files compressed and decompressed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from vshell.errors import VshellError
from vshell.shell.command import Command, Invocation, Option, Run, UsageError
from vshell.shell.command_io import BufferedOutput, open_input, pieces, to_bytes
from vshell.shell.compression import (
    BZIP2,
    GZIP,
    XZ,
    BadStreamError,
    Format,
    compressed,
    decompressed,
)
from vshell.shell.messages import reason

_OLD_SUFFIXES: Final = {
    "gzip": {
        ".gz": "",
        ".tgz": ".tar",
        ".taz": ".tar",
        "-gz": "",
        ".z": "",
        "-z": "",
        "_z": "",
        ".Z": "",
    },
    "bzip2": {".bz2": "", ".bz": "", ".tbz2": ".tar", ".tbz": ".tar"},
    "xz": {".xz": "", ".lzma": "", ".txz": ".tar", ".tlz": ".tar"},
}


class _Skip(Exception):  # noqa: N818 - it is how the work on one file ends
    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class _Job:
    """What was asked for."""

    format: Format
    decompress: bool
    to_stdout: bool
    keep: bool
    force: bool
    test: bool
    suffix: str
    level: int
    quiet: bool
    verbose: bool
    name: bool


def _job(call: Invocation, format: Format) -> _Job:
    parsed = call.parsed
    names = {"gzip": ("gunzip", "zcat"), "bzip2": ("bunzip2", "bzcat"), "xz": ("unxz", "xzcat")}[
        format.name
    ]
    by_name = call.name in names
    test = parsed.flag("test")
    mode = parsed.last("decompress", "uncompress", "compress")
    level = next((int(name) for name, _ in reversed(parsed.given) if name.isdigit()), None)
    chosen = parsed.last("fast", "best")
    if level is None:
        level = {"fast": 1, "best": 9}.get(chosen or "", 9 if format is BZIP2 else 6)
    to_stdout = call.name == names[1] or parsed.flag("stdout") or parsed.flag("to-stdout")
    return _Job(
        format,
        decompress=by_name if mode is None and not test else mode != "compress",
        to_stdout=to_stdout,
        keep=parsed.flag("keep") or to_stdout,
        force=parsed.flag("force"),
        test=test,
        suffix=_suffix(parsed.value("suffix"), format),
        level=max(1, level),
        quiet=parsed.flag("quiet") or parsed.flag("silent") or parsed.flag("no-warn"),
        verbose=parsed.flag("verbose"),
        name=parsed.last("name", "no-name") != "no-name",
    )


def _suffix(given: str | None, format: Format) -> str:
    if given is None:
        return format.suffix
    if not given or "/" in given:
        raise UsageError(f"invalid suffix '{given}'", hint=False)
    return given if given.startswith(".") or format is XZ else "." + given


def _runner(format: Format) -> Run:
    def run(call: Invocation) -> int:
        job = _job(call, format)
        if call.parsed.flag("list"):
            return _list(call)
        status = 0
        for name in _names(call):
            try:
                _one(call, job, name)
            except _Skip as skip:
                if str(skip) and not (job.quiet and skip.status == 2):
                    _complain(call, job, str(skip))
                status = max(status, skip.status) if status != 1 else 1
        return status

    return run


def _complain(call: Invocation, job: _Job, message: str) -> None:
    # The tools say their main name, whatever they were called by; bzip2 does not.
    name = call.name if job.format is not GZIP else "gzip"
    lead = "\n" if message.startswith("\n") else ""
    call.stderr.write(to_bytes(f"{lead}{name}: {message.lstrip(chr(10))}\n"))


def _names(call: Invocation) -> Iterator[str]:
    """Yield the operands; with `-r`, the files below those that are directories."""
    files = call.context.files
    for name in call.operands or ("-",):
        path = call.context.resolve(name) if name != "-" else ""
        is_directory = name != "-" and files.exists(path) and files.stat(path).kind == "directory"
        if not (is_directory and call.parsed.flag("recursive")):
            yield name
            continue
        top = files.realpath(path)
        below = sorted(
            entry.path[len(top) :]
            for entry in files.walk_details(top)
            if files.stat(entry.path, follow=False).kind == "file"
        )
        yield from (name.rstrip("/") + each for each in below)


def _one(call: Invocation, job: _Job, name: str) -> None:
    if name == "-":
        _stream(call, job, "stdin", pieces(call.stdin))
        return
    found = _find(call, job, name)
    path = call.context.resolve(found)
    stat = call.context.files.stat(path)
    if stat.kind == "directory":
        raise _Skip(_is_directory(job, found), 1 if job.format is BZIP2 else 2)
    if job.test or job.to_stdout:
        _stream(call, job, found, pieces(open_input(call, found)))
        return
    target = _target(call, job, found)
    _replace(call, job, found, target)


def _is_directory(job: _Job, name: str) -> str:
    return {
        "gzip": f"{name} is a directory -- ignored",
        "bzip2": f"Input file {name} is a directory.",
        "xz": f"{name}: Is a directory, skipping",
    }[job.format.name]


def _find(call: Invocation, job: _Job, name: str) -> str:
    """Return the name of the file; the suffix may be left out for decompressing."""
    files = call.context.files
    if files.exists(call.context.resolve(name)):
        return name
    with_suffix = name + job.suffix
    guessed = job.decompress and job.format is GZIP and not name.endswith(job.suffix)
    if guessed and files.exists(call.context.resolve(with_suffix)):
        return with_suffix
    shown = with_suffix if guessed else name
    form = "Can't open input file {}: {}." if job.format is BZIP2 else "{}: {}"
    try:
        files.stat(call.context.resolve(name))
        why = "No such file or directory"
    except VshellError as error:
        why = reason(error)
    raise _Skip(form.format(shown, why), 1)


def _target(call: Invocation, job: _Job, name: str) -> str:
    suffixes = _OLD_SUFFIXES[job.format.name] | {job.suffix: ""}
    known = next(
        (
            end
            for end in sorted(suffixes, key=len, reverse=True)
            if name.endswith(end) and name != end
        ),
        None,
    )
    if job.decompress:
        if known is not None:
            return name.removesuffix(known) + suffixes[known]
        if job.format is BZIP2:
            _complain(call, job, f"Can't guess original name for {name} -- using {name}.out")
            return name + ".out"
        if job.format is XZ:
            head = open_input(call, name).read(6)
            if head != XZ.magic:
                raise _Skip(f"{name}: File format not recognized", 1)
        unknown = (
            "unknown suffix -- ignored"
            if job.format is GZIP
            else "Filename has an unknown suffix, skipping"
        )
        raise _Skip(f"{name}: {unknown}", 2)
    if known is not None and not (job.force and job.format is GZIP):
        raise _Skip(
            {
                "gzip": f"{name} already has {known} suffix -- unchanged",
                "bzip2": f"Input file {name} already has {known} suffix.",
                "xz": f"{name}: File already has `{known}' suffix, skipping",
            }[job.format.name],
            {"gzip": 0, "bzip2": 1, "xz": 2}[job.format.name],
        )
    return name + job.suffix


def _output(
    call: Invocation, job: _Job, source: Iterator[bytes], name: str, label: str
) -> Iterator[bytes]:
    if not job.decompress:
        base, time = b"", 0
        if job.name and name:
            base = to_bytes(name.rpartition("/")[2])
            time = call.context.files.stat(call.context.resolve(name)).mtime_ns // 10**9
        yield from compressed(source, job.format, job.level, name=base, time=time)
        return
    try:
        yield from decompressed(source, job.format)
    except BadStreamError as error:
        raise _Skip(_bad_stream(job, label, str(error)), _bad_status(job, str(error))) from None


def _bad_status(job: _Job, why: str) -> int:
    return 2 if job.format is BZIP2 or "trailing" in why else 1


def _bad_stream(job: _Job, label: str, why: str) -> str:
    if job.format is GZIP:
        return f"\n{label}: {why}"
    if job.format is BZIP2:
        if why.startswith("not in"):
            return f"{label} is not a bzip2 file."
        return f"{label}: {why}"
    shown = "(stdin)" if label == "stdin" else label
    return f"{shown}: " + {
        "not in xz format": "File format not recognized",
        "unexpected end of file": "Unexpected end of input",
    }.get(why, "Compressed data is corrupt")


def _stream(call: Invocation, job: _Job, label: str, source: Iterator[bytes]) -> None:
    name = label if label != "stdin" else ""
    if job.decompress and job.to_stdout and job.force:
        source = _plain_if_unknown(source, job)
    with BufferedOutput(call.stdout) as out:
        for piece in _output(call, job, source, name, label):
            if not job.test:
                out.write(piece)
    if job.test and job.verbose:
        call.stderr.write(to_bytes(f"{label}:\t OK\n"))


def _plain_if_unknown(source: Iterator[bytes], job: _Job) -> Iterator[bytes]:
    """With `-cdf`, what is not compressed passes as it is: here, compressed on the way."""
    first = next(source, b"")
    if first.startswith(job.format.magic):
        yield first
        yield from source
        return

    def everything() -> Iterator[bytes]:
        yield first
        yield from source

    yield from compressed(everything(), job.format, 1)


def _replace(call: Invocation, job: _Job, name: str, target: str) -> None:
    context = call.context
    files = context.files
    path, place = context.resolve(name), context.resolve(target)
    if files.exists(place, follow=False) and not job.force:
        raise _Skip(
            {
                "gzip": f"{target} already exists;\tnot overwritten",
                "bzip2": f"Output file {target} already exists.",
                "xz": f"{target}: File exists",
            }[job.format.name],
            2 if job.format is GZIP else 1,
        )
    stat = files.stat(path)
    if files.stat(path, follow=False).kind == "symlink" and not (job.force or job.keep):
        raise _Skip(f"{name}: Too many levels of symbolic links", 1)
    try:
        with context.changing(call.name):
            context.require_seen(place)
            written = files.write(
                place, _output(call, job, files.pieces(path), name, name), mode=stat.mode
            )
            context.note_read(place, written.after.hex())
            files.utime(place, stat.mtime_ns)
            if not job.keep:
                files.unlink(path)
    except VshellError as error:
        raise _Skip(f"{target}: {reason(error)}", 1) from None
    if job.verbose:
        _report(call, job, name, target, (stat.size, written.size))


def _report(call: Invocation, job: _Job, name: str, target: str, sizes: tuple[int, int]) -> None:
    before, after = sizes if not job.decompress else sizes[::-1]
    after -= 19 + len(to_bytes(name if not job.decompress else target)) if job.format is GZIP else 0
    ratio = 100.0 * (before - after) / before if before else 0.0
    what = "created" if job.keep else "replaced with"
    call.stderr.write(to_bytes(f"{name}:\t{ratio:5.1f}% -- {what} {target}\n"))


def _list(call: Invocation) -> int:
    """Print sizes and ratios of gzip's files."""
    status = 0
    quiet = call.parsed.flag("quiet")
    if not quiet:
        call.write("         compressed        uncompressed  ratio uncompressed_name\n")
    totals = [0, 0]
    for name in call.operands:
        try:
            data = open_input(call, name).read()
            size = sum(map(len, decompressed(iter([data]), GZIP)))
        except VshellError as error:
            call.complain(f"{name}: {reason(error)}")
            status = 1
            continue
        except BadStreamError as error:
            call.stderr.write(to_bytes(f"\ngzip: {name}: {error}\n"))
            status = 1
            continue
        call.write(_listed(len(data), size, name.removesuffix(".gz"), data))
        totals[0] += len(data)
        totals[1] += size
    if len(call.operands) > 1 and not quiet:
        call.write(_listed(totals[0], totals[1], "(totals)", b""))
    return status


def _listed(packed: int, size: int, name: str, data: bytes) -> str:
    head = 0
    if data[:2] == GZIP.magic:
        head = 18 + (data.find(b"\0", 10) - 9 if data[3] & 8 else 0)
    ratio = 100.0 * (size - (packed - head)) / size if size else 0.0
    return f"{packed:>19} {size:>19} {ratio:5.1f}% {name}\n"


_COMMON: Final = (
    Option(("-c", "--stdout"), "Write on standard output, keep original files unchanged."),
    Option(("-d", "--decompress"), "Decompress."),
    Option(("-f", "--force"), "Force overwrite of output file."),
    Option(("-k", "--keep"), "Keep (don't delete) input files."),
    Option(("-q", "--quiet"), "Suppress all warnings."),
    Option(("-t", "--test"), "Test compressed file integrity."),
    Option(("-v", "--verbose"), "Verbose mode."),
    Option(("--fast",), "Compress faster."),
    Option(("--best",), "Compress better."),
)
_COMPRESS: Final = Option(("-z", "--compress"), "Compress.")
_LIST: Final = Option(("-l", "--list"), "List compressed file contents.")
_SUFFIX: Final = Option(("-S", "--suffix"), "Use suffix SUF on compressed files.", "SUF")
_ALSO: Final = (Option(("--to-stdout",), ""), Option(("--uncompress",), ""))
_OPTIONS: Final = {
    "gzip": (
        _LIST,
        _SUFFIX,
        Option(("-n", "--no-name"), "Do not save or restore the original name and timestamp."),
        Option(("-N", "--name"), "Save or restore the original name and timestamp."),
        Option(("-r", "--recursive"), "Operate recursively on directories."),
        Option(("--synchronous",), "Accepted: files are safe when they are written."),
        Option(("--rsyncable",), "Accepted."),
        Option(("--silent",), ""),
        *_ALSO,
    ),
    "bzip2": (_COMPRESS, Option(("-s", "--small"), "Accepted: memory is limited elsewhere.")),
    "xz": (
        _COMPRESS,
        _LIST,
        _SUFFIX,
        Option(("-T", "--threads"), "Accepted: one thread works.", "N"),
        Option(("-e", "--extreme"), "Accepted."),
        Option(("-M", "--memlimit"), "Accepted: memory is limited elsewhere.", "LIMIT"),
        Option(("-Q", "--no-warn"), "Make warnings not affect the exit status."),
        *_ALSO,
    ),
}
"""What each has besides the options that all have; the levels come last."""


def _command(name: str, format: Format, aliases: tuple[str, ...]) -> Command:
    levels = range(0 if format is XZ else 1, 10)
    return Command(
        name,
        "[OPTION]... [FILE]...",
        f"Compress or uncompress FILEs, in the format of {name}.",
        _runner(format),
        options=(
            *_COMMON,
            *_OPTIONS[name],
            *(Option((f"-{level}",), "") for level in levels),
        ),
        aliases=aliases,
    )


COMMANDS: Final = (
    _command("gzip", GZIP, ("gunzip", "zcat")),
    _command("bzip2", BZIP2, ("bunzip2", "bzcat")),
    _command("xz", XZ, ("unxz", "xzcat")),
)
