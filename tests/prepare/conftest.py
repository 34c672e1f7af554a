"""What the tests of ``prepare`` share: drawn downloads, drawn once."""

import shutil
from pathlib import Path

import pytest

from ovrisisbench.prepare import PreparedDataset, prepare
from tests.drawn import isaid


@pytest.fixture(scope="session")
def drawn(tmp_path_factory) -> Path:
    """The publisher's folders; read only, see ``download`` for a copy to change."""
    return isaid.draw_publisher_folders(tmp_path_factory.mktemp("drawn"))


@pytest.fixture
def download(drawn, tmp_path) -> Path:
    """A copy of the publisher's folders that a test may damage."""
    return Path(shutil.copytree(drawn, tmp_path / "download"))


@pytest.fixture(scope="session")
def card():
    """The card with the counts of the drawn data."""
    return isaid.drawn_card()


@pytest.fixture(scope="session")
def prepared(drawn, card, tmp_path_factory) -> PreparedDataset:
    """The drawn data, prepared from the publisher's folders."""
    report = prepare("isaid", drawn, tmp_path_factory.mktemp("data"), workers=1, card=card)
    return PreparedDataset(report.target)
