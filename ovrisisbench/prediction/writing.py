"""The label map on disk: a cloud-optimised GeoTIFF or a PNG, written while it is made."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ovrisisbench.atomic import atomic_path
from ovrisisbench.errors import DataError
from ovrisisbench.prediction.georeference import Georeference
from ovrisisbench.prediction.png_stream import PalettePngWriter

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["NO_DATA", "WriteRows", "check_target", "label_writer"]

NO_DATA: Final = 255
"""Value of pixels where the picture has no data."""
WriteRows = Callable[["NDArray[np.uint8]"], None]
"""Called with the next rows of the label map, (h, W) uint8."""
_TIFF: Final = (".tif", ".tiff")
_BLOCK: Final = 512


def check_target(path: Path) -> None:
    """Refuse what cannot be written, before anything is computed.

    Raises:
        DataError: an unknown ending, or a GeoTIFF where rasterio is not installed.
    """
    ending = path.suffix.lower()
    if ending not in (".png", *_TIFF):
        raise DataError(f"{path} ends in '{path.suffix}'; label maps are written as .tif or .png.")
    if ending in _TIFF:
        try:
            import rasterio  # noqa: F401 - only whether it can be imported
        except ImportError as error:
            raise DataError(
                f"{path} is to be a GeoTIFF, which needs rasterio: install ovrisisbench[geo], or write a .png."
            ) from error


@contextmanager
def label_writer(
    path: Path,
    *,
    size: tuple[int, int],
    class_names: Sequence[str],
    colours: Sequence[tuple[int, int, int]],
    georeference: Georeference | None,
) -> Iterator[WriteRows]:
    """Yield a function that takes the rows of a label map from top to bottom; the file appears when all is well.

    Args:
        path: ends in ``.png``, for a palette picture, or ``.tif``, for a cloud-optimised GeoTIFF.
        size: (H, W) pixels.
        class_names: K names, which a GeoTIFF keeps as tags ``class_0``, ``class_1`` and so on.
        colours: K colours.
        georeference: of the picture; a PNG cannot keep it.
    """
    if path.suffix.lower() in _TIFF:
        with _cog_writer(path, size, class_names, colours, georeference) as write:
            yield write
        return
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        png = PalettePngWriter(stream, size[1], size[0], colours)
        yield png.write
        png.finish()


@contextmanager
def _cog_writer(
    path: Path,
    size: tuple[int, int],
    class_names: Sequence[str],
    colours: Sequence[tuple[int, int, int]],
    georeference: Georeference | None,
) -> Iterator[WriteRows]:
    import rasterio
    import rasterio.shutil
    from rasterio.errors import NotGeoreferencedWarning
    from rasterio.windows import Window

    place = {} if georeference is None else {"crs": georeference.crs, "transform": georeference.transform}
    # GDAL makes a cloud-optimised file by copying a finished one, so the rows go to a scratch file first.
    with (
        atomic_path(path) as temporary,
        tempfile.TemporaryDirectory(dir=path.parent, prefix=".predict-") as scratch,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        plain = Path(scratch) / "labels.tif"
        with rasterio.open(
            plain,
            "w",
            driver="GTiff",
            height=size[0],
            width=size[1],
            count=1,
            dtype="uint8",
            nodata=NO_DATA,
            photometric="palette",
            bigtiff="IF_SAFER",
            **place,
        ) as target:
            target.write_colormap(1, {index: (*colour, 255) for index, colour in enumerate(colours)})
            target.update_tags(1, **{f"class_{index}": name for index, name in enumerate(class_names)})
            target.set_band_description(1, "class")
            done = 0

            def write(labels: NDArray[np.uint8]) -> None:
                nonlocal done
                target.write(labels, 1, window=Window(0, done, labels.shape[1], labels.shape[0]))
                done += labels.shape[0]

            yield write
        rasterio.shutil.copy(
            plain,
            temporary,
            driver="COG",
            compress="DEFLATE",
            blocksize=_BLOCK,
            overview_resampling="MODE",
            bigtiff="IF_SAFER",
        )
