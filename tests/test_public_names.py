"""What can be imported is what is said to be public."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from types import ModuleType

import pytest

import vshell
import vshell.errors

ALL_MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(vshell.__path__, "vshell.")
    if not module.name.startswith("vshell.repl")
)


def visible(module: ModuleType) -> set[str]:
    return {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }


def test_the_package_exports_what_it_shows() -> None:
    assert set(vshell.__all__) - {"__version__"} == visible(vshell)


def test_the_list_of_exports_is_sorted_and_has_no_doubles() -> None:
    assert sorted(set(vshell.__all__)) == vshell.__all__


@pytest.mark.parametrize("name", ALL_MODULES)
def test_what_a_module_lists_is_there(name: str) -> None:
    module = importlib.import_module(name)
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
