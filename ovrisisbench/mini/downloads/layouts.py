"""What each mini download consists of: which scenes, and the files that each of them becomes.

File names, folders, numbering and encodings are those of the publishers, as the cards describe them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ovrisisbench.mini.downloads.encoding import colour_mask, id_mask, jpeg, palette_png, png, tiff

if TYPE_CHECKING:
    from ovrisisbench.catalog import DatasetCard
    from ovrisisbench.mini.scene import Scene
    from ovrisisbench.mini.styles import Style

__all__ = ["DEFAULT_IMAGES", "LAYOUTS", "DownloadLayout", "Item"]

DEFAULT_IMAGES: Final = 30
"""Images that each data set is tested on, about, if nothing else is said; the cards count these."""

Files = Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Item:
    """One scene of a download."""

    split: str
    name: str
    """As in the names of its files."""
    number: int
    """Of the world that it shows; equal numbers of one split show the same ground."""
    word: str = ""
    """Word of the publisher that tells what it shows; empty where names tell nothing."""
    turn: int = 0
    """Which of the style's places it shows, in the order in which they take turns."""
    aim: float = 0.0
    """Metres that the camera has flown on."""


@dataclass(frozen=True, slots=True)
class DownloadLayout:
    """One download: its scenes for about so many test images, and the files of each."""

    items: Callable[[int, Style], list[Item]]
    files: Callable[[Item, Scene, Style, DatasetCard], Files]


def _dlrsd_items(images: int, style: Style) -> list[Item]:
    train, val = max(1, round(16 * images / 30)), max(1, round(2 * images / 30))
    numbers = [("train", number) for number in range(min(train, 70))]
    numbers += [("val", 70 + number) for number in range(min(val, 30))]
    return [
        Item(split, f"{word}{number:02d}", 100 * position + number, word)
        for position, word in enumerate(style.words)
        for split, number in numbers
    ]


def _dlrsd_files(item: Item, scene: Scene, style: Style, card: DatasetCard) -> Files:
    palette = [(0, 0, 0), *(label.colour for label in card.classes)]
    return {
        f"UCMerced_LandUse/Images/{item.word}/{item.name}.tif": tiff(scene.picture),
        f"DLRSD/Images/{item.word}/{item.name}.png": palette_png(id_mask(scene.kinds, style, card), palette),
    }


def _isaid_items(images: int, style: Style) -> list[Item]:  # noqa: ARG001 - one signature for all
    train, val = max(1, round(88 * images / 30)), max(1, round(12 * images / 30))
    return [Item("train", f"P{number:04d}", number, turn=number) for number in range(train)] + [
        Item("val", f"P{train + number:04d}", number, turn=number) for number in range(val)
    ]


def _isaid_files(item: Item, scene: Scene, style: Style, card: DatasetCard) -> Files:
    mask = f"{item.split}/Semantic_masks/images/{item.name}_instance_color_RGB.png"
    return {
        f"{item.split}/images/{item.name}.png": png(scene.picture),
        mask: png(colour_mask(scene.kinds, style, card)),
    }


def _loveda_items(images: int, style: Style) -> list[Item]:  # noqa: ARG001 - one signature for all
    firsts = {"train": {"Rural": 0, "Urban": 1366}, "val": {"Rural": 2522, "Urban": 3514}}
    items = []
    for split, count in (("train", images - images // 2), ("val", images // 2)):
        for number in range(count):
            word = ("Rural", "Urban")[number % 2]
            items.append(Item(split, str(firsts[split][word] + number // 2), number, word, number // 2))
    return items


def _loveda_files(item: Item, scene: Scene, style: Style, card: DatasetCard) -> Files:
    folder = f"{item.split.capitalize()}/{item.word}"
    return {
        f"{folder}/images_png/{item.name}.png": png(scene.picture),
        f"{folder}/masks_png/{item.name}.png": png(id_mask(scene.kinds, style, card)),
    }


_WINDOWS_OF_A_TILE: Final = 4
_POTSDAM_TILES: Final = {
    "train": ("2_10", "3_11", "4_12", "5_10", "6_7", "6_11", "7_8", "7_12", "2_12", "3_10", "5_12", "6_9",
              "2_11", "3_12", "4_10", "4_11", "5_11", "6_8", "6_10", "6_12", "7_7", "7_9", "7_10", "7_11"),
    "test": ("2_13", "4_15", "6_14", "3_13", "5_15", "7_13", "4_13", "6_15", "2_14", "3_14", "4_14", "5_13", "5_14",
             "6_13"),
}  # fmt: skip
_VAIHINGEN_TILES: Final = {
    "train": ("area1", "area11", "area23", "area5", "area30", "area13", "area37", "area3", "area15", "area21",
              "area7", "area17", "area26", "area28", "area32", "area34"),
    "test": ("area2", "area20", "area38", "area10", "area29", "area6", "area33", "area14", "area4", "area8", "area12",
             "area16", "area22", "area24", "area27", "area31", "area35"),
}  # fmt: skip


def _tiles(images: int, known: Mapping[str, tuple[str, ...]]) -> list[Item]:
    tiles = max(2, round(images / _WINDOWS_OF_A_TILE))
    train = min(tiles - max(1, tiles * 2 // 5), len(known["train"]))
    counts = {"train": train, "test": min(tiles - train, len(known["test"]))}
    names = [(split, name) for split, count in counts.items() for name in known[split][:count]]
    return [Item(split, name, number, turn=number) for number, (split, name) in enumerate(names)]


def _potsdam_items(images: int, style: Style) -> list[Item]:  # noqa: ARG001 - one signature for all
    return _tiles(images, _POTSDAM_TILES)


def _potsdam_files(item: Item, scene: Scene, style: Style, card: DatasetCard) -> Files:
    return {
        f"2_Ortho_RGB/top_potsdam_{item.name}_RGB.tif": tiff(scene.picture),
        f"5_Labels_all/top_potsdam_{item.name}_label.tif": tiff(colour_mask(scene.kinds, style, card)),
    }


def _vaihingen_items(images: int, style: Style) -> list[Item]:  # noqa: ARG001 - one signature for all
    return _tiles(images, _VAIHINGEN_TILES)


def _vaihingen_files(item: Item, scene: Scene, style: Style, card: DatasetCard) -> Files:
    archive, name = "ISPRS_semantic_labeling_Vaihingen", f"top_mosaic_09cm_{item.name}.tif"
    return {
        f"{archive}/top/{name}": tiff(scene.picture),
        f"{archive}_ground_truth_COMPLETE/{name}": tiff(colour_mask(scene.kinds, style, card)),
    }


_FRAMES: Final = 3
_SEQUENCES: Final = {"train": (*range(1, 16), *range(31, 36)), "val": (*range(16, 21), 36, 37)}
_FLOWN: Final = 9.0
"""Metres between two frames of a sequence."""


def _uavid_items(images: int, style: Style) -> list[Item]:  # noqa: ARG001 - one signature for all
    count = max(2, round(images / _FRAMES))
    train = min(count - max(1, count // 4), len(_SEQUENCES["train"]))
    counts = {"train": train, "val": min(count - train, len(_SEQUENCES["val"]))}
    flights = [(split, sequence) for split, wanted in counts.items() for sequence in _SEQUENCES[split][:wanted]]
    return [
        Item(split, f"seq{sequence}/{frame}00", number, turn=number, aim=_FLOWN * frame)
        for number, (split, sequence) in enumerate(flights)
        for frame in range(_FRAMES)
    ]


def _uavid_files(item: Item, scene: Scene, style: Style, card: DatasetCard) -> Files:
    sequence, frame = item.name.split("/")
    folder = f"uavid_{item.split}/{sequence}"
    return {
        f"{folder}/Images/{int(frame):06d}.png": png(scene.picture),
        f"{folder}/Labels/{int(frame):06d}.png": png(colour_mask(scene.kinds, style, card)),
    }


def _udd5_items(images: int, style: Style) -> list[Item]:  # noqa: ARG001 - one signature for all
    val = max(1, images // 3)
    train = max(1, images - val)
    return [Item("train", f"{number + 1:06d}", number, turn=number) for number in range(train)] + [
        Item("val", f"DJI_{number + 401:04d}", number, turn=train + number) for number in range(val)
    ]


def _udd5_files(item: Item, scene: Scene, style: Style, card: DatasetCard) -> Files:
    return _drone_files(f"UDD/UDD5/{item.split}", item, scene, style, card)


def _vdd_items(images: int, style: Style) -> list[Item]:  # noqa: ARG001 - one signature for all
    val = test = max(1, images // 6)
    train = max(1, images - val - test)
    parts = (("train", 10001, train), ("val", 20001, val), ("test", 30001, test))
    names = [(split, f"DJI_{first + number:05d}") for split, first, count in parts for number in range(count)]
    return [Item(split, name, number, turn=number) for number, (split, name) in enumerate(names)]


def _vdd_files(item: Item, scene: Scene, style: Style, card: DatasetCard) -> Files:
    return _drone_files(f"VDD/{item.split}", item, scene, style, card)


def _drone_files(folder: str, item: Item, scene: Scene, style: Style, card: DatasetCard) -> Files:
    return {
        f"{folder}/src/{item.name}.JPG": jpeg(scene.picture),
        f"{folder}/gt/{item.name}.png": png(id_mask(scene.kinds, style, card)),
    }


LAYOUTS: Final[dict[str, DownloadLayout]] = {
    "mini-dlrsd": DownloadLayout(_dlrsd_items, _dlrsd_files),
    "mini-isaid": DownloadLayout(_isaid_items, _isaid_files),
    "mini-loveda": DownloadLayout(_loveda_items, _loveda_files),
    "mini-potsdam": DownloadLayout(_potsdam_items, _potsdam_files),
    "mini-uavid": DownloadLayout(_uavid_items, _uavid_files),
    "mini-udd5": DownloadLayout(_udd5_items, _udd5_files),
    "mini-vaihingen": DownloadLayout(_vaihingen_items, _vaihingen_files),
    "mini-vdd": DownloadLayout(_vdd_items, _vdd_files),
}
"""Key of a mini data set -> its download."""
