"""Which of a data set's layouts lies under ``--from``, and which variant can be made from it."""

from __future__ import annotations

from dataclasses import dataclass

from ovrisisbench.catalog.cards import DatasetCard, Variant
from ovrisisbench.errors import DataError
from ovrisisbench.prepare.download.sources import Source
from ovrisisbench.prepare.layouts.interface import LayoutReader, NotRecognised, Recognised
from ovrisisbench.prepare.layouts.readers import load_reader, readable_layouts

__all__ = ["Choice", "NothingFoundError", "recognise"]

_SHOWN_ARCHIVES = 3


class NothingFoundError(DataError):
    """Nothing of the data set lies there."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a download is, and what is made of it."""

    card: DatasetCard
    reader: LayoutReader
    variant: Variant
    found: Recognised
    remark: str = ""
    """Why it is not the default variant, or which layout was left aside; empty for neither."""


def recognise(source: Source, card: DatasetCard, variant: str | None = None, *, take_first: bool = False) -> Choice:
    """Return the one reader that knows the layout, and what it found.

    Without a named variant the default one is made; if the layout that lies
    there allows only others, the first of those.

    Args:
        source: the files.
        card: the data set that they should be.
        variant: name or alias; None to choose.
        take_first: of several layouts take the first on the card instead of stopping.

    Raises:
        NothingFoundError: no layout recognised.
        DataError: more than one layout, or one that the variant cannot be made from.
        CatalogError: unknown variant.
    """
    chosen = card.variant(variant)
    may_choose = variant is None and chosen.layouts
    others = [other for other in card.variants if other is not chosen] if may_choose else []
    missing: dict[str, str] = {}
    for candidate in (chosen, *others):
        found = _found(source, card, candidate, missing)
        if not found:
            continue
        if len(found) > 1 and not take_first:
            names = " and ".join(reader.layout for reader, _ in found)
            raise DataError(
                f"{source.root} holds {card.title} in more than one layout ({names}); name the folder of one of them "
                "with --from."
            )
        reader, recognised = found[0]
        remarks = []
        if candidate is not chosen:
            remarks.append(f"The default variant {chosen.name} is made from {_needed(card, chosen)}")
        if len(found) > 1:
            remarks.append(f"The layout {found[1][0].layout} lies there as well and was not read")
        return Choice(card, reader, candidate, recognised, "".join(f"{remark}. " for remark in remarks).strip())
    if variant is not None:
        _refuse_other_layout(source, card, chosen)
    raise NothingFoundError(_nothing_found(source, card, missing))


def _found(
    source: Source, card: DatasetCard, variant: Variant, missing: dict[str, str]
) -> list[tuple[LayoutReader, Recognised]]:
    found = []
    for name in readable_layouts(card.key):
        if variant.layouts and name not in variant.layouts:
            continue
        reader = load_reader(card.key, name)
        outcome = reader.recognise(source, card, variant)
        if isinstance(outcome, NotRecognised):
            missing.setdefault(name, outcome.missing)
        else:
            found.append((reader, outcome))
    return found


def _refuse_other_layout(source: Source, card: DatasetCard, chosen: Variant) -> None:
    for other in card.variants:
        for reader, _ in _found(source, card, other, {}):
            if chosen.layouts and reader.layout not in chosen.layouts:
                raise DataError(
                    f"{source.root} holds {card.title} in the layout {reader.layout}, but the variant {chosen.name} is "
                    f"made from {_needed(card, chosen)}; from this layout comes --variant {other.name}."
                )


def _needed(card: DatasetCard, variant: Variant) -> str:
    return " or ".join(f"the layout {name} ({card.layout(name).title})" for name in variant.layouts)


def _nothing_found(source: Source, card: DatasetCard, missing: dict[str, str]) -> str:
    reasons = "; ".join(f"layout {name}: {reason}" for name, reason in missing.items())
    closed = ", ".join(source.not_read[:_SHOWN_ARCHIVES])
    closed = f" (not looked into: {closed})" if closed else ""
    return (
        f"{source.root} is no download of {card.title} that is known here: {reasons}{closed}; "
        f"see 'ovrisis-bench datasets {card.key}' for what to download."
    )
