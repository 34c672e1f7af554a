"""Options of the test suite."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--parity-cases",
        action="append",
        default=[],
        metavar="DIR",
        help="also run the parity cases of this folder (tests/parity); may be given several times",
    )
