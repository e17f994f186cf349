"""What can be imported is what is said to be public."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re

import pytest

import vshell
import vshell.errors
from vshell.errors import UnavailableError

ALL_MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(vshell.__path__, "vshell.")
    if not module.name.startswith("vshell.repl")
)


def test_the_package_exports_what_it_shows() -> None:
    shown = {name for name in dir(vshell) if not name.startswith("_")}
    modules = {name for name in shown if inspect.ismodule(getattr(vshell, name))}
    assert set(vshell.__all__) - {"__version__"} == shown - modules - {"TYPE_CHECKING", "Any"} - {
        "annotations"
    }


def test_each_export_is_where_type_checkers_are_told() -> None:
    source = inspect.getsource(vshell)
    for name, module in vshell._MODULES.items():
        assert getattr(vshell, name).__module__.startswith("vshell")
        assert re.search(rf"from {re.escape(module)} import .*\b{name}\b", source), name


def test_the_list_of_exports_is_sorted_and_has_no_doubles() -> None:
    assert sorted(set(vshell.__all__)) == vshell.__all__


@pytest.mark.parametrize("name", ALL_MODULES)
def test_what_a_module_lists_is_there(name: str) -> None:
    try:
        module = importlib.import_module(name)
    except UnavailableError as error:
        if not name.startswith("vshell.tools.adapters."):
            raise
        pytest.skip(error.message)
    for exported in getattr(module, "__all__", []):
        assert hasattr(module, exported)


def test_every_error_is_listed_and_in_the_tree_of_the_docstring() -> None:
    errors = {
        name
        for name, value in vars(vshell.errors).items()
        if inspect.isclass(value) and issubclass(value, vshell.errors.VshellError)
    }
    assert set(vshell.errors.__all__) == errors
    assert vshell.errors.__doc__ is not None
    for name in errors:
        assert name in vshell.errors.__doc__


def test_every_error_has_its_own_code() -> None:
    codes = [getattr(vshell.errors, name).code for name in vshell.errors.__all__]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("name", vshell.__all__)
def test_every_export_is_documented(name: str) -> None:
    value = getattr(vshell, name)
    if inspect.isclass(value) or inspect.isfunction(value):
        assert inspect.getdoc(value)
