"""Names of a package that are imported when they are first used, also where a subpackage has the same name.

``ovrisisbench.leaderboard`` is a package and a call. Importing a subpackage
puts it in the place of any other object of its name, so a function there would
vanish at some later import. Such subpackages are made callable instead:
``ob.leaderboard(...)`` calls, ``from ovrisisbench.leaderboard import Cell`` imports.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inspect import Signature

__all__ = ["lazy_object", "make_lazy"]

_HOMES: dict[str, Mapping[str, str]] = {}
"""Package -> what was given to :func:`make_lazy`."""


def make_lazy(package: str, homes: Mapping[str, str]) -> None:
    """Make the subpackages of a package callable whose names are calls as well.

    Args:
        package: the ``__name__`` of a package that is being imported; its ``__getattr__`` asks :func:`lazy_object`.
        homes: name -> ``module:object``.
    """
    _HOMES[package] = homes
    sys.modules[package].__class__ = _LazyPackage


def lazy_object(package: str, name: str) -> Any:  # noqa: ANN401 - whatever the name is
    """Import what a name of a package means; the subpackage, where there is one of the name.

    Raises:
        AttributeError: there is no such name.
    """
    if name not in _HOMES[package]:
        raise AttributeError(f"module '{package}' has no attribute '{name}'")
    if find_spec(f"{package}.{name}") is not None:
        return import_module(f"{package}.{name}")
    return _object(package, name)


class _LazyPackage(ModuleType):
    """Makes subpackages callable when they are imported: importing one sets it as an attribute of its parent."""

    def __setattr__(self, name: str, value: object) -> None:
        if isinstance(value, ModuleType) and name in _HOMES[self.__name__]:
            value.__class__ = _CallableModule
        super().__setattr__(name, value)


class _CallableModule(ModuleType):
    """A subpackage that is a call as well; help and notebooks show the signature of the call."""

    @property
    def __call__(self) -> Callable[..., Any]:
        package, _, name = self.__name__.rpartition(".")
        found: Callable[..., Any] = _object(package, name)
        return found

    @property
    def __signature__(self) -> Signature:
        import inspect

        return inspect.signature(self.__call__)


def _object(package: str, name: str) -> Any:  # noqa: ANN401 - whatever the name is
    module, _, attribute = _HOMES[package][name].partition(":")
    return getattr(import_module(module), attribute)
