"""Finding models: entry points of installed packages, or a class in a file.

Our own models come through the same entry-point group as everybody's. Listing
reads only :class:`AdapterInfo` objects; a network is imported when it is loaded.
A plug-in that cannot be imported is reported and skipped, two plug-ins of one
name are an error that names both.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from ovrisisbench.adapter.interface import Adapter, AdapterInfo
from ovrisisbench.errors import AdapterError, did_you_mean

__all__ = ["ENTRY_POINT_GROUP", "BrokenAdapter", "FoundAdapter", "find_adapter", "list_adapters", "load_object"]

ENTRY_POINT_GROUP = "ovrisisbench.adapters"


@dataclass(frozen=True, slots=True)
class FoundAdapter:
    """A model that can be loaded, and where it was found."""

    info: AdapterInfo
    origin: str
    """Distribution and version of the package, or the file."""
    adapter_class: type[Adapter] | None = None
    """Set when the class itself was given; otherwise it is imported from :attr:`AdapterInfo.adapter`."""

    def load_class(self) -> type[Adapter]:
        """Import the adapter class.

        Raises:
            AdapterError: the module cannot be imported, or its class lacks a method.
        """
        found = self.adapter_class or load_object(self.info.adapter, what=f"the adapter of '{self.info.name}'")
        return _checked_class(found, self.info.name)


@dataclass(frozen=True, slots=True)
class BrokenAdapter:
    """An entry point that could not be used."""

    name: str
    origin: str
    problem: str


def list_adapters() -> tuple[list[FoundAdapter], list[BrokenAdapter]]:
    """Return the models of all installed packages by name, and the plug-ins that are broken."""
    found: dict[str, FoundAdapter] = {}
    broken: list[BrokenAdapter] = []
    for point in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda point: (point.name, _origin(point))):
        try:
            adapter = _from_entry_point(point)
        except AdapterError as error:
            broken.append(BrokenAdapter(point.name, _origin(point), str(error)))
            continue
        twin = found.get(adapter.info.name)
        if twin is not None and twin.origin != adapter.origin:
            broken.append(
                BrokenAdapter(
                    adapter.info.name,
                    adapter.origin,
                    f"Two packages offer a model named '{adapter.info.name}': {twin.origin} and {adapter.origin}; "
                    "uninstall one, or load yours as --model file.py:Class.",
                )
            )
            continue
        found[adapter.info.name] = adapter
    return list(found.values()), broken


def find_adapter(model: str) -> FoundAdapter:
    """Return the model that ``--model`` names.

    Args:
        model: a registered name such as ``rskt-seg``, or ``path/to/file.py:Class``.

    Raises:
        AdapterError: unknown name (with the closest known one), a broken plug-in (with its
            problem), a name offered twice, or a file or class that cannot be used.
    """
    path, separator, attribute = model.rpartition(":")
    if separator and path.endswith(".py"):
        return _from_file(Path(path), attribute)
    found, broken = list_adapters()
    for problem in broken:
        if model == problem.name:
            raise AdapterError(problem.problem)
    for adapter in found:
        if adapter.info.name == model:
            return adapter
    names = [adapter.info.name for adapter in found]
    raise AdapterError(
        f"There is no model '{model}'; known are {', '.join(names)}, or give one as file.py:Class."
        f"{did_you_mean(model, names)}"
    )


def load_object(reference: str, *, what: str) -> Any:  # noqa: ANN401 - whatever the plug-in names
    """Import ``"package.module:attribute"``.

    Args:
        reference: module path and attribute, separated by a colon.
        what: what it is wanted for, for the error text.

    Raises:
        AdapterError: the import fails, for whatever reason, or there is no such attribute.
    """
    module_name, separator, attribute = reference.partition(":")
    if not separator:
        raise AdapterError(f"{what} is given as '{reference}', but 'package.module:Class' is needed.")
    try:
        return getattr(importlib.import_module(module_name), attribute)
    except Exception as error:
        raise AdapterError(f"{what}, {reference}, cannot be imported: {type(error).__name__}: {error}.") from error


def _from_entry_point(point: EntryPoint) -> FoundAdapter:
    what = f"model '{point.name}' of {_origin(point)}"
    return _from_object(load_object(point.value, what=what), what=what, origin=_origin(point))


def _from_file(path: Path, attribute: str) -> FoundAdapter:
    what = f"{attribute} of {path}"
    if not path.is_file():
        raise AdapterError(f"There is no file {path} to load '{attribute}' from; check --model.")
    try:
        found = getattr(_executed(path.resolve()), attribute)
    except Exception as error:
        raise AdapterError(f"{what} cannot be loaded: {type(error).__name__}: {error}.") from error
    return _from_object(found, what=what, origin=path.name)


@cache
def _executed(path: Path) -> ModuleType:
    """Execute a file once, as a module with a name of its own."""
    name = f"ovrisisbench_user_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise AdapterError(f"{path} is not a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickling look their module up by name
    spec.loader.exec_module(module)
    return module


def _from_object(found: object, *, what: str, origin: str) -> FoundAdapter:
    if isinstance(found, AdapterInfo):
        return FoundAdapter(found, origin)
    info = getattr(found, "info", None)
    if isinstance(found, type) and isinstance(info, AdapterInfo):
        return FoundAdapter(info, origin, _checked_class(found, info.name))
    raise AdapterError(
        f"{what} is neither an AdapterInfo nor a class with an AdapterInfo named 'info'; see docs/adding-a-model.md."
    )


def _checked_class(found: object, name: str) -> type[Adapter]:
    methods = ("load", "set_vocabulary", "predict", "describe")
    lacking = [method for method in methods if not callable(getattr(found, method, None))]
    if not isinstance(found, type) or lacking:
        raise AdapterError(
            f"The adapter of '{name}' lacks {', '.join(lacking) or 'being a class'}; see docs/adding-a-model.md."
        )
    return found


def _origin(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else "an unnamed package"
