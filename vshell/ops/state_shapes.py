"""The objects that the scripting methods take and return, each declared once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["SHAPES", "Field", "Shape"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a result.

    Attributes:
        name: Its name.
        type: Its type, as TypeScript writes it.
        doc: What it means.
        optional: Whether it may be missing.
    """

    name: str
    type: str
    doc: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """An object that methods take or return.

    Attributes:
        name: The name of its type.
        fields: Its fields.
    """

    name: str
    fields: tuple[Field, ...]


_PATH_FIELD: Final = Field("path", "string", "The path.")
_NAME_FIELD: Final = Field("name", "string", "The last name of the path.")
_TYPE_FIELD: Final = Field("type", "StateEntryType", "What it is.")
_SIZE_FIELD: Final = Field("size", "number", "Bytes of content; of a link, of its target.")
_MTIME_FIELD: Final = Field("mtime", "number", "When it last changed, in milliseconds since 1970.")
_CONTENT_FIELD: Final = Field("content", "string", "The text after the change.")
_DIFF_FIELD: Final = Field("diff", "string", "The change as a unified diff; empty for none.")
_CHANGED_FIELD: Final = Field("changed", "boolean", "Whether the file gets other text.")
_DRY_RUN_FIELD: Final = Field("dryRun", "boolean", "Whether nothing was written.")

SHAPES: Final = (
    Shape(
        "StateCapabilities",
        (
            Field("chmod", "boolean", "Whether permission bits are kept."),
            Field("utimes", "boolean", "Whether times can be set."),
            Field("hardLinks", "boolean", "Whether files can have several names."),
        ),
    ),
    Shape(
        "StateStat",
        (_TYPE_FIELD, _SIZE_FIELD, _MTIME_FIELD, Field("mode", "number", "The permission bits.")),
    ),
    Shape("StateDirent", (_NAME_FIELD, _TYPE_FIELD)),
    Shape(
        "StateFindEntry",
        (
            _PATH_FIELD,
            _NAME_FIELD,
            _TYPE_FIELD,
            Field("depth", "number", "How many names below the path that was searched."),
            _SIZE_FIELD,
            _MTIME_FIELD,
        ),
    ),
    Shape(
        "StateTreeNode",
        (
            _PATH_FIELD,
            _NAME_FIELD,
            _TYPE_FIELD,
            _SIZE_FIELD,
            Field("children", "StateTreeNode[]", "What is in the directory.", optional=True),
        ),
    ),
    Shape(
        "StateTreeSummary",
        (
            Field("files", "number", "How many files."),
            Field("directories", "number", "How many directories, the top included."),
            Field("symlinks", "number", "How many symbolic links; none is followed."),
            Field("totalBytes", "number", "Bytes of all files together."),
            Field("maxDepth", "number", "How deep the deepest entry is."),
        ),
    ),
    Shape(
        "StateTextMatch",
        (
            Field("line", "number", "The line, from 1."),
            Field("column", "number", "Where in it, from 1, in UTF-16 code units."),
            Field("match", "string", "What matched."),
            Field("lineText", "string", "The line."),
            Field("beforeLines", "string[]", "With contextBefore: lines before.", optional=True),
            Field("afterLines", "string[]", "With contextAfter: lines after.", optional=True),
        ),
    ),
    Shape(
        "StateFileSearchResult",
        (_PATH_FIELD, Field("matches", "StateTextMatch[]", "Its matches.")),
    ),
    Shape(
        "StateGrepMatch",
        (
            _PATH_FIELD,
            Field("line", "number", "The line, from 1."),
            Field("column", "number", "Where in it, from 1, in characters."),
            Field("text", "string", "The line, or with multiline all lines of the match."),
            Field("before", "string[]", "With before: lines before.", optional=True),
            Field("after", "string[]", "With after: lines after.", optional=True),
        ),
    ),
    Shape(
        "StateGrepResult",
        (
            Field("matches", "StateGrepMatch[]", "The matches, by path and line."),
            Field("total", "number", "How many there are; when cut short, how many were seen."),
            Field("truncated", "boolean", "Whether there may be more."),
        ),
    ),
    Shape(
        "StateReplaceResult",
        (Field("replaced", "number", "How many matches were replaced."), _CONTENT_FIELD),
    ),
    Shape(
        "StateFileReplaceResult",
        (
            _PATH_FIELD,
            Field("replaced", "number", "How many matches were replaced."),
            _CONTENT_FIELD,
            _DIFF_FIELD,
        ),
    ),
    Shape(
        "StateReplaceInFilesResult",
        (
            _DRY_RUN_FIELD,
            Field("files", "StateFileReplaceResult[]", "The files with matches."),
            Field("totalFiles", "number", "How many they are."),
            Field("totalReplacements", "number", "How many matches they have."),
        ),
    ),
    Shape(
        "StateJsonUpdateOperation",
        (
            Field("op", '"set" | "delete"', "What to do."),
            Field("path", "string", 'Where, such as ".items[0].name".'),
            Field("value", "unknown", "What to set.", optional=True),
        ),
    ),
    Shape(
        "StateJsonUpdateResult",
        (
            Field("value", "unknown", "The value after the change."),
            _CONTENT_FIELD,
            Field("diff", "string", "From the old value to the new one, both formatted alike."),
            Field("operationsApplied", "number", "How many operations there were."),
        ),
    ),
    Shape(
        "StateArchiveEntry",
        (
            Field("path", "string", "Its name in the archive."),
            Field("type", 'StateEntryType | "other"', "What it is."),
            Field("size", "number", "Bytes of content; 0 for all but files."),
        ),
    ),
    Shape(
        "StateArchiveCreateResult",
        (
            _PATH_FIELD,
            Field("entries", "StateArchiveEntry[]", "What was packed."),
            Field("bytesWritten", "number", "How large the archive is."),
        ),
    ),
    Shape(
        "StateArchiveExtractResult",
        (
            Field("destination", "string", "The directory."),
            Field("entries", "StateArchiveEntry[]", "What came out."),
        ),
    ),
    Shape(
        "StateCompressionResult",
        (
            Field("path", "string", "The file that was read."),
            Field("destination", "string", "The file that was written."),
            Field("bytesWritten", "number", "How large that is."),
        ),
    ),
    Shape(
        "StateFileDetection",
        (
            Field("mime", "string", "The media type."),
            Field("description", "string", "The media type and the extension."),
            Field("extension", "string", "The extension in lower case.", optional=True),
            Field("binary", "boolean", "Whether it is no text."),
        ),
    ),
    Shape("StateEdit", (_PATH_FIELD, Field("content", "string", "All that it is to hold."))),
    Shape(
        "StateEditInstruction",
        (
            Field("kind", '"write" | "replace" | "writeJson"', "What to do."),
            _PATH_FIELD,
            Field("content", "string", "To write.", optional=True),
            Field("search", "string", "To replace: what; it must be there.", optional=True),
            Field("replacement", "string", "To replace: with what.", optional=True),
            Field("value", "unknown", "To write as JSON.", optional=True),
            Field("options", "object", "As of replaceInFile or writeJson.", optional=True),
        ),
    ),
    Shape(
        "StatePlannedEdit",
        (
            Field("instruction", "StateEditInstruction", "What was asked for."),
            _PATH_FIELD,
            _CHANGED_FIELD,
            _CONTENT_FIELD,
            _DIFF_FIELD,
        ),
    ),
    Shape(
        "StateEditPlan",
        (
            Field("edits", "StatePlannedEdit[]", "One for each instruction."),
            Field("totalChanged", "number", "How many change anything."),
            Field("totalInstructions", "number", "How many there are."),
        ),
    ),
    Shape(
        "StateAppliedEditResult",
        (_PATH_FIELD, _CHANGED_FIELD, _CONTENT_FIELD, _DIFF_FIELD),
    ),
    Shape(
        "StateApplyEditsResult",
        (
            _DRY_RUN_FIELD,
            Field("edits", "StateAppliedEditResult[]", "One for each edit."),
            Field("totalChanged", "number", "How many changed anything."),
        ),
    ),
)
