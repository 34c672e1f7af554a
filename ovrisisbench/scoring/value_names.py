"""Which class a value of a prediction means: by position, by the legend's colours, or by a file of names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from ovrisisbench.catalog import DatasetCard, Variant
from ovrisisbench.catalog.cards import IGNORE_INDEX
from ovrisisbench.catalog.legend import legend
from ovrisisbench.catalog.yaml_files import load_content
from ovrisisbench.errors import DataError, did_you_mean
from ovrisisbench.prepare.download.pictures import pack_colour, unpack_colour

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ovrisisbench.scoring.reading import Prediction

__all__ = ["Labels", "ValueNames", "Values", "legend_names", "read_names"]

Values = Literal["auto", "index", "colour"]
"""What the values of pictures are; ``auto``: indices in one band and in a palette, colours in three bands."""

NOTHING: Final = 255
"""Stands in label maps where a value means no class."""
_HEX = re.compile(r"#([0-9a-fA-F]{6})")
_TRIPLE = re.compile(r"[(\[]?\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*[)\]]?")


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """A label map as it is counted."""

    labels: NDArray[np.uint8]
    """(H, W): 0..K-1, and 255 where the value means no class."""
    values: NDArray[np.generic]
    """(H, W): what the file holds; colours packed."""
    are_colours: bool = False

    def stray(self, truth: NDArray[np.uint8]) -> str:
        """Return words for the first value without a class where the truth has one, empty if there is none.

        Args:
            truth: (H, W) label map, 255 where nothing is counted.
        """
        strays = (self.labels == NOTHING) & (truth != IGNORE_INDEX)
        if not strays.any():
            return ""
        row, column = np.unravel_index(int(strays.argmax()), strays.shape)
        value = int(self.values[row, column])
        words = f"colour {unpack_colour(value)}" if self.are_colours else f"value {value}"
        return f"{words} at row {row}, column {column}"


@dataclass(frozen=True, slots=True)
class ValueNames:
    """Index or colour -> class of the vocabulary."""

    indices: Mapping[int, int]
    colours: Mapping[int, int] = field(default_factory=dict)
    """Packed as by :func:`~ovrisisbench.prepare.download.pictures.pack_colour`."""

    def labels_of(self, prediction: Prediction, name: str, values: Values = "auto") -> Labels:
        """Turn numbers or colours into class indices.

        Args:
            prediction: of any kind but ``scores``.
            name: the file, for errors.
            values: how palettes are meant.

        Raises:
            DataError: the file is not of the kind that ``values`` says, or a palette says two things.
        """
        if prediction.kind == "colours":
            if values == "index":
                raise DataError(f"{name} is a colour picture, not one of indices; leave out --values index.")
            return self._of_colours(_packed(prediction.values))
        if prediction.kind == "palette" and prediction.palette is not None:
            if self._means_colours(prediction, name, values):
                return self._of_colours(_packed(prediction.palette)[prediction.values])
        elif values == "colour":
            raise DataError(f"{name} has one band of numbers, not colours; leave out --values colour.")
        return self.of_indices(prediction.values)

    def of_indices(self, numbers: NDArray[np.generic]) -> Labels:
        """Turn (H, W) integers of any type into class indices."""
        # A look-up is ten times faster than np.unique; whatever a byte does not hold means no class.
        table = np.full(257, NOTHING, np.uint8)
        for value, index in self.indices.items():
            table[value] = index
        wide = numbers.astype(np.int64)
        return Labels(table[np.where((wide >= 0) & (wide <= 255), wide, 256)], wide)

    def _of_colours(self, packed: NDArray[np.uint32]) -> Labels:
        labels = np.full(packed.shape, NOTHING, np.uint8)
        for colour, index in self.colours.items():
            labels[packed == colour] = index
        return Labels(labels, packed, are_colours=True)

    def _means_colours(self, prediction: Prediction, name: str, values: Values) -> bool:
        if values != "auto":
            return values == "colour"
        if not self.indices:
            return True
        assert prediction.palette is not None  # noqa: S101 - of its kind
        used = np.flatnonzero(np.bincount(prediction.values.ravel().astype(np.int64), minlength=256))
        meant = {int(value): self.colours.get(int(_packed(prediction.palette)[value])) for value in used}
        if all(index is not None for index in meant.values()) and any(
            self.indices.get(value) != index for value, index in meant.items()
        ):
            raise DataError(
                f"{name} is a palette picture whose colours and indices mean different classes; say with --values "
                "index or --values colour which of them count."
            )
        return False


def legend_names(card: DatasetCard, variant: Variant) -> ValueNames:
    """Return the default: indices of the vocabulary, and the colours of the data set's legend.

    A colour that two classes share means neither; what the publisher's legend ignores is no answer either.
    """
    entries = [entry for entry in legend(card, variant) if entry.index is not None]
    colours: dict[int, set[int]] = {}
    for entry in entries:
        for label in entry.labels:
            colours.setdefault(pack_colour(label.colour), set()).add(entry.index or 0)
    single = {colour: next(iter(found)) for colour, found in colours.items() if len(found) == 1}
    return ValueNames({index: index for index in range(len(entries))}, single)


def read_names(path: Path, class_names: Sequence[str]) -> ValueNames:
    """Read a YAML or JSON file that names the class of each value.

    It holds a list of class names, whose positions are the values, or a mapping from indices or colours
    (``"#ff0000"`` or ``"255, 0, 0"``) to class names. Upper and lower case are alike; several values may mean one
    class, and ``null`` means none.

    Args:
        path: the file.
        class_names: K names of the vocabulary, in label order.

    Raises:
        CatalogError: unreadable, or a key given twice.
        DataError: a value that is neither index nor colour, or a name that the vocabulary does not have.
    """
    content = load_content(path)
    if isinstance(content, list):
        content = dict(enumerate(content))
    if not isinstance(content, dict) or not content:
        raise DataError(f"{path} holds neither a list of class names nor a mapping from values to class names.")
    known = {name.strip().lower(): index for index, name in enumerate(class_names)}
    indices: dict[int, int] = {}
    colours: dict[int, int] = {}
    for value, name in content.items():
        if name is None:
            continue
        index = known.get(str(name).strip().lower())
        if index is None:
            hint = did_you_mean(str(name), known)
            raise DataError(
                f"{path}: value {value} means '{name}', but the vocabulary has {', '.join(class_names)}.{hint}"
            )
        colour = _colour(value)
        if colour is not None:
            colours[colour] = index
        else:
            indices[_index(path, value)] = index
    return ValueNames(indices, colours)


def _colour(value: object) -> int | None:
    if not isinstance(value, str):
        return None
    if digits := _HEX.fullmatch(value.strip()):
        red, green, blue = bytes.fromhex(digits[1])
        return pack_colour((red, green, blue))
    triple = _TRIPLE.fullmatch(value.strip())
    if triple and all(int(number) <= 255 for number in triple.groups()):
        return pack_colour((int(triple[1]), int(triple[2]), int(triple[3])))
    return None


def _index(path: Path, value: object) -> int:
    # JSON knows no other keys than text.
    text = str(value).strip()
    if isinstance(value, bool) or not text.isascii() or not text.isdigit() or int(text) > 255:
        raise DataError(
            f'{path}: \'{value}\' is neither an index 0..255 nor a colour; write colours as "#ff0000" or "255, 0, 0".'
        )
    return int(text)


def _packed(colours: NDArray[np.generic]) -> NDArray[np.uint32]:
    wide: NDArray[np.uint32] = colours.astype(np.uint32)
    packed: NDArray[np.uint32] = wide[..., 0] | wide[..., 1] << np.uint32(8) | wide[..., 2] << np.uint32(16)
    return packed
