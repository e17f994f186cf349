"""The corpora of shells: Oils, yash, mvdan/sh, brush, BusyBox' ash and hush, just-bash."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.compat.corpora.case import HOME, Case

_HELPERS = r"""
argv.py() {
  local word text= first=1 quote
  for word; do
    quote=\'; [[ $word == *\'* && $word != *\"* ]] && quote=\"
    word=${word//\\/\\\\}; word=${word//$'\n'/\\n}; word=${word//$'\t'/\\t}
    word=${word//$'\r'/\\r}
    [[ $quote == \' ]] && word=${word//\'/\\\'}
    [[ $first ]] || text+=", "
    first=; text+=$quote$word$quote
  done
  printf '%s\n' "[$text]"
}
"""
_ASH_HELPERS = r"""
recho() { local i=1 each; for each; do printf 'argv[%d] = <%s>\n' $i "$each"; i=$((i + 1)); done; }
zecho() { local IFS=' '; printf '%s\n' "$*"; }
"""


def oils(root: Path) -> Iterator[Case]:
    for file in sorted(root.rglob("spec/*.test.sh")):
        # YSH is another language.
        if file.name.startswith(("ysh-", "hay", "nul-")):
            continue
        text = file.read_text(errors="surrogateescape")
        for part in re.split(r"^#### ", text, flags=re.MULTILINE)[1:]:
            name, _, body = part.partition("\n")
            # What is expected of which shell stands below the script.
            script = re.split(r"^## ", body, maxsplit=1, flags=re.MULTILINE)[0]
            helpers = _HELPERS if "argv.py" in script else ""
            if "$REPO_ROOT" not in script:
                yield Case("Oils spec", f"{file.name}: {name}", helpers + script)


_YASH = re.compile(
    r"^test_[oOeExX]+ (?:-[^ ]+ )*'([^'\n]*)'[^\n]*\n(.*?)^__IN__$", re.MULTILINE | re.DOTALL
)


def yash(root: Path) -> Iterator[Case]:
    for file in sorted(root.rglob("tests/*-p.tst")):
        for found in _YASH.finditer(file.read_text(errors="surrogateescape")):
            yield Case("yash POSIX", f"{file.name}: {found[1]}", found[2])


_GO_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"|`[^`]*`')
_GO_CASE = re.compile(
    r"\{\s*((?:\"(?:[^\"\\\n]|\\.)*\"|`[^`]*`|[\s+]|//[^\n]*\n)+),\s*(?:\"(?:[^\"\\\n]|\\.)*\"|`[^`]*`)"
)


def mvdan(root: Path) -> Iterator[Case]:
    for file in sorted(root.rglob("interp/interp_test.go")):
        text = file.read_text()
        begin = text.index("var runTests = []runTest{")
        table = text[begin : text.index("var runTestsWindows")]
        for number, found in enumerate(_GO_CASE.finditer(table)):
            script = "".join(_go_text(each) for each in _GO_STRING.findall(found[1]))
            if "GOSH" not in script:
                yield Case("mvdan/sh table", f"{number}: {script[:60]!r}", script)


def _go_text(literal: str) -> str:
    if literal.startswith("`"):
        return literal[1:-1]
    data: bytes | str = ast.literal_eval("b" + literal) if literal.isascii() else literal[1:-1]
    return data.decode("utf-8", "surrogateescape") if isinstance(data, bytes) else data


def brush(root: Path) -> Iterator[Case]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    for file in sorted(root.rglob("tests/cases/**/*.yaml")):
        try:
            found: Any = YAML(typ="safe").load(file.read_text())
        except YAMLError:
            continue
        for case in found.get("cases", ()) if isinstance(found, dict) else ():
            plain = not {"args", "skip", "env", "pty", "min_oracle_version"} & set(case)
            if not plain or not isinstance(case.get("stdin"), str):
                continue
            there = case.get("test_files", ())
            if any(not isinstance(each.get("contents"), str) for each in there):
                continue
            files = {f"{HOME}/{each['path']}": each["contents"].encode() for each in there}
            modes = {f"{HOME}/{each['path']}" for each in there if each.get("executable")}
            yield Case(
                "brush YAML",
                f"{file.name}: {case.get('name')}",
                case["stdin"],
                files,
                frozenset(modes),
            )


def busybox_shell(root: Path) -> Iterator[Case]:
    for folder in ("ash_test", "hush_test"):
        for file in sorted(root.rglob(f"shell/{folder}/*/*.tests")):
            beside = [each for each in file.parent.iterdir() if each.is_file()]
            files = {f"{HOME}/{each.name}": each.read_bytes() for each in beside}
            executable = {f"{HOME}/{each.name}" for each in beside if each.stat().st_mode & 0o100}
            name = f"{folder}/{file.parent.name}/{file.name}"
            script = _ASH_HELPERS + f"set --\n. ./{file.name}\n"
            yield Case("busybox shell", name, script, files, frozenset(executable))


def just_bash(root: Path) -> Iterator[Case]:
    for file in sorted(root.rglob("comparison-tests/fixtures/*.json")):
        for key, case in json.loads(file.read_text()).items():
            files = {
                f"{HOME}/{name}": content.encode()
                for name, content in case.get("files", {}).items()
            }
            name = f"{file.name.split('.')[0]}/{key}: {case['command'][:70]!r}"
            yield Case("just-bash fixtures", name, case["command"], files)
