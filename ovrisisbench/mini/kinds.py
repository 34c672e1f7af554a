"""The kinds of things in the mini world: finer than any data set's classes, so that all can be made from it."""

from __future__ import annotations

from typing import Final

__all__ = ["KINDS", "kind_index"]

KINDS: Final[dict[str, str]] = {
    "bare soil": "bare soil",
    "grass": "grass",
    "chaparral": "chaparral",
    "sand": "sand",
    "pavement": "paved ground",
    "road": "a road",
    "runway": "a runway",
    "field": "a crop field",
    "water": "water",
    "sea": "the sea",
    "pool": "a swimming pool",
    "roof": "a roof",
    "wall": "a wall",
    "mobile home": "a mobile home",
    "tank": "a storage tank",
    "dock": "a dock",
    "bridge": "a bridge",
    "plane": "a plane",
    "helicopter": "a helicopter",
    "ship": "a ship",
    "moving car": "a moving car",
    "parked car": "a parked car",
    "truck": "a large vehicle",
    "tree": "trees",
    "hedge": "a hedge",
    "human": "people",
    "tennis court": "a tennis court",
    "basketball court": "a basketball court",
    "soccer field": "a soccer field",
    "running track": "a running track",
    "diamond dirt": "the dirt of a baseball diamond",
    "diamond grass": "the grass of a baseball diamond",
    "roundabout": "the carriageway of a roundabout",
    "roundabout island": "the island of a roundabout",
    "clutter": "clutter",
    "no data": "pixels without data",
}
"""Kind -> plain words for it. The order gives a kind its number in a map of kinds."""

_INDEX: Final = {kind: number for number, kind in enumerate(KINDS)}


def kind_index(kind: str) -> int:
    """Return the number of a kind in maps of kinds.

    Raises:
        KeyError: there is no such kind.
    """
    return _INDEX[kind]
