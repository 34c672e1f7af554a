"""Small records with known figures, made the way a run makes them."""

from typing import Any

import numpy as np

from ovrisisbench.evaluate.image_counts import ImageCounts
from ovrisisbench.records import (
    CheckpointUsed,
    CountsTable,
    DatasetUsed,
    ImageTimes,
    ModelUsed,
    Parameters,
    PredictionsUsed,
    ProtocolUsed,
    Record,
    Run,
    SeenInTraining,
)

DATASETS = ("dlrsd", "isaid", "loveda", "potsdam", "uavid", "udd5", "vaihingen", "vdd")
NAMES = ("road", "water", "tree")


def a_table(confusions: Any = None, *, prefix: str = "scene") -> CountsTable:
    """Counts of images of three classes; without an argument two images of one scene."""
    if confusions is None:
        confusions = [[[6, 2, 0], [1, 3, 0], [0, 0, 4]], [[2, 0, 0], [0, 5, 1], [0, 0, 0]]]
    arrays = [np.asarray(confusion, np.int64) for confusion in confusions]
    images = [ImageCounts.from_confusion(f"{prefix}_{index}.png", array, 1.5) for index, array in enumerate(arrays)]
    scenes = {image.image_id: prefix for image in images}
    return CountsTable.from_images(images, scenes=scenes, num_classes=arrays[0].shape[0])


def a_model(**changes: Any) -> ModelUsed:
    content: dict[str, Any] = {
        "name": "rskt-seg",
        "title": "RSKT-Seg",
        "adapter": "rskt-seg of ovrisisbench 0.1.0",
        "kind": "trained",
        "backbone": "vit-b",
        "train_set": "dlrsd",
        "weights": "checkpoint",
        "checkpoint": CheckpointUsed(file="model_final.pth", sha256="c" * 64),
        "settings": {"layers": 5, "rotations": True, "scale": 0.5, "prompt": "a photo of {}", "extra": None},
    }
    return ModelUsed(**{**content, **changes})


def a_floor(**changes: Any) -> ModelUsed:
    content: dict[str, Any] = {
        "name": "most-frequent",
        "title": "Most frequent class",
        "adapter": "most-frequent of ovrisisbench 0.1.0",
        "kind": "floor",
        "backbone": "none",
        "train_set": None,
        "weights": "none",
        "checkpoint": None,
        "settings": {},
    }
    return a_model(**{**content, **changes})


def a_scored_model(**changes: Any) -> ModelUsed:
    content = {"kind": "predictions", "weights": "elsewhere", "checkpoint": None, "adapter": "made elsewhere"}
    return a_model(**{**content, "settings": {}, **changes})


def some_predictions(**changes: Any) -> PredictionsUsed:
    """Of the two images of :func:`a_table`."""
    content: dict[str, Any] = {"digest": "b" * 64, "forms": {"PNG, indices": 2}, "source": "the authors' code"}
    return PredictionsUsed(**{**content, **changes})


def a_run(**changes: Any) -> Run:
    content: dict[str, Any] = {
        "date": "2026-01-31T09:30:00Z",
        "device": "Example CPU",
        "processes": 1,
        "batch_size": 4,
        "seconds": 12.5,
        "image_ms": ImageTimes.of([1.0, 2.0, 6.0]),
        "parameters": Parameters(total=1000, trainable=10),
        "packages": {"ovrisisbench": "0.1.0", "numba": None},
        "python": "3.12.4",
        "platform": "Linux x86_64",
        "command": ("ovrisis-bench", "run", "--model", "rskt-seg"),
    }
    return Run(**{**content, **changes})


def a_seen(**changes: Any) -> SeenInTraining:
    """Of the two images of :func:`a_table` training has seen one."""
    content: dict[str, Any] = {
        "train_set": "dlrsd",
        "train_digest": "e" * 64,
        "train_images": 5601,
        "train_partial": False,
        "of": 2,
        "by_split": 0,
        "exact": 1,
        "near": 0,
        "distance": 32,
        "ids_digest": "f" * 64,
        "left_out": False,
    }
    return SeenInTraining(**{**content, **changes})


def a_record(
    *,
    dataset: str = "loveda",
    table: CountsTable | None = None,
    model: ModelUsed | None = None,
    run: Run | None = None,
    protocol: dict[str, Any] | None = None,
    data: dict[str, Any] | None = None,
    **changes: Any,
) -> Record:
    """A record of ``table``; ``protocol`` and ``data`` replace single fields of those sections."""
    table = a_table() if table is None else table
    rules = {"name": "ovrisisbench-v1", "id": "125d31fc", "datasets": DATASETS, **(protocol or {})}
    used = {"key": dataset, "variant": "v1-8-classes", "digest": "d" * 64, "images": len(table)}
    used |= {"images_total": len(table), **(data or {})}
    return Record.from_counts(
        table,
        model=model or a_model(),
        protocol=ProtocolUsed(**rules),
        dataset=DatasetUsed(**used),
        class_names=changes.pop("class_names", NAMES),
        convention=changes.pop("convention", "detectron2"),
        predictions=changes.pop("predictions", None),
        run=run or a_run(**changes),
    )
