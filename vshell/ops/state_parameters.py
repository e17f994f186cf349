"""Parameters that several methods of the scripting API have."""

from __future__ import annotations

from typing import Final

from vshell.ops.state_table import Parameter
from vshell.ops.state_types import BOOLEAN, COUNT, OBJECT, PATH, STRING, Type, list_of

__all__ = [
    "ANY",
    "DIRECTORY",
    "DRY_RUN",
    "EDITS",
    "FILE",
    "GLOB",
    "INSTRUCTIONS",
    "JSON_OPTIONS",
    "MAX_DEPTH",
    "OPERATIONS",
    "PLAN",
    "REPLACEMENT",
    "REPLACE_OPTIONS",
    "ROLLBACK",
    "SEARCH",
    "SEARCH_OPTIONS",
    "SOURCE",
    "TARGET",
    "option",
]

OPERATIONS: Final = list_of(OBJECT, "StateJsonUpdateOperation[]")
INSTRUCTIONS: Final = list_of(OBJECT, "StateEditInstruction[]")
EDITS: Final = list_of(OBJECT, "StateEdit[]")
PLAN: Final = Type("StateEditPlan", OBJECT.read)


def option(name: str, type: Type, default: object, doc: str) -> Parameter:
    """Return a parameter that goes into the last argument, an object of options."""
    return Parameter(name, type, doc, default, option=True)


FILE: Final = Parameter("path", PATH, "The file.")
ANY: Final = Parameter("path", PATH, "The path.")
DIRECTORY: Final = Parameter("path", PATH, "The directory.")
GLOB: Final = Parameter(
    "pattern",
    STRING,
    "A glob: * ? ** [a-z] [!a] {a,b}; relative ones start where paths do.",
    aliases=("globPattern",),
)
SOURCE: Final = Parameter("src", PATH, "What.")
TARGET: Final = Parameter("dest", PATH, "Its new path, not the directory to put it in.")
SEARCH: Final = Parameter("search", STRING, "What to replace; every match is.")
REPLACEMENT: Final = Parameter("replacement", STRING, "With what, as it stands: $1 means itself.")
MAX_DEPTH: Final = option("maxDepth", COUNT, None, "How deep to go; 0 is the path itself.")
DRY_RUN: Final = option("dryRun", BOOLEAN, False, "Only try it out, and write nothing.")
ROLLBACK: Final = option(
    "rollbackOnError",
    BOOLEAN,
    True,
    "Undo everything when one change fails. If false, the changes before it are kept.",
)

JSON_OPTIONS: Final = (option("spaces", COUNT, 2, "How far to indent, at most 10."),)

SEARCH_OPTIONS: Final = (
    option("caseSensitive", BOOLEAN, True, "Whether the case of letters matters."),
    option("regex", BOOLEAN, False, "Whether the text is a JavaScript regular expression."),
    option("wholeWord", BOOLEAN, False, "Match from one boundary of a word to another only."),
    option("contextBefore", COUNT, 0, "How many lines before a match to return."),
    option("contextAfter", COUNT, 0, "How many lines after a match to return."),
    option("maxMatches", COUNT, None, "Stop after so many matches in a file."),
)

REPLACE_OPTIONS: Final = (
    *SEARCH_OPTIONS[:3],
    option("contextBefore", COUNT, 0, "No effect here; options of a search can be passed on."),
    option("contextAfter", COUNT, 0, "No effect here; options of a search can be passed on."),
    option("maxMatches", COUNT, None, "Replace only so many matches in a file."),
)
