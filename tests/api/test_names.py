"""Every command has its Python call, and importing the package loads nothing heavy."""

import inspect
import json
import subprocess
import sys

import pytest

import ovrisisbench as ob
from ovrisisbench.cli import COMMANDS

CALLABLE_PACKAGES = ("leaderboard", "records", "prepare", "train", "mini", "demo", "report")


def _run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_one_documented_call_of_its_name(command):
    name = command.replace("-", "_")
    assert name in ob.__all__
    assert name in dir(ob)
    call = getattr(ob, name)
    if inspect.ismodule(call):
        call = call.__call__
    assert inspect.isfunction(call)
    assert call.__doc__


def test_all_names_can_be_had_and_no_other():
    for name in ob.__all__:
        assert getattr(ob, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'leaderbord'"):
        ob.leaderbord  # noqa: B018 - asking for it is the test


def test_importing_the_package_and_listing_its_names_loads_nothing_heavy():
    code = "import ovrisisbench, sys, json\ndir(ovrisisbench)\nprint(json.dumps(sorted(sys.modules)))"
    loaded = set(json.loads(_run(code)))
    assert not loaded & {"torch", "numpy", "pandas", "h5py", "pydantic", "rich", "click"}


def test_names_that_are_packages_and_calls_stay_both_in_whatever_order_they_are_imported():
    code = f"""
import ovrisisbench.records.files, ovrisisbench.prepare.everything as everything
from ovrisisbench.leaderboard import Cell
import ovrisisbench as ob
import ovrisisbench.leaderboard as package
assert everything.prepare_all is ob.prepare_all and package.Cell is Cell
for name in {CALLABLE_PACKAGES!r}:
    assert callable(getattr(ob, name)), name
    assert getattr(ob, name) is sys.modules["ovrisisbench." + name], name
import inspect
assert "train_set" in inspect.signature(ob.leaderboard).parameters
print(type(ob.leaderboard()).__name__)
"""
    assert _run("import sys\n" + code) == "Leaderboard\n"


def test_what_type_checkers_see_is_what_python_gives():
    import ast
    from pathlib import Path

    tree = ast.parse(Path(ob.__file__).read_text())
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {alias.asname or alias.name: (node.module, alias.name) for node in block.body for alias in node.names}
    assert set(seen) == set(ob.__all__) - {"__version__"}
    for name, (module, attribute) in seen.items():
        given = getattr(ob, name)
        assert getattr(sys.modules[module], attribute) is (given.__call__ if inspect.ismodule(given) else given)
