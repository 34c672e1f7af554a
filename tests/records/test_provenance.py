import getpass
import platform
import re
from pathlib import Path

import numpy as np
import pytest

from ovrisisbench.records import command_words, package_versions, platform_words, python_version, utc_now


def test_versions_are_those_that_are_installed():
    versions = package_versions()
    assert versions["numpy"] == np.__version__
    assert versions["ovrisisbench"]
    assert package_versions(["no-such-package"]) == {"no-such-package": None}


def test_the_machine_is_described_without_its_name():
    words = platform_words()
    assert platform.system() in words
    assert platform.node() not in words.split()
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*", python_version())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", utc_now())


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["/usr/bin/ovrisis-bench", "run"], ("ovrisis-bench", "run")),
        (["--checkpoint", "/home/me/final.pth"], ("--checkpoint", "final.pth")),
        (["--checkpoint=../final.pth"], ("--checkpoint=final.pth",)),
        (["--set", "weights=/home/me/clip.pt"], ("--set", "weights=clip.pt")),
        (["/secret/a=/secret/b"], ("a=b",)),
        (["my/adapter.py:Model"], ("adapter.py:Model",)),
        ([r"C:\Users\me\final.pth"], ("final.pth",)),
        (["data/", "/", ".", ""], ("data", "/", ".", "")),
        (["--model", "rskt-seg", "--limit", "10"], ("--model", "rskt-seg", "--limit", "10")),
    ],
)
def test_paths_in_a_command_are_reduced_to_their_last_part(words, expected):
    assert command_words(words) == expected


def test_no_folder_of_the_user_survives():
    words = command_words([str(Path.home() / "data" / "x.pth"), f"--results={Path.home()}/results"])
    assert words == ("x.pth", "--results=results")
    assert getpass.getuser() not in " ".join(words).split("/")
