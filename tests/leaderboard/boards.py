"""Records with chosen figures, and one board that shows every mark."""

from typing import Any

import numpy as np

from ovrisisbench.leaderboard import Leaderboard, leaderboard_table
from ovrisisbench.records import PublishedTable, Record
from tests.records.examples import DATASETS, a_floor, a_model, a_record, a_table

NASTY = r"R&D_50%#{x}~^\ <b>bold</b> [red]red[/red] | *a* `b` †"
"""A model name that every format must print as it is."""


def scored(quality: int, *, dataset: str = "loveda", **changes: Any) -> Record:
    """A record of two classes whose figures grow with ``quality`` (0..100): ACC is (quality + 100) / 2 percent."""
    table = a_table([np.array([[quality, 100 - quality], [0, 100]])])
    return a_record(dataset=dataset, table=table, class_names=("road", "water"), **changes)


def all_datasets(quality: int, **changes: Any) -> list[Record]:
    """Records of one model on all eight data sets, a little better on each than on the one before."""
    return [scored(quality + index, dataset=key, **changes) for index, key in enumerate(DATASETS)]


def without_truth(quality: int, *, dataset: str, **changes: Any) -> Record:
    """A record whose second class has no truth, so that its means run over one of two classes."""
    table = a_table([np.array([[quality, 100 - quality], [0, 0]])])
    return a_record(dataset=dataset, table=table, class_names=("road", "water"), **changes)


def a_board() -> Leaderboard:
    """Ranked rows, ties, a floor, untrained weights, limited rows, a nasty name, mixed data, two protocol ids."""
    other = a_model(title=NASTY, name="other", checkpoint=None, weights="none", backbone="convnext-b")
    untrained = a_model(checkpoint=None, weights="untrained", seed=0)
    limited = a_model(settings={"layers": 2})
    heldout = {"name": "ovrisisbench-v1-heldout", "id": "545ff852"}
    large = a_model(backbone="ViT-L", train_set="isaid")
    records = [
        *all_datasets(40),
        *all_datasets(30, model=other)[:-1],
        without_truth(80, dataset="vdd", model=other),
        *all_datasets(90, model=untrained),
        *all_datasets(20, model=limited, data={"images_total": 10, "limited": True})[:3],
        *all_datasets(10, model=a_floor()),
        scored(50, dataset="uavid", model=large),
        scored(60, dataset="uavid", model=a_model(**{**large.model_dump(), "precision": "bfloat16"})),
        *all_datasets(35, protocol=heldout),
        *all_datasets(45, protocol=heldout, model=other, data={"digest": "e" * 64})[:1],
    ]
    return leaderboard_table(records, [a_published()])


def a_published() -> PublishedTable:
    """Two printed rows over two data sets; one printed mean is wrong."""
    rows = [
        {"miou": {"dlrsd": 10.0, "vdd": 20.01}, "macc": {"dlrsd": 30.0, "vdd": 40.0}, "printed_mean_miou": 15.01},
        {"miou": {"dlrsd": 11.0}, "macc": {"dlrsd": 30.0}, "title": "Model & two"},
    ]
    rows[0]["printed_mean_macc"] = 36.0
    common = {"model": "one", "title": "Model one", "venue": "A 2026", "task": "OVS", "backbone": "ViT-B"}
    return PublishedTable(
        name="a-table",
        source={"title": "A paper, table 1", "citation": "A. Author: A paper.", "url": "https://example.org"},
        claims_protocol="ovrisisbench-v1",
        datasets=("dlrsd", "vdd"),
        rows=[{**common, "train_set": "dlrsd", **row} for row in rows],
    )
