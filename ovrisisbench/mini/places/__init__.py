"""Places of the mini world: each function sets one on a stage, within a box."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ovrisisbench.mini.places import country, leisure, town, water, works
from ovrisisbench.mini.stage import Box, Stage

__all__ = ["PLACES"]

PLACES: Final[dict[str, Callable[[Stage, Box], None]]] = {
    "apron": works.apron,
    "baths": leisure.baths,
    "beach": water.beach,
    "building site": country.building_site,
    "centre": town.centre,
    "chaparral": country.chaparral,
    "courts": leisure.courts,
    "crossing": town.crossing,
    "depot": works.depot,
    "diamonds": leisure.diamonds,
    "farmland": country.farmland,
    "forest": country.forest,
    "freeway": town.freeway,
    "golf": country.golf,
    "harbour": water.harbour,
    "heliport": works.heliport,
    "homes": town.homes,
    "mobile homes": town.mobile_homes,
    "open sea": water.open_sea,
    "park": country.park,
    "parking": town.parking,
    "pitches": leisure.pitches,
    "river": water.river,
    "ring": town.ring,
    "runway": works.runway,
    "stadium": leisure.stadium,
    "tank farm": works.tank_farm,
}
"""Name -> what sets such a place."""
