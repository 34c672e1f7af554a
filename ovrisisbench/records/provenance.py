"""Where a number comes from: versions, machine, date and command, without anything private.

A record is meant to be shared, so it holds no host name, user name or path.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TypedDict

__all__ = [
    "PACKAGES",
    "Surroundings",
    "command_words",
    "package_versions",
    "platform_words",
    "python_version",
    "surroundings",
    "utc_now",
]

PACKAGES = (
    "ovrisisbench",
    "torch",
    "numpy",
    "timm",
    "open_clip_torch",
    "h5py",
    "pillow",
    "transformers",
    "opencv-python-headless",
)
"""Packages whose version can change a number."""


class Surroundings(TypedDict):
    """What every record says of when and where it was made, by its field names."""

    date: str
    packages: dict[str, str | None]
    python: str
    platform: str
    command: tuple[str, ...]


def surroundings(command: Sequence[str]) -> Surroundings:
    """Return what a record made now, here and by this command says of that."""
    return Surroundings(
        date=utc_now(),
        packages=package_versions(),
        python=python_version(),
        platform=platform_words(),
        command=command_words(command),
    )


def package_versions(names: Iterable[str] = PACKAGES) -> dict[str, str | None]:
    """Return the installed version by package name, None where not installed; imports no package."""
    return {name: _version(name) for name in names}


def python_version() -> str:
    """Return the version of the running Python, such as ``3.12.4``."""
    return platform.python_version()


def platform_words() -> str:
    """Return system and processor family, such as ``Linux x86_64``."""
    return f"{platform.system()} {platform.machine()}"


def utc_now() -> str:
    """Return the time in UTC, to the second, such as ``2026-01-31T09:30:00Z``."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def command_words(arguments: Sequence[str]) -> tuple[str, ...]:
    """Reduce every path in a command line to its last part.

    Example:
        >>> command_words(["/usr/bin/ovrisis-bench", "run", "--checkpoint=/home/me/final.pth", "--set", "layers=5"])
        ('ovrisis-bench', 'run', '--checkpoint=final.pth', '--set', 'layers=5')
    """
    return tuple(_without_folders(word) for word in arguments)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _without_folders(word: str) -> str:
    return "=".join(_last_part(side) for side in word.split("="))


def _last_part(text: str) -> str:
    parts = [part for part in re.split(r"[/\\]", text) if part]
    return parts[-1] if parts else text
