"""What is run for a script that is called by its path."""

from __future__ import annotations

from vshell.shell.shebang import script_of


def run_for(content: bytes) -> bytes:
    return script_of(content, lambda name: name in ("python3", "sed"), lambda text: text)


def test_a_shells_script_keeps_its_lines() -> None:
    assert run_for(b"#!/bin/bash\necho 1\n") == b"IFS=$' \\t\\n'; \necho 1\n"
    assert run_for(b"echo 1\n") == b"IFS=$' \\t\\n'; echo 1\n"


def test_an_interpreter_is_called_by_its_name() -> None:
    assert run_for(b"#!/usr/bin/env -S python3 -u\nx\n") == b'python3 -u "$0" "$@"\n'
    assert run_for(b"#! /bin/sed -f\ns/a/b/\n") == b'sed -f "$0" "$@"\n'


def test_one_that_is_missing_is_named() -> None:
    assert b"exit 127" in run_for(b"#!/usr/bin/env ruby\n")
    assert b"required file not found" in run_for(b"#!/usr/bin/ruby\n")


def test_what_is_no_text_is_left_alone() -> None:
    assert run_for(b"\x7fELF\0\1") == b"\x7fELF\0\1"
