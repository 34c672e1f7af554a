"""``ovrisis-bench duplicates``: images that show the same, across splits and data sets."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ovrisisbench.cli.output import console, json_option, print_json

if TYPE_CHECKING:
    from rich.console import Console

    from ovrisisbench.prepare import Duplicates, Manifest
    from ovrisisbench.prepare.duplicates.search import Group, Twins

__all__ = ["command"]

_LISTED = 20
_NAMED = 8  # members of a group that are named in the text


@click.command(name="duplicates")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--against",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Another prepared file; show as well which images the two share. May be given more than once.",
)
@click.option(
    "--distance",
    type=click.IntRange(0, 64),
    help="Bits of 256 in which near duplicates may differ; the default is what held-out protocols take.",
)
@click.option(
    "--limit-listed",
    type=click.IntRange(min=0),
    help=f"List only so many groups, the worst first.  [default: {_LISTED}; all with --json]",
)
@json_option
def command(
    file: Path, against: tuple[Path, ...], distance: int | None, limit_listed: int | None, as_json: bool
) -> None:
    """Find images in a prepared FILE that show the same, and say between which splits.

    Exact duplicates have equal pixels. Near duplicates look the same: stored in another format,
    resized, or cut by a pixel. Overlapping windows of one scene do not count.
    """
    from ovrisisbench.prepare import find_duplicates
    from ovrisisbench.prepare.download.perceptual_hash import NEAR

    bits = NEAR if distance is None else distance
    manifest = _manifest(file)
    others = [(path, _manifest(path)) for path in against]
    inside = find_duplicates(manifest, distance=bits)
    between = [(path, other, find_duplicates(manifest, other, distance=bits)) for path, other in others]
    if as_json:
        print_json(
            {
                "file": str(file),
                "dataset": manifest.dataset,
                "variant": manifest.variant,
                "distance": bits,
                "inside": _content(inside, limit_listed),
                "against": [
                    {
                        "file": str(path),
                        "dataset": other.dataset,
                        "variant": other.variant,
                        **_content(found, limit_listed),
                    }
                    for path, other, found in between
                ],
            }
        )
        return
    out = console()
    listed = _LISTED if limit_listed is None else limit_listed
    _print_title(out, manifest)
    _print_inside(out, inside)
    _print_groups(out, inside, listed)
    for path, other, found in between:
        out.print()
        _print_title(out, other, before=f"against {path}: ")
        _print_twins(out, found, nothing=f"No image of one is in the other; {_compared(found)}.")
        _print_groups(out, found, listed)


def _manifest(file: Path) -> Manifest:
    from ovrisisbench.prepare import PreparedDataset

    with PreparedDataset(file) as dataset:
        return dataset.manifest


def _content(found: Duplicates, limit: int | None) -> dict[str, Any]:
    return {
        "images": found.images,
        "flat": found.flat,
        "distinct_pixels": found.distinct_pixels,
        "distinct_pictures": found.distinct_pictures,
        "twins": [{**asdict(twins), "share": twins.share} for twins in found.twins],
        "groups_in_all": len(found.groups),
        "groups": [
            {"exact": group.is_exact, "members": [asdict(member) for member in group.members]}
            for group in found.groups[:limit]
        ],
    }


def _print_title(out: Console, manifest: Manifest, before: str = "") -> None:
    from rich.markup import escape

    counts = ", ".join(f"{split} {count:,}" for split, count in manifest.counts.items())
    title = f"[bold]{escape(manifest.title)}[/bold] ({manifest.dataset})"
    out.print(f"{escape(before)}{title}, variant {escape(manifest.variant)}: {escape(counts)}", soft_wrap=True)


def _print_inside(out: Console, found: Duplicates) -> None:
    out.print(
        f"{found.images:,} images show {found.distinct_pictures:,} different pictures "
        f"({found.distinct_pixels:,} by their exact pixels); {_compared(found)}",
        soft_wrap=True,
    )
    _print_twins(out, found, nothing="No image has a twin.")


def _compared(found: Duplicates) -> str:
    flat = f", and {found.flat:,} too flat for that by their pixels alone" if found.flat else ""
    return f"compared by look, {found.distance} of 256 bits may differ{flat}"


def _print_twins(out: Console, found: Duplicates, *, nothing: str) -> None:
    from rich.markup import escape

    # What matters most comes first: what is seen in training, then what other splits share, then copies in one split.
    for twins in sorted(found.twins, key=lambda twins: (_is_inside(twins), twins.other_split != "train")):
        out.print(escape(_sentence(twins)), soft_wrap=True)
    if not found.twins:
        out.print(nothing)


def _is_inside(twins: Twins) -> bool:
    return (twins.dataset, twins.split) == (twins.other_dataset, twins.other_split)


def _sentence(twins: Twins) -> str:
    here, there = twins.split, twins.other_split
    if twins.dataset != twins.other_dataset:
        here, there = f"{twins.dataset} {here}", f"{twins.other_dataset} {there}"
    elif _is_inside(twins):
        there = f"{there} itself"
    has = "image has a twin" if twins.images == 1 else "images have a twin"
    kinds = [
        words
        for count, words in ((twins.exact, f"{twins.exact:,} with equal pixels"), (twins.near, f"{twins.near:,} alike"))
        if count
    ]
    return f"{twins.total:,} of {twins.images:,} {here} {has} in {there} ({twins.share:.1%}): {', '.join(kinds)}"


def _print_groups(out: Console, found: Duplicates, limit: int) -> None:
    from rich.markup import escape

    if not found.groups:
        return
    largest = max(len(group.members) for group in found.groups)
    out.print(f"{len(found.groups):,} group(s) of twins; the largest has {largest:,} images")
    for group in found.groups[:limit]:
        out.print(f"  {escape(_described(group))}", soft_wrap=True)
    left = len(found.groups) - limit
    if left > 0:
        out.print(f"  and {left:,} more (--limit-listed {len(found.groups)} lists all)")


def _described(group: Group) -> str:
    several = len({dataset for dataset, _ in group.parts}) > 1
    named: dict[str, list[str]] = {}
    for member in group.members[:_NAMED]:
        part = f"{member.dataset} {member.split}" if several else member.split
        named.setdefault(part, []).append(member.id)
    more = len(group.members) - _NAMED
    words = "; ".join(f"{part}: {', '.join(ids)}" for part, ids in named.items())
    kind = "equal pixels" if group.is_exact else "alike"
    return f"{len(group.members):,} images, {kind}: {words}" + (f", and {more:,} more" if more > 0 else "")
