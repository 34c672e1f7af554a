"""What the whole suite shares: its options, a cache of its own, one thread a worker, a prepared drawn data set."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from tests.parity.selection import ALWAYS


def pytest_configure() -> None:
    # What is measured or encoded in a test is kept from the user's own cache, and of one worker's test from the next's.
    os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(prefix="ovrisisbench-cache-")


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """Leave the cores to the workers of pytest-xdist."""
    import torch

    torch.set_num_threads(1)


def pytest_report_header(config: pytest.Config) -> str:
    if config.getoption("--all-parity-cases"):
        return "parity cases: all of the repository"
    return f"parity cases: {', '.join(ALWAYS)}; all: make parity"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--all-parity-cases", action="store_true", help="run all parity cases of the repository, not one for each model"
    )
    parser.addoption(
        "--parity-cases",
        action="append",
        default=[],
        metavar="DIR",
        help="also run the parity cases of this folder (tests/parity); may be given several times",
    )


@pytest.fixture(scope="session")
def drawn_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a prepared ``isaid.h5`` made from drawn scenes; not to be written into."""
    from ovrisisbench.prepare import prepare
    from tests.drawn.isaid_scenes import draw_isaid_download

    folder = tmp_path_factory.mktemp("drawn")
    draw_isaid_download(folder / "download", scenes=4)
    prepare("isaid", folder / "download", folder / "data", allow_partial=True, workers=1)
    return folder / "data"
