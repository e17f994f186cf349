"""`file`: what kind of data a file holds."""

from __future__ import annotations

import json
import re
from typing import Final

from vshell.errors import VshellError
from vshell.fs.schema import DIRECTORY, SYMLINK
from vshell.shell.command import Command, Invocation, Option, UsageError
from vshell.shell.command_io import open_input, read_all, to_text
from vshell.shell.magic import binary_format
from vshell.shell.nodes import node_at
from vshell.text.media_types import extension_of, media_type

_LOOK_BYTES: Final = 1024 * 1024
_LONG_LINE: Final = 300
_SCRIPTS: Final = (
    ("bash", "Bourne-Again shell script"),
    ("zsh", "Paul Falstad's zsh script"),
    ("python", "Python script"),
    ("perl", "Perl script"),
    ("ruby", "Ruby script"),
    ("node", "Node.js script"),
    ("awk", "awk script"),
    ("php", "PHP script"),
    ("dash", "POSIX shell script"),
    ("sh", "POSIX shell script"),
)


def run_file(call: Invocation) -> int:
    parsed = call.parsed
    operands = list(call.operands)
    for name in parsed.values("files-from"):
        operands += to_text(read_all(call, name)).splitlines()
    if not operands:
        raise UsageError("missing operand")
    separator = parsed.value("separator", ":") or ""
    width = max(len(each) for each in operands) + len(separator)
    for operand in operands:
        kind = _kind(call, operand)
        if parsed.flag("brief"):
            call.write(f"{kind}\n")
            continue
        label = f"{operand}{separator}"
        pad = " " if parsed.flag("no-pad") else " " * (width - len(label) + 1)
        call.write(f"{'/dev/stdin' + separator if operand == '-' else label}{pad}{kind}\n")
    return 0


def _kind(call: Invocation, operand: str) -> str:
    parsed = call.parsed
    mime = parsed.flag("mime") or parsed.flag("mime-type") or parsed.flag("mime-encoding")
    try:
        if operand != "-":
            node = node_at(call, operand, follow=parsed.flag("dereference"))
            if node.kind == DIRECTORY:
                return _mime(call, "inode/directory", "binary") if mime else "directory"
            if node.kind == SYMLINK:
                return _link(call, operand, node.path, mime=mime)
        data = open_input(call, operand).read(_LOOK_BYTES)
    except VshellError as error:
        why = "No such file or directory" if error.code == "not_found" else str(error)
        return f"cannot open `{operand}' ({why})"
    if mime:
        return _mime(call, _media(operand, data), _encoding(data))
    return describe(data)


def _link(call: Invocation, operand: str, path: str, *, mime: bool) -> str:
    target = call.context.files.readlink(path)
    try:
        node_at(call, operand, follow=True)
    except VshellError:
        return "inode/symlink; charset=binary" if mime else f"broken symbolic link to {target}"
    return _mime(call, "inode/symlink", "binary") if mime else f"symbolic link to {target}"


def _mime(call: Invocation, kind: str, encoding: str) -> str:
    parsed = call.parsed
    if parsed.flag("mime-type"):
        return kind
    return encoding if parsed.flag("mime-encoding") else f"{kind}; charset={encoding}"


def _media(name: str, data: bytes) -> str:
    if not data:
        return "inode/x-empty"
    if data.startswith(b"#!"):
        return _script_media(data)
    if _is_json(data):
        return "application/json"
    found = media_type(data, extension_of(name)).name
    if found.startswith("text/") and "python" not in found:
        return found if found in ("text/html", "text/xml", "text/x-c") else "text/plain"
    return "text/plain" if _encoding(data) != "binary" and "/" not in found else found


def _script_media(data: bytes) -> str:
    line = data.split(b"\n", 1)[0]
    if b"python" in line:
        return "text/x-script.python"
    if b"perl" in line:
        return "text/x-perl"
    return "text/x-shellscript"


def _encoding(data: bytes) -> str:
    if not data:
        return "binary"
    if b"\0" in data or _has_control(data):
        return "binary"
    if data.isascii():
        return "us-ascii"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(data) - 3:
            return "iso-8859-1"
    return "utf-8"


def _has_control(data: bytes) -> bool:
    return re.search(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f]", data) is not None


def describe(data: bytes) -> str:
    """Return what `file` says of content."""
    if not data:
        return "empty"
    known = binary_format(data)
    if known is not None:
        return known
    if data.startswith(b"<?xml"):
        found = re.search(rb"version=[\"'](\d\.\d)", data[:200])
        parts = ", ".join(_text_parts(data, _encoding(data)))
        return f"XML {found[1].decode() if found else '1.0'} document, {parts}"
    encoding = _encoding(data)
    if encoding == "binary":
        return "very short file (no magic)" if len(data) == 1 else "data"
    return _text(data, encoding)


def _is_json(data: bytes) -> bool:
    stripped = data.strip()
    if stripped[:1] not in (b"{", b"[") or len(data) >= _LOOK_BYTES:
        return False
    try:
        json.loads(stripped)
    except (ValueError, RecursionError):
        return False
    return True


def _text(data: bytes, encoding: str) -> str:
    if data.startswith(b"#!"):
        interpreter = data[2:].split(b"\n", 1)[0].decode("utf-8", "replace").strip()
        words = interpreter.split()
        program = words[0] if words else ""
        if program.endswith("/env") and len(words) > 1:
            program = words[1]
        base = program.rpartition("/")[2]
        kind = next((text for name, text in _SCRIPTS if base.startswith(name)), None)
        kind = kind or f"a {interpreter} script"
        return ", ".join([kind, *_text_parts(data, encoding, "executable")])
    if _is_json(data):
        return "JSON text data"
    lowered = data[:512].lstrip().lower()
    if lowered.startswith((b"<!doctype html", b"<html")):
        return ", ".join(["HTML document", *_text_parts(data, encoding)])
    return ", ".join(_text_parts(data, encoding))


def _text_parts(data: bytes, encoding: str, suffix: str = "") -> list[str]:
    names = {
        "us-ascii": "ASCII text",
        "utf-8": "Unicode text, UTF-8 text",
        "iso-8859-1": "ISO-8859 text",
    }
    text = names.get(encoding, "data")
    if data.startswith(b"\xef\xbb\xbf"):
        text = "Unicode text, UTF-8 (with BOM) text"
    parts = [f"{text} {suffix}".rstrip()]
    lines = data.split(b"\n")
    longest = max(map(len, lines))
    if longest >= _LONG_LINE:
        parts.append(f"with very long lines ({longest})")
    crlf, lf = data.count(b"\r\n"), data.count(b"\n")
    cr = data.count(b"\r") - crlf
    kinds = [name for name, count in (("CRLF", crlf), ("CR", cr), ("LF", lf - crlf)) if count]
    if not lf and not cr:
        parts.append("with no line terminators")
    elif kinds and kinds != ["LF"]:
        parts.append(f"with {', '.join(kinds)} line terminators")
    if b"\x1b" in data:
        parts.append("with escape sequences")
    return parts


COMMANDS: Final = (
    Command(
        "file",
        "[OPTION]... [FILE]...",
        "Determine type of FILEs.",
        run_file,
        options=(
            Option(("-b", "--brief"), "Do not prepend filenames to output lines."),
            Option(("-f", "--files-from"), "Read the filenames to be examined from FILE.", "FILE"),
            Option(("-F", "--separator"), "Use STRING as separator instead of ':'.", "STRING"),
            Option(("-i", "--mime"), "Output MIME type strings."),
            Option(("--mime-type",), "Output the MIME type."),
            Option(("--mime-encoding",), "Output the MIME encoding."),
            Option(("-h", "--no-dereference"), "Don't follow symlinks (the default)."),
            Option(("-L", "--dereference"), "Follow symlinks."),
            Option(("-N", "--no-pad"), "Do not pad output."),
            Option(("-s", "--special-files"), "Accepted: there are no special files."),
        ),
    ),
)
