"""From a picture and a list of words to a label map: one row of windows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Unpack

import numpy as np

from ovrisisbench.adapter.interface import Adapter, LoadOptions
from ovrisisbench.adapter.registry import FoundAdapter, find_adapter
from ovrisisbench.atomic import atomic_path
from ovrisisbench.benchmark.inputs import Loading, examine_weights, load_options
from ovrisisbench.benchmark.known_weights import informed
from ovrisisbench.catalog.vocabularies import checked_class_names
from ovrisisbench.errors import AdapterError, DataError
from ovrisisbench.prediction.colours import class_colours
from ovrisisbench.prediction.overlay import Overlay
from ovrisisbench.prediction.result import PredictedScene, class_areas
from ovrisisbench.prediction.scenes import Scene, open_scene
from ovrisisbench.prediction.windows import Axis, spread
from ovrisisbench.prediction.writing import NO_DATA, check_target, label_writer
from ovrisisbench.prepare.windows import Box

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from ovrisisbench.prediction.georeference import Georeference

__all__ = ["PredictReport", "predict"]


class PredictReport:
    """What a caller of :func:`predict` may want to hear; override what is of interest."""

    def note(self, sentence: str) -> None:
        """Be told what was decided for want of a word, or cannot be kept."""

    def progress(self, finished: int, wanted: int) -> None:
        """Be told how many windows are done."""


def predict(
    picture: Path | str,
    model: str,
    class_names: Sequence[str],
    *,
    to: Path | str | None = None,
    overlay: Path | str | None = None,
    window: int = 512,
    overlap: int | None = None,
    gsd: float | None = None,
    bands: Sequence[int] | None = None,
    train_set: str | None = None,
    batch_size: int = 1,
    threads: int = 1,
    report: PredictReport | None = None,
    **loading: Unpack[Loading],
) -> PredictedScene:
    """Label a picture of any size with words of one's own.

    Every pixel gets one of the classes; none is implied, so what is none of them must be named too.

    Args:
        picture: PNG, JPEG, TIFF or GeoTIFF.
        model: registered name, or ``file.py:Class``.
        class_names: K names; index = value in the label map, 255 = no data in the picture.
        to: label map, ``.tif`` (cloud-optimised GeoTIFF) or ``.png``; None for a name made from the picture's in the
            current folder, ``.tif`` for a georeferenced picture.
        overlay: PNG of the picture under its labels, with a legend; None for none.
        window: side of the windows that the model is given, pixels.
        overlap: least overlap of neighbours, pixels; None for a quarter of ``window``.
        gsd: side of a pixel on the ground in metres; None to take it from the georeference.
        bands: numbers of the bands of a TIFF that are red, green and blue.
        train_set: what the weights were trained on, where they come with the package.
        batch_size: windows handed to the model at once; changes nothing.
        threads: on a CPU, batches in flight at once, for models that allow it; changes nothing.
        report: told of every step.
        **loading: backbone, checkpoint and so on, as for ``run``.

    Returns:
        Where the files are, and how much each class covers.

    Raises:
        OvrisisBenchError: any mistake in the input, as one sentence.
    """
    report = report or PredictReport()
    picture = Path(picture)
    to, overlay = None if to is None else Path(to), None if overlay is None else Path(overlay)
    names = checked_class_names([name.strip() for name in class_names], where="the list of classes")
    overlap = window // 4 if overlap is None else overlap
    spread(window, window, overlap)  # refuses a wrong overlap before a model is loaded
    if gsd is not None and not gsd > 0:
        raise DataError(f"The side of a pixel is {gsd} m; give --gsd more than 0.")
    with ExitStack() as stack:
        scene = stack.enter_context(open_scene(picture, bands=bands))
        target = to or _own_name(picture, scene)
        _check_outputs(picture, target, overlay)
        loaded = _load(model, names, train_set, report, loading)
        plan = _Plan(
            picture.stem, spread(scene.height, window, overlap), spread(scene.width, window, overlap), len(names)
        )
        colours = class_colours(names)
        size = (scene.height, scene.width)
        view = Overlay(size, colours) if overlay is not None else None
        pixels = np.zeros(256, np.int64)
        with label_writer(
            target, size=size, class_names=names, colours=colours, georeference=scene.georeference
        ) as write:
            for rows in _labelled(scene, loaded, plan, report, batch_size=batch_size, threads=threads):
                pixels += np.bincount(rows.labels.ravel(), minlength=256)
                if view is not None:
                    view.add(rows.pixels, rows.labels)
                write(rows.labels)
        area = _pixel_area(scene.georeference, gsd, target, report)
        areas = class_areas(names, colours, pixels[: len(names)], area)
        if view is not None and overlay is not None:
            with atomic_path(overlay) as temporary:
                view.picture([f"{one.name}  {one.share:.1%}" for one in areas]).save(temporary, format="PNG")
    return PredictedScene(
        labels=target,
        overlay=overlay,
        size=size,
        windows=plan.count,
        areas=areas,
        no_data=int(pixels[NO_DATA]),
        pixel_area=area,
        crs=None if scene.georeference is None else scene.georeference.crs_words,
    )


class _Loaded(NamedTuple):
    adapter: Adapter
    found: FoundAdapter
    options: LoadOptions


@dataclass(frozen=True, slots=True)
class _Plan:
    """Which windows there are."""

    stem: str
    """Begins the names by which the model is given windows."""
    down: Axis
    across: Axis
    num_classes: int

    @property
    def count(self) -> int:
        """Windows in all."""
        return len(self.down.starts) * len(self.across.starts)

    def boxes(self, row: int) -> list[Box]:
        """Return the windows of one row from left to right."""
        y0 = self.down.starts[row]
        return [Box(y0, y0 + self.down.size, x0, x0 + self.across.size) for x0 in self.across.starts]


class _LabelledRows(NamedTuple):
    pixels: NDArray[np.uint8]
    """(h, W, 3)."""
    labels: NDArray[np.uint8]
    """(h, W): 0..K-1, and 255 where there are no data."""


def _load(
    model: str, class_names: Sequence[str], train_set: str | None, report: PredictReport, loading: Loading
) -> _Loaded:
    from ovrisisbench.adapter.precision import inference, matmul_arithmetic

    found = find_adapter(model)
    if found.info.reads_truth:
        raise AdapterError(f"{found.info.title} has to be told the truth first, so it cannot label a picture.")
    completed = informed(found.info, train_set, loading)
    for sentence in completed.notes:
        report.note(sentence)
    options = load_options(found.info, **completed.loading)
    examine_weights(found, options, {"the list of classes": len(class_names)}, train_set=completed.train_set)
    with matmul_arithmetic(options.precision, options.device):
        adapter = found.load_class().load(options)
        with inference(options.precision, options.device):
            adapter.set_vocabulary(class_names)
    return _Loaded(adapter, found, options)


def _labelled(
    scene: Scene, model: _Loaded, plan: _Plan, report: PredictReport, *, batch_size: int, threads: int
) -> Iterator[_LabelledRows]:
    """Yield the label map from top to bottom, never more rows at once than a window has."""
    from ovrisisbench.adapter.precision import matmul_arithmetic
    from ovrisisbench.prediction.blending import BandBlender

    blender = BandBlender(plan.num_classes, plan.down, plan.across)
    concurrent = model.found.info.concurrent and model.options.device == "cpu"
    done = 0
    with (
        matmul_arithmetic(model.options.precision, model.options.device),
        ThreadPoolExecutor(threads if concurrent else 1) as pool,
    ):
        for row, y0 in enumerate(plan.down.starts):
            pixels, valid = scene.rows(y0, y0 + plan.down.size)
            boxes = plan.boxes(row)
            columns = [column for column, box in enumerate(boxes) if valid[:, box.x0 : box.x1].any()]
            batches = [columns[start : start + batch_size] for start in range(0, len(columns), batch_size)]
            jobs = [[(boxes[column], pixels) for column in batch] for batch in batches]
            # Sums are made in one order whatever finishes first, so that threads change no bit.
            for batch, scores in zip(batches, pool.map(lambda job: _scores(model, plan, job), jobs), strict=True):
                for column, one in zip(batch, scores, strict=True):
                    blender.add(column, one)
                done += len(batch)
                report.progress(done, plan.count)
            done = (row + 1) * len(boxes)
            labels = blender.finish_row()
            labels[~valid[: len(labels)]] = NO_DATA
            yield _LabelledRows(pixels[: len(labels)], labels)
        report.progress(plan.count, plan.count)


def _scores(model: _Loaded, plan: _Plan, job: Sequence[tuple[Box, NDArray[np.uint8]]]) -> list[torch.Tensor]:
    """Return (K, size, size) scores of each window of a batch."""
    from ovrisisbench.adapter.precision import inference
    from ovrisisbench.adapter.score_maps import check_score_maps, cropped_scores
    from ovrisisbench.errors import EvaluationError
    from ovrisisbench.prediction.blending import stretched

    images = [np.ascontiguousarray(pixels[:, box.x0 : box.x1]) for box, pixels in job]
    ids = [f"{plan.stem}_{box.suffix}" for box, _ in job]
    with inference(model.options.precision, model.options.device):
        maps = model.adapter.predict(images, image_ids=ids)
        check_score_maps(maps, num_classes=plan.num_classes, images=images, image_ids=ids)
        scores = [stretched(cropped_scores(one), *one.image_size) for one in maps]
        for image_id, one in zip(ids, scores, strict=True):
            if not bool(one.isfinite().all()):
                raise EvaluationError(
                    f"The scores of window {image_id} hold NaN or infinity; check the checkpoint and --precision."
                )
    return scores


def _own_name(picture: Path, scene: Scene) -> Path:
    return Path(f"{picture.stem}_labels{'.png' if scene.georeference is None else '.tif'}")


def _check_outputs(picture: Path, target: Path, overlay: Path | None) -> None:
    check_target(target)
    if overlay is not None and overlay.suffix.lower() != ".png":
        raise DataError(f"{overlay} ends in '{overlay.suffix}'; overlays are written as .png.")
    paths = [path.resolve() for path in (picture, target, overlay) if path is not None]
    if len(set(paths)) < len(paths):
        raise DataError(f"{target} would replace the picture or the overlay; give other names to --to and --overlay.")


def _pixel_area(place: Georeference | None, gsd: float | None, target: Path, report: PredictReport) -> float | None:
    if place is not None and target.suffix.lower() == ".png":
        report.note(f"{target.name} cannot keep where the picture lies; write a .tif to keep it.")
    if gsd is not None:
        return gsd**2
    if place is None:
        return None
    if place.area_note:
        report.note(place.area_note)
    return place.pixel_area
