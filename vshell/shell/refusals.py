"""How programs say that they were called wrongly.

Most leave the words to glibc's `getopt_long` and add where help is. Some have words of
their own, another exit code, or complain under another name, as they are scripts that call
another program.
"""

from __future__ import annotations

from typing import Final

from vshell.shell.command import Command, Invocation, UsageError

__all__ = ["UnknownOptionError", "refuse"]

_NAMES: Final = {
    "egrep": "grep", "fgrep": "grep", "rgrep": "grep", "gunzip": "gzip", "zcat": "gzip",
}  # fmt: skip
"""Scripts, by the program that they call and that complains."""

_STATUSES: Final = {"cal": 64, "hostname": 255, "iconv": 64, "tty": 2, "which": 2, "fd": 2}
"""The exit code of an option that there is none, where it is not that of other mistakes."""

_UNKNOWN: Final = {
    "bzip2": "{name}: Bad flag `{word}'\n",
    "fd": "error: Found argument '{word}' which wasn't expected, or isn't valid in this context\n",
    "less": 'There is no {name_only} option ("less --help" for help)\n',
    "rg": "error: Found argument '{word}' which wasn't expected, or isn't valid in this context\n",
    "tree": "tree: Invalid argument {shown}.\n",
    "which": "Illegal option {short}\n",
}
"""What those say of such an option that do not ask glibc, by the command's own name."""

_HINTS: Final = {
    "bzip2": "",
    "cmp": "{name}: Try '{name} --help' for more information.\n",
    "diff": "{name}: Try '{name} --help' for more information.\n",
    "diff3": "{name}: Try '{name} --help' for more information.\n",
    "fd": "\nUsage: {name} {synopsis}\n\nFor more information try '--help'\n",
    "grep": "Usage: {name} {synopsis}\nTry '{name} --help' for more information.\n",
    "less": "",
    "gzip": "Try `{name} --help' for more information.\n",
    "patch": "{name}: Try '{name} --help' for more information.\n",
    "rg": "\nUsage: {name} {synopsis}\n\nFor more information try '--help'\n",
    "sdiff": "{name}: Try '{name} --help' for more information.\n",
    "which": "",
    "xz": "{name}: Try `{name} --help' for more information.\n",
}
"""What follows a complaint about how a command was called."""


class UnknownOptionError(UsageError):
    """There is no such option.

    Args:
        word: The option with its dashes, `-q` or `--quux`; of a bundle, the letter alone.
    """

    def __init__(self, word: str) -> None:
        self.word = word
        is_long = word.startswith("--")
        super().__init__(
            f"unrecognized option '{word}'" if is_long else f"invalid option -- '{word[1:]}'"
        )


def refuse(command: Command, call: Invocation, error: UsageError) -> int:
    """Say what is wrong with the words that a command was given; return the exit code."""
    name = _NAMES.get(call.name, call.name)
    status = command.usage_status if error.status is None else error.status
    text = f"{name}: {error}\n" if str(error) else ""
    family = _family(command)
    if isinstance(error, UnknownOptionError):
        status = _STATUSES.get(family, status)
        text = _unknown(family, name, error.word) or text
        if family == "zip":
            return _refuse_as_zip(call, error.word)
    if error.hint:
        hint = _HINTS.get(family, "Try '{name} --help' for more information.\n")
        text += hint.format(name=name, synopsis=command.synopsis)
    call.stderr.write(text.encode("utf-8", "surrogateescape"))
    return status


def _family(command: Command) -> str:
    """Return the name of the program that a command is a name of."""
    name = command.name
    for family, members in _FAMILIES.items():
        if name in members:
            return family
    return name


_FAMILIES: Final = {
    "bzip2": ("bunzip2", "bzcat"),
    "grep": ("egrep", "fgrep", "rgrep"),
    "gzip": ("gunzip", "zcat"),
    "less": ("bzless", "xzless", "zless"),
    "xz": ("lzcat", "lzma", "unlzma", "unxz", "xzcat"),
}


def _unknown(family: str, name: str, word: str) -> str | None:
    if family in ("cal", "tput"):
        return f"{name}: invalid option -- '{word[1]}'\n"
    wording = _UNKNOWN.get(family)
    if wording is None:
        return None
    shown = f"`{word}'" if word.startswith("--") else f"-`{word[1:]}'"
    return wording.format(name=name, word=word, shown=shown, short=word[:2], name_only=_typed(word))


def _typed(word: str) -> str:
    return word.removeprefix("--")


def _refuse_as_zip(call: Invocation, word: str) -> int:
    kind, what = ("long", word[2:]) if word.startswith("--") else ("short", word[1:])
    text = f"\nzip error: Invalid command arguments ({kind} option '{what}' not supported)\n"
    call.write(text)
    return 16
