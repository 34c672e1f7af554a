"""Predicted label maps kept as pictures, one PNG an image, in a folder of their own.

Any viewer shows them in the colours of the classes, and any program reads
them back: the value of a pixel is its label. Nothing of a record follows from
them; they may be thrown away.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import numpy as np

from ovrisisbench.atomic import write_bytes
from ovrisisbench.errors import RecordError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["KeptLabels", "label_map_name", "read_label_map"]


class KeptLabels:
    """A folder that an evaluation writes its label maps to.

    Args:
        folder: shared by all processes of the evaluation; created with the first map.
        colours: (red, green, blue), 0..255, of each class in label order.
    """

    def __init__(self, folder: Path, colours: Sequence[tuple[int, int, int]]) -> None:
        self.folder = folder
        palette = np.zeros((256, 3), np.uint8)
        palette[: len(colours)] = colours
        self._palette = palette.tobytes()

    def has(self, image_id: str) -> bool:
        """Say whether the map of an image is there."""
        return (self.folder / label_map_name(image_id)).is_file()

    def keep(self, image_id: str, labels: NDArray[np.uint8]) -> None:
        """Write the (H, W) uint8 label map of one image, atomically."""
        from PIL import Image

        picture = Image.fromarray(labels)
        picture.putpalette(self._palette)
        buffer = io.BytesIO()
        picture.save(buffer, "PNG")
        write_bytes(self.folder / label_map_name(image_id), buffer.getvalue())

    def move(self, target: Path) -> None:
        """Put all maps where they shall stay, in place of what an earlier run has left there."""
        if self.folder.is_dir():
            shutil.rmtree(target, ignore_errors=True)
            target.parent.mkdir(parents=True, exist_ok=True)
            self.folder.rename(target)


def label_map_name(image_id: str) -> str:
    """Return the file name of an image's label map; its stem is the id wherever that can be a file name.

    Example:
        >>> label_map_name("P0003_0_256"), label_map_name("../seq 1/x")
        ('P0003_0_256.png', '%2E.%2Fseq%201%2Fx.png')
    """
    name = quote(image_id, safe="")
    return f"{'%2E' + name[1:] if name.startswith('.') else name}.png"


def read_label_map(folder: Path, image_id: str) -> NDArray[np.uint8] | None:
    """Read the (H, W) uint8 label map of an image; None where it was not kept.

    Raises:
        RecordError: the file is no picture of labels.
    """
    from PIL import Image

    path = folder / label_map_name(image_id)
    if not path.is_file():
        return None
    try:
        with Image.open(path) as picture:
            picture.load()
            if picture.mode not in ("P", "L"):
                raise RecordError(f"{path} holds colours, not labels; run the model again with --keep-label-maps.")
            return np.asarray(picture, np.uint8)
    except OSError as error:
        raise RecordError(f"{path} is damaged ({error}); run the model again with --keep-label-maps.") from error
