"""`cp` and `install`."""

from __future__ import annotations

from typing import Final

from vshell.errors import VshellError
from vshell.fs.schema import DIRECTORY
from vshell.shell.backups import Backups
from vshell.shell.choices import choose
from vshell.shell.command import Command, Invocation, Option, Parsed, UsageError
from vshell.shell.copier import Copier, Rules
from vshell.shell.destinations import TARGET_OPTIONS, destinations
from vshell.shell.messages import quote, quote_typographic, reason
from vshell.shell.modes import Mode, umask_of
from vshell.shell.nodes import OWNER, node_at

_ATTRIBUTES: Final = {
    name: name for name in ("mode", "timestamps", "ownership", "links", "context", "xattr", "all")
}
_EVERYTHING: Final = frozenset({"mode", "timestamps", "ownership", "links", "xattr"})
_SPARSE: Final = {"auto": "auto", "always": "always", "never": "never"}


def run_cp(call: Invocation) -> int:
    parsed = call.parsed
    rules = _rules(parsed)
    if rules.hard and rules.symbolic:
        raise UsageError("cannot make both hard and symbolic links")
    for name in ("sparse", "reflink"):
        value = parsed.value(name)
        if value is not None:
            choose(f"--{name}", value, _SPARSE)
    copier = Copier(call, rules, Backups(call))
    if parsed.flag("parents"):
        return _with_parents(call, copier)
    pairs = destinations(call)
    with call.context.changing(call.name):
        seen: set[str] = set()
        for source, target in pairs:
            if source in seen and len(pairs) > 1:
                call.complain(f"warning: source file {quote(source)} specified more than once")
                continue
            seen.add(source)
            copier.run(source, target)
    return copier.status


def _rules(parsed: Parsed) -> Rules:
    recursive, follow = False, ""
    keeps: set[str] = set()
    for name, value in parsed.given:
        if name == "archive":
            recursive, follow = True, "never"
            keeps |= _EVERYTHING
        elif name == "recursive":
            recursive = True
        elif name == "d":
            follow = "never"
            keeps.add("links")
        elif name in ("dereference", "no-dereference", "H"):
            follow = {"dereference": "always", "no-dereference": "never", "H": "operands"}[name]
        elif name in ("p", "preserve"):
            keeps |= _attributes(value, "--preserve", {"mode", "ownership", "timestamps"})
        elif name == "no-preserve":
            keeps -= _attributes(value, "--no-preserve", set())
    if "context" in keeps:
        raise UsageError(
            "cannot preserve security context without an SELinux-enabled kernel", hint=False
        )
    if not follow:
        follow = "never" if recursive or parsed.flag("symbolic-link") else "always"
    overwrite = parsed.last("force", "interactive", "no-clobber")
    overwrites = {"interactive": "ask", "no-clobber": "never"}.get(overwrite or "", "always")
    if "no-clobber" in dict(parsed.given):
        overwrites = "never"
    return Rules(
        recursive=recursive,
        follow=follow,
        keeps_mode="mode" in keeps,
        keeps_times="timestamps" in keeps,
        keeps_links="links" in keeps,
        overwrites=overwrites,
        newer_only=parsed.flag("update"),
        verbose=parsed.flag("verbose"),
        hard=parsed.flag("link"),
        symbolic=parsed.flag("symbolic-link"),
        removes_first=parsed.flag("remove-destination"),
        forced=parsed.flag("force"),
        attributes_only=parsed.flag("attributes-only"),
        plain_mode=any(
            name == "no-preserve" and "mode" in (value or "") for name, value in parsed.given
        ),
        as_file=parsed.flag("no-target-directory"),
        strips_slashes=parsed.flag("strip-trailing-slashes"),
    )


def _attributes(value: str | None, option: str, default: set[str]) -> set[str]:
    if value is None:
        return default
    found: set[str] = set()
    for word in value.split(","):
        name = choose(option, word, _ATTRIBUTES)
        found |= _EVERYTHING if name == "all" else {name}
    return found


def _with_parents(call: Invocation, copier: Copier) -> int:
    operands = list(call.operands)
    directory = call.parsed.value("target-directory")
    if directory is None:
        if len(operands) < 2:
            destinations(call)  # complains
        directory = operands.pop()
    try:
        is_directory = node_at(call, directory, follow=True).kind == DIRECTORY
    except VshellError:
        is_directory = False
    if not is_directory:
        raise UsageError("with --parents, the destination must be a directory")
    with call.context.changing(call.name):
        for source in operands:
            copier.run_with_parents(source, directory)
    return copier.status


def run_install(call: Invocation) -> int:
    parsed = call.parsed
    text = parsed.value("mode")
    mode = 0o755
    if text is not None:
        try:
            mode = Mode(text).apply(0, is_directory=False, umask=0)
        except ValueError:
            raise UsageError(f"invalid mode {quote_typographic(text)}", hint=False) from None
    for name in ("owner", "group"):
        who = parsed.value(name)
        if who is not None and who not in (OWNER, "0"):
            raise UsageError(
                f"invalid {'user' if name == 'owner' else name} {quote(who)}", hint=False
            )
    if parsed.flag("strip"):
        raise UsageError("stripping symbol tables (-s) is not supported", hint=False)
    if parsed.flag("directory"):
        return _install_directories(call, mode)
    return _install_files(call, mode)


def _install_directories(call: Invocation, mode: int) -> int:
    if not call.operands:
        raise UsageError("missing file operand")
    status = 0
    with call.context.changing(call.name):
        for operand in call.operands:
            status |= _make_directories(call, operand, mode)
    return status


def _make_directories(call: Invocation, operand: str, mode: int) -> int:
    files = call.context.files
    parts = operand.rstrip("/").split("/")
    try:
        with call.context.changing(call.name):
            for count in range(1, len(parts) + 1):
                part = "/".join(parts[:count])
                path = call.context.resolve(part) if part else "/"
                if files.exists(path) and (
                    count < len(parts) or files.stat(path).kind == "directory"
                ):
                    continue
                files.mkdir(
                    path,
                    mode=mode if count == len(parts) else 0o777 & ~umask_of(call.context.files),
                )
                if call.parsed.flag("verbose"):
                    call.write(f"{call.name}: creating directory {quote(part)}\n")
            files.chmod(call.context.resolve(operand), mode)
    except VshellError as error:
        call.complain(f"cannot create directory {quote_typographic(operand)}: {reason(error)}")
        return 1
    return 0


def _install_files(call: Invocation, mode: int) -> int:
    parsed = call.parsed
    rules = Rules(
        follow="always",
        mode=mode,
        removes_first=True,
        keeps_times=parsed.flag("preserve-timestamps"),
        verbose=parsed.flag("verbose"),
        as_file=parsed.flag("no-target-directory"),
        compares=parsed.flag("compare"),
    )
    copier = Copier(call, rules, Backups(call))
    with call.context.changing(call.name):
        directory = parsed.value("target-directory")
        if parsed.flag("D"):
            leading = directory
            if leading is None and len(call.operands) == 2:
                leading = call.operands[1].rpartition("/")[0]
            if leading and _make_directories(call, leading, 0o777 & ~umask_of(call.context.files)):
                return 1
        for source, target in destinations(call):
            copier.run(source, target)
    return copier.status


_BACKUPS: Final = (
    Option(("-b",), "Make a backup of each existing destination file."),
    Option(("--backup",), "Likewise: none, numbered, existing, simple.", "CONTROL", optional=True),
    Option(("-S", "--suffix"), "Override the usual backup suffix.", "SUFFIX"),
)

COMMANDS: Final = (
    Command(
        "cp",
        "[OPTION]... [-T] SOURCE DEST\n  or:  cp [OPTION]... SOURCE... DIRECTORY",
        "Copy SOURCE to DEST, or multiple SOURCE(s) to DIRECTORY.",
        run_cp,
        options=(
            Option(("-a", "--archive"), "Same as -dR --preserve=all."),
            Option(("--attributes-only",), "Don't copy the file data, just the attributes."),
            *_BACKUPS,
            Option(
                ("--copy-contents",), "Copy contents of special files, of which there are none."
            ),
            Option(("-d",), "Same as --no-dereference --preserve=links."),
            Option(("-f", "--force"), "Replace destinations that cannot be opened."),
            Option(("-i", "--interactive"), "Prompt before overwrite."),
            Option(("-H",), "Follow command-line symbolic links in SOURCE."),
            Option(("-l", "--link"), "Hard link files instead of copying."),
            Option(("-L", "--dereference"), "Always follow symbolic links in SOURCE."),
            Option(("-n", "--no-clobber"), "Do not overwrite an existing file."),
            Option(("-P", "--no-dereference"), "Never follow symbolic links in SOURCE."),
            Option(("-p",), "Same as --preserve=mode,ownership,timestamps."),
            Option(
                ("--preserve",), "Preserve the specified attributes.", "ATTR_LIST", optional=True
            ),
            Option(("--no-preserve",), "Don't preserve the specified attributes.", "ATTR_LIST"),
            Option(("--parents",), "Use full source file name under DIRECTORY."),
            Option(("-R", "-r", "--recursive"), "Copy directories recursively."),
            Option(("--reflink",), "Content is never copied: accepted.", "WHEN", optional=True),
            Option(("--remove-destination",), "Remove each existing destination file first."),
            Option(("--sparse",), "Accepted: there are no holes to control.", "WHEN"),
            Option(("--strip-trailing-slashes",), "Remove trailing slashes from each SOURCE."),
            Option(("-s", "--symbolic-link"), "Make symbolic links instead of copying."),
            *TARGET_OPTIONS,
            Option(("-u", "--update"), "Copy only when the SOURCE file is newer, or new."),
            Option(("-v", "--verbose"), "Explain what is being done."),
            Option(("-Z",), "Accepted: no file has a security context."),
            Option(("-x", "--one-file-system"), "Stay on this file system; there is one."),
        ),
    ),
    Command(
        "install",
        "[OPTION]... [-T] SOURCE DEST\n  or:  install [OPTION]... SOURCE... DIRECTORY\n"
        "  or:  install [OPTION]... -d DIRECTORY...",
        "Copy files and set their permission modes.",
        run_install,
        options=(
            *_BACKUPS,
            Option(("-c",), "(ignored)"),
            Option(("-C", "--compare"), "Do not modify destinations that are the same."),
            Option(("-d", "--directory"), "Create all components of the directories."),
            Option(("-D",), "Create all leading components of DEST except the last."),
            Option(("-g", "--group"), "Set group ownership; all is root's.", "GROUP"),
            Option(("-m", "--mode"), "Set permission mode (as in chmod), not rwxr-xr-x.", "MODE"),
            Option(("-o", "--owner"), "Set ownership; all is root's.", "OWNER"),
            Option(("-p", "--preserve-timestamps"), "Apply the times of SOURCE files."),
            Option(("-s", "--strip"), "Strip symbol tables; not supported."),
            *TARGET_OPTIONS,
            Option(("-v", "--verbose"), "Print the name of each directory as it is created."),
        ),
    ),
)
