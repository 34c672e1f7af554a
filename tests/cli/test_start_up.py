"""The command line answers at once, and loads heavy packages only where they are needed."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from ovrisisbench.cli import COMMANDS, cli

HEAVY = ("torch", "numpy", "pandas", "h5py", "numba", "timm", "open_clip")


def _loaded_after(code: str) -> set[str]:
    probe = f"{code}\nimport sys, json\nprint('LOADED' + json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    names = json.loads(done.stdout.rpartition("LOADED")[2])
    return {name for name in names if name in HEAVY}


def _calling(*arguments: str) -> str:
    return (
        "from ovrisisbench.cli import main\n"
        "import contextlib, io\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        f"    main({list(arguments)!r})\n"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        *(
            [name, "--help"]
            for name in ("run", "train", "prepare", "leaderboard", "conformance", "audit", "compare", "explain")
        ),
    ],
)
def test_help_loads_nothing_heavy(arguments):
    assert _loaded_after(_calling(*arguments)) == set()


def test_listing_data_sets_and_models_loads_no_network(tmp_path):
    assert _loaded_after(_calling("datasets", "--data", str(tmp_path))) == set()
    assert _loaded_after(_calling("models")) == set()


def test_reading_prepared_data_and_records_does_not_load_torch(drawn_data, tmp_path):
    for arguments in (
        ["inspect", str(drawn_data / "isaid.h5")],
        ["leaderboard", "--export", str(tmp_path / "x.csv")],
        ["report", "--to", str(tmp_path / "site"), "--data", str(drawn_data)],
    ):
        assert "torch" not in _loaded_after(_calling(*arguments))


def test_comparing_and_explaining_records_does_not_load_torch():
    historic = Path(__file__).parents[1] / "records" / "historic"
    first, last = (str(historic / f"{version}.record.json") for version in ("v1", "v3"))
    for command in ("compare", "explain"):
        assert not _loaded_after(_calling(command, first, last)) & {"torch", "pandas", "h5py"}


def test_importing_the_package_loads_nothing_heavy():
    assert _loaded_after("import ovrisisbench, ovrisisbench.catalog, ovrisisbench.adapter") == set()


def test_help_takes_little_processor_time():
    code = (
        "import os, subprocess, sys\n"
        "subprocess.run([sys.executable, '-m', 'ovrisisbench', '--help'], stdout=subprocess.DEVNULL, check=True)\n"
        "times = os.times()\nprint(times.children_user + times.children_system)"
    )
    seconds = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
        for _ in range(3)
    ]
    assert min(seconds) < 0.15


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_and_its_options(name):
    result = CliRunner().invoke(cli, [name, "--help"])
    assert result.exit_code == 0, result.output
    command = cli.get_command(None, name)
    assert command.help
    assert command.name == name
    for parameter in command.params:
        assert parameter.param_type_name == "argument" or parameter.help, f"{name} {parameter.name} has no help"


def test_the_list_of_commands_is_that_of_the_help():
    output = CliRunner().invoke(cli, ["--help"]).output
    assert re.findall(r"^  (\S+)", output.partition("Commands:")[2], flags=re.MULTILINE) == list(COMMANDS)
