"""Which of a data set's layouts lies under ``--from``."""

from __future__ import annotations

from pathlib import Path

from ovrisisbench.catalog.cards import DatasetCard
from ovrisisbench.errors import DataError
from ovrisisbench.prepare.layouts import LayoutReader, NotRecognised, Recognised
from ovrisisbench.prepare.readers import load_reader, readable_datasets, readable_layouts
from ovrisisbench.prepare.sources import scan

__all__ = ["recognise"]


def recognise(root: Path, card: DatasetCard) -> tuple[LayoutReader, Recognised]:
    """Return the one reader that knows the layout, and what it found.

    Args:
        root: folder or zip of the download.
        card: the data set that it should be.

    Raises:
        DataError: no reader for the data set, nothing readable at ``root``, no layout recognised, or more than one.
    """
    readers = [load_reader(card.key, layout) for layout in readable_layouts(card.key)]
    if not readers:
        raise DataError(f"This release has no reader for {card.title}; it reads {', '.join(readable_datasets())}.")
    source = scan(root)
    found: list[tuple[LayoutReader, Recognised]] = []
    missing: list[str] = []
    for reader in readers:
        outcome = reader.recognise(source, card)
        if isinstance(outcome, NotRecognised):
            missing.append(f"layout {reader.layout}: {outcome.missing}")
        else:
            found.append((reader, outcome))
    if not found:
        inner = ""
        if source.inner_archives:
            inner = f" ({source.inner_archives[0]} is a zip inside a zip: unpack the outer one)"
        raise DataError(
            f"{root} is no download of {card.title} that is known here: {'; '.join(missing)}{inner}; "
            f"see 'ovrisis-bench datasets {card.key}' for what to download."
        )
    if len(found) > 1:
        names = " and ".join(reader.layout for reader, _ in found)
        raise DataError(
            f"{root} holds {card.title} in more than one layout ({names}); name the folder of one of them with --from."
        )
    return found[0]
