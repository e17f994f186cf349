"""The names that others rely on: each call with its parameters, each result with its fields."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Iterator

import pytest

import vshell
from vshell import Workspace, errors

CALLS = {
    "append": "path data",
    "apply": "operations * dry_run",
    "changes": "since path",
    "check": "* repair",
    "chmod": "path mode",
    "compare": "a b",
    "container": "image * network env mounts limits user cache",
    "cp": "src dst * recursive overwrite",
    "detect": "path",
    "diff": "a b",
    "diff_text": "path new_text",
    "edit": "path edits * basis fuzz expected_version dry_run",
    "exists": "path",
    "find": "path * name kind min_size max_size newer_than max_depth",
    "fork": "dest",
    "gc": "",
    "glob": "pattern * path limit offset sort ignore dotfiles",
    "grep": "pattern * path include exclude literal ignore_case word before after max_matches"
    " max_per_file multiline mode ignore timeout_s",
    "hash": "path",
    "history": "path",
    "link": "source path",
    "ls": "path * limit offset",
    "lstat": "path",
    "mirror": "directory * policy ignore",
    "mkdir": "path * parents exist_ok mode",
    "mv": "src dst * overwrite",
    "patch": "text * atomic fuzz dry_run",
    "read": "path * start_line max_lines max_bytes",
    "read_bytes": "path * offset length",
    "read_text": "path",
    "readlink": "path",
    "realpath": "path",
    "restore": "moment",
    "rm": "path * recursive force",
    "run": "source * language inputs atomic dry_run limits engine durable",
    "session": "name",
    "shell": "session",
    "snapshot": "name",
    "snapshots": "",
    "stat": "path",
    "symlink": "target path",
    "tools": "profile",
    "transaction": "",
    "tree": "path * max_depth",
    "truncate": "path size",
    "undo": "n",
    "usage": "",
    "utime": "path",
    "vacuum": "",
    "watch": "path",
    "write": "path data * expected_version exist_ok parents",
}

FIELDS = {
    "ReadResult": "path text start_line end_line total_lines total_bytes next_line next_byte"
    " truncated_by encoding newline bom hash version",
    "WriteResult": "path created bytes version old_hash hash patch",
    "EditResult": "path replacements strategy first_changed_line patch version",
    "GlobResult": "paths total truncated next_offset",
    "GrepResult": "matches files total truncated truncated_by",
    "GrepMatch": "path line column text before after",
    "DiffResult": "patch added removed",
    "LsResult": "entries total truncated next_offset",
    "Entry": "path name kind size mode mtime_ns target",
    "Stat": "path kind size mode mtime_ns ctime_ns nlink inode version hash",
    "CheckReport": "ok problems repaired",
    "ShellResult": "stdout stderr exit_code timed_out truncated changes",
    "ScriptResult": "status value logs error changes calls run_id stats",
}

CODES = [
    "not_found",
    "is_directory",
    "not_directory",
    "exists",
    "not_empty",
    "permission_denied",
    "read_only",
    "invalid_path",
    "name_too_long",
    "symlink_loop",
    "not_regular",
    "binary",
    "decode_error",
    "too_large",
    "quota_exceeded",
    "range_out_of_bounds",
    "empty_old",
    "no_match",
    "multiple_matches",
    "no_change",
    "overlapping_edits",
    "not_read",
    "stale",
    "patch_invalid",
    "patch_context",
    "bad_pattern",
    "timeout",
    "output_limit",
    "unavailable",
    "conflict",
    "cancelled",
    "corrupt",
    "newer_schema",
]


@pytest.fixture(scope="module")
def ws() -> Iterator[Workspace]:
    with Workspace.memory() as workspace:
        yield workspace


@pytest.mark.parametrize("name", sorted(CALLS))
def test_a_call_takes_what_it_is_known_to_take(ws: Workspace, name: str) -> None:
    parameters = inspect.signature(getattr(ws, name)).parameters
    positional, _, keywords = CALLS[name].partition("*")
    for known in positional.split():
        assert parameters[known].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD, known
    for known in keywords.split():
        assert parameters[known].kind is inspect.Parameter.KEYWORD_ONLY, known


@pytest.mark.parametrize("name", sorted(set(CALLS) - {"fork", "session"}))
def test_a_session_has_the_same_calls(ws: Workspace, name: str) -> None:
    assert callable(getattr(ws.session("me"), name))


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_a_result_is_exported_frozen_and_has_its_fields(name: str) -> None:
    record = getattr(vshell, name)
    assert name in vshell.__all__
    assert record.__dataclass_params__.frozen
    assert hasattr(record, "as_dict")
    names = {*record.__dataclass_fields__, *dir(record)}
    assert names >= set(FIELDS[name].split())


def test_every_error_has_a_code_that_is_known_and_survives_pickling() -> None:
    found = {}
    classes = [errors.VshellError]
    for each in classes:
        classes += each.__subclasses__()
        if "code" in vars(each):
            found[each.code] = each
    assert set(CODES) <= set(found)
    for code in CODES:
        error = found[code]("what failed", hint="what next", data={"n": 1})
        again = pickle.loads(pickle.dumps(error))
        assert (again.code, again.hint, again.data) == (code, "what next", {"n": 1})
