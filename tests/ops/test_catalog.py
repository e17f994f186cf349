"""Every operation is documented, whole and truly, and the reference says the same."""

from __future__ import annotations

import importlib.util
import inspect
import re
from pathlib import Path

import pytest

from vshell import Workspace, errors
from vshell.ops.catalog import OPERATIONS, Operation, operation, section

ROOT = Path(__file__).parents[2]

each_operation = pytest.mark.parametrize("declared", OPERATIONS, ids=lambda one: one.name)


@each_operation
def test_an_operation_is_a_method_of_the_workspace(declared: Operation) -> None:
    assert getattr(Workspace, declared.name) is declared.function


@each_operation
def test_the_summary_is_one_sentence(declared: Operation) -> None:
    assert re.fullmatch(r"[A-Z][^\n]*\.", declared.summary)
    assert len(declared.summary) < 100


@each_operation
def test_every_parameter_is_explained(declared: Operation) -> None:
    for parameter in declared.parameters:
        assert re.fullmatch(r".*[.:`]", parameter.help), parameter.name


@each_operation
def test_nothing_is_explained_that_is_no_parameter(declared: Operation) -> None:
    explained = section(inspect.getdoc(declared.function) or "", "Args")
    assert explained.keys() <= {parameter.name for parameter in declared.parameters}


@each_operation
def test_every_error_is_an_error_with_its_condition(declared: Operation) -> None:
    for name, condition in declared.errors.items():
        assert issubclass(getattr(errors, name), errors.VshellError)
        assert condition.endswith("."), name


@each_operation
def test_options_are_given_by_name(declared: Operation) -> None:
    for parameter in declared.parameters:
        if "bool" in parameter.types:
            assert not parameter.positional, parameter.name


@each_operation
def test_a_result_that_is_a_record_explains_its_fields(declared: Operation) -> None:
    kind = declared.result_class
    if kind is None:
        assert declared.result_annotation in {"None", "bool", "str", "bytes"}
        return
    explained = section(inspect.cleandoc(kind.__doc__ or ""), "Attributes")
    fields = {name for name in getattr(kind, "__dataclass_fields__", {}) if name[0] != "_"}
    assert fields <= explained.keys()


def test_a_literal_gives_the_choices_also_under_another_name() -> None:
    found = {
        parameter.name: parameter.choices
        for name in ("glob", "find")
        for parameter in operation(name).parameters
    }
    assert found["sort"] == ("path", "newest")
    assert found["kind"] == ("file", "directory", "symlink")
    assert found["limit"] == ()


def test_no_operation_is_declared_twice() -> None:
    names = [declared.name for declared in OPERATIONS]
    assert len(set(names)) == len(names)


def test_an_unknown_operation_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        operation("format_disk")


def test_the_section_of_a_docstring_joins_lines_and_ends_with_the_next() -> None:
    text = "Do.\n\nArgs:\n    a: One\n        and more.\n    b, c: Two.\n\nRaises:\n    E: Three."
    assert section(text, "Args") == {"a": "One and more.", "b, c": "Two."}
    assert section(text, "Raises") == {"E": "Three."}
    assert section(text, "Returns") == {}


def test_the_reference_is_what_the_catalogue_makes_of_it() -> None:
    script = ROOT / "docs" / "make_reference.py"
    spec = importlib.util.spec_from_file_location("make_reference", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made = module.reference()
    assert (ROOT / "docs" / "reference.md").read_text() == made, (
        "run `python docs/make_reference.py`"
    )
    assert (ROOT / "docs" / "state.md").read_text() == module.state_reference(), (
        "run `python docs/make_reference.py`"
    )
