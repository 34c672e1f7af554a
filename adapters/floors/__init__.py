"""Floors: what a model must beat before its figure says anything.

``random`` draws a class for every pixel, seeded by the image's name;
``most-frequent`` answers the class that covers most labelled pixels, which it
is told beforehand. Neither looks at a picture.
"""

from ovrisisbench.adapter import AdapterInfo

__all__ = ["MOST_FREQUENT", "RANDOM"]

RANDOM = AdapterInfo(
    name="random",
    title="Random class",
    summary="Floor: draws one of the classes for every pixel, all equally likely, seeded by the image's name.",
    adapter="ovrisisbench.adapters.floors.adapter:RandomFloor",
    backbones={"none": "no network"},
    kind="floor",
    licence="Apache-2.0",
    concurrent=True,
)

MOST_FREQUENT = AdapterInfo(
    name="most-frequent",
    title="Most frequent class",
    summary="Floor: answers the class with most labelled pixels in the images to come, which it is told.",
    adapter="ovrisisbench.adapters.floors.adapter:MostFrequentFloor",
    backbones={"none": "no network"},
    kind="floor",
    licence="Apache-2.0",
    concurrent=True,
    reads_truth=True,
)
