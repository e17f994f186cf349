"""Where a subcommand takes other words than its operation's function."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from .arguments import OCTAL_EXPECTED, octal, structure
from .grammar import Argument, UsageError, whole_number

Values = dict[str, Any]


class Shape(NamedTuple):
    """How the words of a subcommand differ.

    Attributes:
        arguments: Makes them, from those that the function's signature gives.
        values: Turns what was given into what the function takes.
    """

    arguments: Callable[[list[Argument]], list[Argument]]
    values: Callable[[Values], Values] = lambda values: values


def _renamed(metavars: dict[str, str]) -> Callable[[list[Argument]], list[Argument]]:
    def rename(found: list[Argument]) -> list[Argument]:
        return [
            argument._replace(metavar=metavars.get(argument.name, argument.metavar))
            for argument in found
        ]

    return rename


def _edit_arguments(found: list[Argument]) -> list[Argument]:
    """`edit PATH OLD NEW` is what people type; JSON is for programs."""
    kept = [argument for argument in found if argument.name not in ("path", "edits")]
    return [
        *(argument for argument in found if argument.name == "path"),
        Argument("old", "The text to replace."),
        Argument("new", "The text to put in its place."),
        Argument("replace_all", "Replace it wherever it is.", ("-a", "--all"), value=True),
        Argument(
            "edits",
            'Instead of OLD and NEW, several edits: [{"old": "a", "new": "b"}]; - is stdin.',
            ("--edits",),
            metavar="JSON",
        ),
        *kept,
    ]


def _edit_values(given: Values) -> Values:
    values = dict(given)
    one = {name: values.pop(name) for name in ("old", "new", "replace_all") if name in values}
    if "edits" in values:
        if one:
            raise UsageError("edit takes OLD and NEW, or --edits JSON, and not both")
        values["edits"] = structure("edits", values["edits"])
    elif not {"old", "new"} <= one.keys():
        raise UsageError("missing OLD and NEW", "vshell edit PATH OLD NEW")
    else:
        values["edits"] = [one]
    return values


def _chmod_arguments(found: list[Argument]) -> list[Argument]:
    return [argument._replace(convert=str) for argument in found]


def _chmod_values(given: Values) -> Values:
    """Take the words in the order of chmod(1), too, where it is clear which is which."""
    path, mode = given["path"], given["mode"]
    if _is_octal(path) and not _is_octal(mode):
        path, mode = mode, path
    if not _is_octal(mode):
        raise UsageError(f"MODE must be {OCTAL_EXPECTED}, not {mode!r}")
    return {"path": path, "mode": octal(mode)}


def _is_octal(text: str) -> bool:
    return re.fullmatch("[0-7]{1,5}", text) is not None


def _search_arguments(found: list[Argument]) -> list[Argument]:
    """`glob PATTERN PATH` and `grep PATTERN PATH`, as everywhere; --path means the same."""
    path = next(argument for argument in found if argument.name == "path")
    rest = [
        argument._replace(help="") if argument.name == "path" else argument
        for argument in found[1:]
    ]
    return [found[0], path._replace(flags=()), *rest]


def _grep_arguments(found: list[Argument]) -> list[Argument]:
    return [
        *_search_arguments(found),
        Argument("around", "--before and --after at once.", ("-C", "--context"), "N", whole_number),
        Argument("mode", "--mode files.", ("-l",), value="files"),
        Argument("mode", "--mode count.", ("-c",), value="count"),
        Argument("explain", "Say on stderr how the search was done.", ("--explain",), value=True),
    ]


def _grep_values(given: Values) -> Values:
    values = dict(given)
    values.pop("explain", None)
    around = values.pop("around", None)
    return values if around is None else {"before": around, "after": around} | values


def _export_arguments(found: list[Argument]) -> list[Argument]:
    """`export [SRC] DIR`."""
    renamed = _renamed({"source": "SRC", "target": "DIR"})(found)
    return [
        argument._replace(required=False, help=f"{argument.help} (default: /)")
        if argument.name == "source"
        else argument
        for argument in renamed
    ]


def _compare_arguments(found: list[Argument]) -> list[Argument]:
    return [*found, Argument("patch", "Print the changes as a patch.", ("--patch",), value=True)]


def _log_arguments(found: list[Argument]) -> list[Argument]:
    """`log -n 5 -p`, as git has it."""
    return [
        *(each._replace(flags=("-n", "--n")) if each.name == "n" else each for each in found),
        Argument("patch", "Also show each revision as a patch.", ("-p", "--patch"), value=True),
    ]


def _read_text_arguments(found: list[Argument]) -> list[Argument]:
    return [each._replace(choices=_DECODING) if each.name == "errors" else each for each in found]


_DECODING: Final = ("strict", "replace", "ignore", "backslashreplace", "surrogateescape")

SHAPES: Final[dict[str, Shape]] = {
    "chmod": Shape(_chmod_arguments, _chmod_values),
    "compare": Shape(_compare_arguments),
    "edit": Shape(_edit_arguments, _edit_values),
    "export_directory": Shape(_export_arguments, lambda given: {"source": "/"} | given),
    "glob": Shape(_search_arguments),
    "grep": Shape(_grep_arguments, _grep_values),
    "log": Shape(_log_arguments),
    "read_text": Shape(_read_text_arguments),
    "import_directory": Shape(_renamed({"source": "DIR", "destination": "DEST"})),
    "import_git": Shape(_renamed({"repository": "DIR"})),
    "export_git": Shape(_renamed({"repository": "DIR"})),
    "backup": Shape(_renamed({"target": "FILE"})),
    "export_archive": Shape(_renamed({"target": "FILE"})),
    "import_archive": Shape(_renamed({"source": "FILE", "destination": "DEST"})),
}
