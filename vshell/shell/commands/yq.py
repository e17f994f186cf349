"""`yq`: YAML through `jq`, as the Debian package of that name has it."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final

from vshell.errors import VshellError
from vshell.shell.command import Command, Invocation, Option
from vshell.shell.command_io import Failure, failing, read_all, require_write, to_bytes
from vshell.shell.commands import jq
from vshell.shell.messages import reason

_YAML_OUTPUT: Final = ("-y", "--yaml-output", "--yml-output", "-Y", "--yaml-roundtrip")
_IN_PLACE: Final = ("-i", "--in-place")
_MAX_BYTES: Final = 64 * 1024 * 1024
_MAX_NODES: Final = 2_000_000


def _loader() -> Any:
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.allow_duplicate_keys = True
    return yaml


def _documents(data: bytes, name: str) -> Iterator[str]:
    from ruamel.yaml.error import YAMLError

    if len(data) > _MAX_BYTES:
        raise Failure(f"Error running jq: {name}: the input is too large", 1)
    try:
        for value in _loader().load_all(data.decode("utf-8", "replace")):
            yield json.dumps(_plain(value, [0], 0))
    except (YAMLError, ValueError, RecursionError) as error:
        raise Failure(f"Error running jq: {type(error).__name__}: {error}.", 1) from None


def _plain(value: Any, count: list[int], depth: int) -> Any:
    """Turn what YAML holds into what JSON can, and stop where aliases multiply it."""
    count[0] += 1
    if count[0] > _MAX_NODES or depth > 400:
        raise ValueError("the document is too large when its aliases are followed")
    if isinstance(value, dict):
        return {_key(key): _plain(each, count, depth + 1) for key, each in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [_plain(each, count, depth + 1) for each in value]
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value


def _key(key: Any) -> str:
    if isinstance(key, str):
        return key
    return key.isoformat() if isinstance(key, (datetime, date)) else json.dumps(key)


def _dump(text: str) -> str:
    from ruamel.yaml import YAML

    yaml: Any = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False
    yaml.allow_unicode = True
    yaml.width = 80
    out = io.StringIO()
    documents = [json.loads(line) for line in text.splitlines()]
    for number, document in enumerate(documents):
        if number:
            out.write("---\n")
        part = io.StringIO()
        yaml.dump(document, part)
        out.write(part.getvalue().removesuffix("...\n"))
    return out.getvalue()


@failing
def run(call: Invocation) -> int:
    words = list(call.operands)
    to_yaml = any(word in _YAML_OUTPUT for word in words)
    in_place = any(word in _IN_PLACE for word in words)
    words = [word for word in words if word not in _YAML_OUTPUT and word not in _IN_PLACE]
    asked = replace(call, parsed=replace(call.parsed, operands=tuple(words)))
    files = jq.file_operands(asked)
    if in_place and not (to_yaml and files):
        raise Failure("-i/--in-place can only be used with -y/-Y and files", 1)
    if not in_place:
        return _once(asked, files, to_yaml=to_yaml, out=None)
    status = 0
    for name in files:
        out = io.BytesIO()
        status = _once(asked, [name], to_yaml=True, out=out)
        if status:
            return status
        require_write(call, name, out.getvalue())
    return status


def _once(call: Invocation, files: list[str], *, to_yaml: bool, out: io.BytesIO | None) -> int:
    texts: list[str] = []
    if not files:
        texts += _documents(call.stdin.read(), "stdin")
    for name in files:
        try:
            data = read_all(call, name)
        except VshellError as error:
            raise Failure(f"Error: {name}: {reason(error)}", 2) from None
        texts += _documents(data, name)
    source = io.BytesIO("\n".join(texts).encode("utf-8", "surrogatepass"))
    if not to_yaml:
        return jq.run_on(call, source, call.stdout, compact=False)
    shown = io.BytesIO()
    status = jq.run_on(call, source, shown, compact=True)
    (out or call.stdout).write(to_bytes(_dump(shown.getvalue().decode("utf-8", "replace"))))
    return status


COMMANDS: Final = (
    Command(
        "yq",
        "[options] <jq filter> [input file...]",
        "Process YAML by a program of jq.",
        run,
        options=(
            Option(("-y", "--yaml-output"), "Transcode jq JSON output back into YAML."),
            Option(("-Y", "--yaml-roundtrip"), "The same; comments are not kept."),
            Option(("-i", "--in-place"), "Edit files in place."),
        ),
        raw=True,
        description="All options of jq are taken too.",
    ),
)
