"""The methods of the scripting API, each declared once.

Calls, both spellings of every name, stubs and the reference are made of this table, and
of `state_shapes` for the objects that come and go. The functions that do the work stand
in the modules that it names; what they do is said here alone. Names, options and fields
of results are those of `@cloudflare/shell` 0.4.
"""

from __future__ import annotations

from typing import Final

from vshell.ops.state_table import Method, Parameter
from vshell.ops.state_types import (
    ALGORITHM,
    BOOLEAN,
    BYTES,
    COUNT,
    ENTRY_TYPES,
    JSON,
    OBJECT,
    PATH,
    PATHS,
    PATTERNS,
    STRING,
    TEXT_OR_BYTES,
    TIME,
    Type,
    list_of,
)

__all__ = ["BULK_METHODS", "JSON_OPTIONS", "METHODS", "SEARCH_OPTIONS"]


_OPERATIONS: Final = list_of(OBJECT, "StateJsonUpdateOperation[]")
_INSTRUCTIONS: Final = list_of(OBJECT, "StateEditInstruction[]")
_EDITS: Final = list_of(OBJECT, "StateEdit[]")
_PLAN: Final = Type("StateEditPlan", OBJECT.read)


def _option(name: str, type: Type, default: object, doc: str) -> Parameter:
    return Parameter(name, type, doc, default, option=True)


_FILE: Final = Parameter("path", PATH, "The file.")
_ANY: Final = Parameter("path", PATH, "The path.")
_DIRECTORY: Final = Parameter("path", PATH, "The directory.")
_GLOB: Final = Parameter(
    "pattern",
    STRING,
    "A glob: * ? ** [a-z] [!a] {a,b}; relative ones start where paths do.",
    aliases=("globPattern",),
)
_SOURCE: Final = Parameter("src", PATH, "What.")
_TARGET: Final = Parameter("dest", PATH, "Its new path, not the directory to put it in.")
_SEARCH: Final = Parameter("search", STRING, "What to replace; every match is.")
_REPLACEMENT: Final = Parameter("replacement", STRING, "With what, as it stands: $1 means itself.")
_MAX_DEPTH: Final = _option("maxDepth", COUNT, None, "How deep to go; 0 is the path itself.")
_DRY_RUN: Final = _option("dryRun", BOOLEAN, False, "Only try it out, and write nothing.")
_ROLLBACK: Final = _option(
    "rollbackOnError",
    BOOLEAN,
    True,
    "Undo everything when one change fails. If false, the changes before it are kept.",
)

JSON_OPTIONS: Final = (_option("spaces", COUNT, 2, "How far to indent, at most 10."),)

SEARCH_OPTIONS: Final = (
    _option("caseSensitive", BOOLEAN, True, "Whether the case of letters matters."),
    _option("regex", BOOLEAN, False, "Whether the text is a JavaScript regular expression."),
    _option("wholeWord", BOOLEAN, False, "Match from one boundary of a word to another only."),
    _option("contextBefore", COUNT, 0, "How many lines before a match to return."),
    _option("contextAfter", COUNT, 0, "How many lines after a match to return."),
    _option("maxMatches", COUNT, None, "Stop after so many matches in a file."),
)

_REPLACE_OPTIONS: Final = (
    *SEARCH_OPTIONS[:3],
    _option("contextBefore", COUNT, 0, "No effect here; options of a search can be passed on."),
    _option("contextAfter", COUNT, 0, "No effect here; options of a search can be passed on."),
    _option("maxMatches", COUNT, None, "Replace only so many matches in a file."),
)

METHODS: Final = (
    Method(
        "getCapabilities",
        "read",
        (),
        "Tell which features of file systems there are.",
        "StateCapabilities",
        "state_files",
    ),
    Method("readFile", "read", (_FILE,), "Return a file's text.", "string", "state_files"),
    Method(
        "readFileBytes", "read", (_FILE,), "Return a file's bytes.", "Uint8Array", "state_files"
    ),
    Method(
        "writeFile",
        "write",
        (_FILE, Parameter("content", STRING, "The text.")),
        "Write text to a file, making missing directories.",
        "void",
        "state_files",
    ),
    Method(
        "writeFileBytes",
        "write",
        (_FILE, Parameter("content", BYTES, "The bytes.")),
        "Write bytes to a file, making missing directories.",
        "void",
        "state_files",
    ),
    Method(
        "appendFile",
        "write",
        (_FILE, Parameter("content", TEXT_OR_BYTES, "What to add.")),
        "Add text or bytes to the end of a file, making it when it is missing.",
        "void",
        "state_files",
    ),
    Method(
        "readJson", "read", (_FILE,), "Return the value in a JSON file.", "unknown", "state_json"
    ),
    Method(
        "writeJson",
        "write",
        (_FILE, Parameter("value", JSON, "The value."), *JSON_OPTIONS),
        "Write a value to a file as JSON.",
        "void",
        "state_json",
    ),
    Method(
        "queryJson",
        "read",
        (_FILE, Parameter("query", STRING, 'Where, such as ".items[0].name".')),
        "Return a part of a JSON file; null when there is nothing at that place.",
        "unknown",
        "state_json",
    ),
    Method(
        "updateJson",
        "write",
        (_FILE, Parameter("operations", _OPERATIONS, "What to set and to delete, in order.")),
        "Change parts of a JSON file. Deleting what is not there changes nothing.",
        "StateJsonUpdateResult",
        "state_json",
    ),
    Method(
        "exists",
        "read",
        (_ANY,),
        "Tell whether a path leads to anything.",
        "boolean",
        "state_files",
    ),
    Method(
        "stat",
        "read",
        (_ANY,),
        "Return what is known of what a path leads to; null when that is nothing.",
        "StateStat | null",
        "state_files",
    ),
    Method(
        "lstat",
        "read",
        (_ANY,),
        "Return the same as stat; of a link, what is known of the link itself.",
        "StateStat | null",
        "state_files",
    ),
    Method(
        "mkdir",
        "write",
        (
            _DIRECTORY,
            _option("recursive", BOOLEAN, False, "Make missing parents; accept that it is there."),
        ),
        "Make a directory.",
        "void",
        "state_files",
    ),
    Method(
        "readdir",
        "read",
        (_DIRECTORY,),
        "Return the names in a directory, sorted.",
        "string[]",
        "state_files",
    ),
    Method(
        "readdirWithFileTypes",
        "read",
        (_DIRECTORY,),
        "Return the names in a directory, sorted, and what each of them is.",
        "StateDirent[]",
        "state_files",
    ),
    Method(
        "find",
        "read",
        (
            _ANY,
            _option("name", STRING, None, "A glob for the name."),
            _option("pathPattern", STRING, None, "A glob for the whole path."),
            _option("type", ENTRY_TYPES, None, "Only what is this, or one of these."),
            _option("minDepth", COUNT, 0, "Only what is so deep; 0 is the path itself."),
            _MAX_DEPTH,
            _option("empty", BOOLEAN, False, "Only empty files and directories."),
            _option("sizeMin", COUNT, None, "Only what has so many bytes or more."),
            _option("sizeMax", COUNT, None, "Only what has so many bytes or fewer."),
            _option("mtimeAfter", TIME, None, "Only what changed after this time."),
            _option("mtimeBefore", TIME, None, "Only what changed before this time."),
        ),
        "Return what is at a path and below it and meets all conditions; [] when nothing is there.",
        "StateFindEntry[]",
        "state_tree",
    ),
    Method(
        "walkTree",
        "read",
        (_ANY, _MAX_DEPTH),
        "Return what is at a path and below it, as nested objects.",
        "StateTreeNode",
        "state_tree",
    ),
    Method(
        "summarizeTree",
        "read",
        (_ANY, _MAX_DEPTH),
        "Count what is at a path and below it.",
        "StateTreeSummary",
        "state_tree",
    ),
    Method(
        "searchText",
        "read",
        (_FILE, Parameter("query", STRING, "What to find."), *SEARCH_OPTIONS),
        "Return the matches in the lines of a file; none reaches across lines.",
        "StateTextMatch[]",
        "state_search",
        timed=True,
    ),
    Method(
        "searchFiles",
        "read",
        (_GLOB, Parameter("query", STRING, "What to find."), *SEARCH_OPTIONS),
        "Return the matches in all files that a glob matches, binary ones left out.",
        "StateFileSearchResult[]",
        "state_search",
        timed=True,
    ),
    Method(
        "replaceInFile",
        "write",
        (_FILE, _SEARCH, _REPLACEMENT, *_REPLACE_OPTIONS),
        "Replace all matches in a file, also such as reach across lines.",
        "StateReplaceResult",
        "state_search",
        timed=True,
    ),
    Method(
        "replaceInFiles",
        "write",
        (_GLOB, _SEARCH, _REPLACEMENT, *_REPLACE_OPTIONS, _DRY_RUN, _ROLLBACK),
        "Replace all matches in all files that a glob matches, binary ones left out.",
        "StateReplaceInFilesResult",
        "state_search",
        timed=True,
    ),
    Method(
        "rm",
        "write",
        (
            _ANY,
            _option("recursive", BOOLEAN, False, "Remove a directory with all that is in it."),
            _option("force", BOOLEAN, False, "Accept that nothing is there."),
        ),
        "Remove a file, a link or a directory.",
        "void",
        "state_files",
    ),
    Method(
        "cp",
        "write",
        (
            _SOURCE,
            _TARGET,
            _option("recursive", BOOLEAN, False, "Copy a directory with all that is in it."),
        ),
        "Copy a file, a link or a directory, making missing directories.",
        "void",
        "state_files",
    ),
    Method(
        "mv",
        "write",
        (_SOURCE, _TARGET, _option("recursive", BOOLEAN, False, "Move a directory, too.")),
        "Move a file, a link or a directory, making missing directories.",
        "void",
        "state_files",
    ),
    Method(
        "symlink",
        "write",
        (
            Parameter("target", PATH, "What the link says."),
            Parameter("linkPath", PATH, "Where the link is.", aliases=("link",)),
        ),
        "Make a symbolic link, and missing directories.",
        "void",
        "state_files",
    ),
    Method(
        "readlink", "read", (_ANY,), "Return what a symbolic link says.", "string", "state_files"
    ),
    Method("realpath", "read", (_ANY,), "Return a path without links.", "string", "state_files"),
    Method(
        "resolvePath",
        "read",
        (
            Parameter("base", PATH, "Where the path starts."),
            Parameter("path", PATH, "The path; an absolute one is taken as it is."),
        ),
        "Return a path from the root, without . and .. and whether or not it exists.",
        "string",
        "state_files",
    ),
    Method(
        "glob",
        "read",
        (_GLOB,),
        "Return the paths of the files and directories that a glob matches, sorted.",
        "string[]",
        "state_tree",
    ),
    Method(
        "diff",
        "read",
        (
            Parameter("pathA", PATH, "The file before.", aliases=("a",)),
            Parameter("pathB", PATH, "The file after.", aliases=("b",)),
        ),
        "Compare two files of up to 10,000 lines; the result is empty when they are equal.",
        "string",
        "state_search",
    ),
    Method(
        "diffContent",
        "read",
        (_FILE, Parameter("newContent", STRING, "The text after.")),
        "Compare a file with a text; the result is empty when they are equal.",
        "string",
        "state_search",
    ),
    Method(
        "createArchive",
        "write",
        (
            Parameter("path", PATH, "The archive."),
            Parameter("sources", PATHS, "Files and directories."),
        ),
        "Pack files and directories into a tar archive.",
        "StateArchiveCreateResult",
        "state_archive",
    ),
    Method(
        "listArchive",
        "read",
        (Parameter("path", PATH, "The archive."),),
        "Return what is in a tar archive, sorted by path.",
        "StateArchiveEntry[]",
        "state_archive",
    ),
    Method(
        "extractArchive",
        "write",
        (
            Parameter("path", PATH, "The archive."),
            Parameter("destination", PATH, "The directory; made when it is missing."),
        ),
        "Unpack a tar archive: all of it, or nothing when anything in it is unsafe.",
        "StateArchiveExtractResult",
        "state_archive",
    ),
    Method(
        "compressFile",
        "write",
        (
            _FILE,
            Parameter(
                "destination",
                PATH,
                "Where to; path + .gz by default.",
                None,
                aliases=("dest",),
            ),
        ),
        "Compress a file with gzip.",
        "StateCompressionResult",
        "state_archive",
    ),
    Method(
        "decompressFile",
        "write",
        (
            _FILE,
            Parameter(
                "destination",
                PATH,
                "Where to; path without .gz by default.",
                None,
                aliases=("dest",),
            ),
        ),
        "Decompress a gzip file.",
        "StateCompressionResult",
        "state_archive",
    ),
    Method(
        "hashFile",
        "read",
        (_FILE, _option("algorithm", ALGORITHM, "sha256", "The algorithm.")),
        "Return the digest of a file's bytes, in hex.",
        "string",
        "state_files",
    ),
    Method(
        "detectFile",
        "read",
        (_FILE,),
        "Tell what kind of file a file is.",
        "StateFileDetection",
        "state_files",
    ),
    Method(
        "removeTree",
        "write",
        (_ANY,),
        "Remove whatever is at a path, if anything is.",
        "void",
        "state_files",
    ),
    Method(
        "copyTree",
        "write",
        (_SOURCE, _TARGET),
        "Copy whatever is at a path.",
        "void",
        "state_files",
    ),
    Method(
        "moveTree",
        "write",
        (_SOURCE, _TARGET),
        "Move whatever is at a path.",
        "void",
        "state_files",
    ),
    Method(
        "planEdits",
        "read",
        (Parameter("instructions", _INSTRUCTIONS, "What to do, in order."),),
        "Work out what edits would lead to, each on top of those before it. Nothing is written.",
        "StateEditPlan",
        "state_edits",
        timed=True,
    ),
    Method(
        "applyEditPlan",
        "write",
        (Parameter("plan", _PLAN, "What planEdits returned."), _DRY_RUN, _ROLLBACK),
        "Do what was planned, unless a file changed meanwhile.",
        "StateApplyEditsResult",
        "state_edits",
    ),
    Method(
        "applyEdits",
        "write",
        (Parameter("edits", _EDITS, "The files and their new texts."), _DRY_RUN, _ROLLBACK),
        "Write many files.",
        "StateApplyEditsResult",
        "state_edits",
    ),
)

BULK_METHODS: Final = (
    Method(
        "readFiles",
        "read",
        (_GLOB,),
        "Return the texts of all files that a glob matches, by path, binary ones left out.",
        "Record<string, string>",
        "state_bulk",
    ),
    Method(
        "grep",
        "read",
        (
            Parameter("pattern", STRING, "A regular expression as Python's `re` has them."),
            _option("path", PATH, ".", "Where: a directory or a file."),
            _option("include", PATTERNS, None, "Only files that match a glob, or one of several."),
            _option("exclude", PATTERNS, None, "No files that match a glob, or one of several."),
            _option("literal", BOOLEAN, False, "Whether the pattern is plain text."),
            _option("ignoreCase", BOOLEAN, False, "Whether the case of letters does not matter."),
            _option("word", BOOLEAN, False, "Match from one boundary of a word to another only."),
            _option("before", COUNT, 0, "How many lines before a match to return."),
            _option("after", COUNT, 0, "How many lines after a match to return."),
            _option("maxMatches", COUNT, None, "How many matches to return; 10,000 by default."),
            _option("maxPerFile", COUNT, None, "How many matches of each file to return."),
            _option("multiline", BOOLEAN, False, "Whether a match may span lines."),
        ),
        "Return the lines of all text files below a path that match a pattern.",
        "StateGrepResult",
        "state_bulk",
        timed=True,
    ),
)
"""What scripts have beside the methods that others have, too: one call instead of one per file."""
