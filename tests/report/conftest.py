"""One site for all tests of pages; they only read it."""

from pathlib import Path

import pytest

from ovrisisbench.report import ReportFiles, write_report
from tests.report.sites import fill_results


@pytest.fixture(scope="session")
def results(tmp_path_factory, drawn_data) -> Path:
    folder = tmp_path_factory.mktemp("report") / "results"
    fill_results(folder, drawn_data)
    return folder


@pytest.fixture(scope="session")
def written(results, drawn_data) -> ReportFiles:
    return write_report(results.parent / "site", results=results, data=drawn_data, images=6)


@pytest.fixture(scope="session")
def site(written) -> Path:
    return written.index.parent
