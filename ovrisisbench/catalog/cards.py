"""Data-set cards: everything the benchmark knows of one data set, one YAML file each in ``splits/datasets``."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from ovrisisbench.catalog.bibtex import Citation
from ovrisisbench.catalog.drawn_cards import DrawnCard, drawn_content
from ovrisisbench.catalog.evidence import Evidence
from ovrisisbench.catalog.vocabularies import Vocabulary, load_vocabulary
from ovrisisbench.catalog.yaml_files import CatalogModel, checked, installed_files, load_content
from ovrisisbench.errors import CatalogError, did_you_mean

__all__ = [
    "IGNORE_INDEX",
    "Checkup",
    "Citation",
    "DatasetCard",
    "Download",
    "LabelClass",
    "Layout",
    "OtherOrder",
    "PassedOver",
    "Split",
    "Variant",
    "WindowRule",
    "dataset_keys",
    "load_card",
    "load_card_file",
    "load_cards",
]

IGNORE_INDEX: Final = 255
"""Value of pixels that count nowhere, in every label map of the project."""


def _checked_pattern(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"'{pattern}' is no regular expression ({error})") from error
    return pattern


Pattern = Annotated[str, AfterValidator(_checked_pattern)]
"""A regular expression."""
_Share = Annotated[float, Field(ge=0, le=1)]
_Byte = Annotated[int, Field(ge=0, le=255)]
Colour = tuple[_Byte, _Byte, _Byte]
"""Red, green, blue, 0..255, in this order."""


class LabelClass(CatalogModel):
    """One value or colour of the publisher's masks."""

    name: str
    """As the publisher spells it."""
    original_id: int | None
    """Value in the publisher's masks; None where they are pictures in colours without ids."""
    colour: Colour
    use: str = ""
    """What different users of the data do with it, where they disagree."""


class Split(CatalogModel):
    """One of the publisher's own parts of the data."""

    name: str
    images: int | None
    """Number of images; None where sources disagree."""
    labelled: int | None
    """Number of images with a public mask; None where unknown."""
    ids: tuple[str, ...] = ()
    """Scenes, tiles or sequences that belong to it, where the publisher lists them."""
    names: Annotated[str, AfterValidator(_checked_pattern)] = ""
    """Regular expression that the whole names of its images match, where folders do not tell them; empty for none."""
    rule: str = ""
    """How one tells that an image belongs to it."""
    evidence: Evidence


class Download(CatalogModel):
    """One archive of the publisher."""

    what: str
    archive: str
    contains: str = ""
    md5: str | None = Field(default=None, pattern=r"^[0-9a-f]{32}$")
    source: str
    evidence: Evidence


class PassedOver(CatalogModel):
    """Files of a layout that look usable and are not what this data set's labels are made from."""

    pattern: Pattern
    why: str


class Layout(CatalogModel):
    """One way the data lie on disk when downloaded; ``prepare`` recognises it by these paths.

    ``images`` and ``masks`` are regular expressions for the end of a path
    without the file's ending, folders and archives (which lose theirs)
    included, upper and lower case alike. A group named ``split`` tells the
    split; the other groups, joined by ``_``, are the name by which an image
    finds its mask.
    """

    name: str
    title: str
    paths: tuple[str, ...]
    """Patterns relative to the folder given with ``--from``, for people."""
    images: tuple[Pattern, ...] = ()
    """None: a reader of its own knows the names."""
    masks: tuple[Pattern, ...] = ()
    masks_hold: Literal["colours", "ids", "indices", "indices or colours"] = "indices"
    """The publisher's colours, the publisher's ids, or indices of the vocabulary and 255."""
    is_cut: bool = False
    """True if the files are windows already, so that the rule of a variant is not applied again."""
    has_extra_masks: bool = False
    """True if complete copies are known to hold masks without an image."""
    passed_over: tuple[PassedOver, ...] = ()
    note: str = ""
    evidence: Evidence


class WindowRule(CatalogModel):
    """How a source image is cut into the images that are evaluated."""

    size: Annotated[int, Field(gt=0)]
    """Side of the square window in pixels."""
    stride: Annotated[int, Field(gt=0)]
    """Distance of window starts in pixels, both directions, from 0."""
    last: Literal["clamped", "dropped"]
    """A window that sticks out is moved back to the border, or left out."""
    keep_above: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """A window is kept when more than this fraction of its pixels is labelled."""
    evidence: Evidence
    note: str = ""


class Variant(CatalogModel):
    """One reading of a data set: label map, windows and splits; a number belongs to exactly one."""

    name: str
    title: str
    why: str
    """Why this reading exists, and how sure it is."""
    vocabulary: str
    """Name of the vocabulary that its label map indexes."""
    labels: dict[str, int | Literal["ignore"]]
    """The publisher's class name -> index in the vocabulary, or ``ignore`` (255)."""
    labels_evidence: Evidence
    windows: WindowRule | None = None
    """None: every image is evaluated whole."""
    counts: dict[str, int] = Field(default_factory=dict)
    """Evaluated images by split; ``all`` where only the sum is known."""
    counts_evidence: Evidence
    name_digests: dict[str, str] = Field(default_factory=dict)
    """Split -> sha256 of its image names in natural order, one a line."""
    aliases: tuple[str, ...] = ()
    """Shorter names to type, such as ``512``."""
    layouts: tuple[str, ...] = ()
    """The only layouts that it can be prepared from; none named: from all."""
    mask_set: str | None = None
    """Which of the publisher's sets of masks it uses, where there are several: ``full`` or ``eroded``."""
    ignored_share: tuple[_Share, _Share] | None = None
    """Least and largest plausible share of ignored pixels, borders included."""

    @property
    def total(self) -> int | None:
        """Evaluated images in all splits, or None where unknown."""
        return self.counts.get("all", sum(self.counts.values()) or None)

    def index(self, label: str) -> int:
        """Return the value of a label in the label maps: an index of the vocabulary, or 255 if it is ignored."""
        index = self.labels[label]
        return IGNORE_INDEX if index == "ignore" else index

    def rules(self) -> dict[str, object]:
        """Return what of this variant changes a number, for the protocol's id."""
        windows = None
        if self.windows is not None:
            windows = self.windows.model_dump(include={"size", "stride", "last", "keep_above"})
        return {"name": self.name, "labels": dict(self.labels), "windows": windows}


class OtherOrder(CatalogModel):
    """Another order of ids for nearly the same classes, which passes for the right one."""

    name: str
    """Who uses it, for the words of the report."""
    classes: tuple[str, ...]
    """This card's label that each id 0, 1, ... means there; an empty string where there is none."""


class Checkup(CatalogModel):
    """How the pictures and label maps of a right download look; plausible ranges, not definitions."""

    sizes: tuple[tuple[int, int], ...] = ()
    """(height, width) in pixels that images have; none given: not known or all different."""
    most_sizes: _Share = 1.0
    """Least share of images that have one of ``sizes``."""
    vegetation: tuple[str, ...] = ()
    """Labels that are plants: green, and bright in near infrared."""
    sealed: tuple[str, ...] = ()
    """Labels that are not plants and common enough to compare with."""
    bands: Literal["red green blue", "infrared red green"] = "red green blue"
    shares: dict[str, tuple[_Share, _Share]] = Field(default_factory=dict)
    """Label -> least and largest plausible share of the labelled pixels."""
    dark: tuple[str, ...] = ()
    """Labels whose pixels are black in the image, such as no-data."""
    other_orders: tuple[OtherOrder, ...] = ()
    vocabulary_file: str | None = None
    """Name of the list of class names that the published code reads, where another one of nearly that name exists."""
    evidence: Evidence = "inference"

    def labels(self) -> set[str]:
        """Return all labels that are mentioned."""
        orders = {name for order in self.other_orders for name in order.classes if name}
        return {*self.vegetation, *self.sealed, *self.dark, *self.shares} | orders


class DatasetCard(CatalogModel):
    """All that the benchmark knows of one data set."""

    format: Literal[1]
    key: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    """What one types, and a part of file names: ``isaid``."""
    drawn_after: str | None = None
    """Key of the real data set that a drawn one follows; None for a real one."""
    title: str
    summary: str
    sensor: str
    gsd_m: float | None
    """Ground sampling distance in metres per pixel; None where it varies or is unknown."""
    bands: str
    dtype: Literal["uint8"]
    image_size: str
    licence: str
    citations: tuple[Citation, ...]
    downloads: tuple[Download, ...]
    layouts: tuple[Layout, ...]
    classes: tuple[LabelClass, ...]
    other_labels: tuple[LabelClass, ...] = ()
    """Values that the publisher does not count as a class: background, no-data, boundary."""
    splits: tuple[Split, ...]
    scene_key: str
    """What of a name tells the scene; images of one scene are not independent."""
    scene_pattern: str
    """Regular expression whose first group is the scene of an image name."""
    off_palette: Literal["refuse", "nearest corner"] = "refuse"
    """What is done with colours of masks that no class has: an error, or each band is read as below or above 128."""
    checkup: Checkup = Checkup()
    default_variant: str
    variants: tuple[Variant, ...]
    traps: tuple[str, ...] = ()
    """What goes wrong with this data set in practice."""
    open_questions: tuple[str, ...] = ()
    """What no source could settle."""

    @model_validator(mode="after")
    def _consistent(self) -> DatasetCard:
        names = [variant.name for variant in self.variants]
        known = [*names, *(alias for variant in self.variants for alias in variant.aliases)]
        if len(set(known)) != len(known):
            raise ValueError("variants: two variants have the same name or alias")
        if self.default_variant not in names:
            raise ValueError(f"default_variant: '{self.default_variant}' is not one of the variants {names}")
        labels = [label.name for label in (*self.classes, *self.other_labels)]
        for variant in self.variants:
            if sorted(variant.labels) != sorted(labels):
                odd = sorted(set(variant.labels) ^ set(labels))
                raise ValueError(f"variants.{variant.name}.labels: must name every label once; see {odd}")
            strange = sorted(set(variant.layouts) - {layout.name for layout in self.layouts})
            if strange:
                raise ValueError(f"variants.{variant.name}.layouts: the card has no layout {strange}")
        strange = sorted(self.checkup.labels() - set(labels))
        if strange:
            raise ValueError(f"checkup: the card has no label {strange}")
        return self

    def variant(self, name: str | None = None) -> Variant:
        """Return a variant by name or alias, the default one for None.

        Raises:
            CatalogError: the card has no such variant.
        """
        wanted = name or self.default_variant
        for variant in self.variants:
            if wanted == variant.name or wanted in variant.aliases:
                return variant
        known = [variant.name for variant in self.variants]
        hint = did_you_mean(wanted, known)
        raise CatalogError(f"{self.title} has no variant '{wanted}'; known are {', '.join(known)}.{hint}")

    @property
    def family(self) -> str:
        """The data set whose vocabularies, layouts and readers it has: its own key, or the one it is drawn after."""
        return self.drawn_after or self.key

    @property
    def has_grey_colours(self) -> bool:
        """True if every label's colour is a grey, such as black and white, which one band shows as well as three."""
        return all(len(set(label.colour)) == 1 for label in (*self.classes, *self.other_labels))

    def layout(self, name: str) -> Layout:
        """Return a layout by name."""
        return next(layout for layout in self.layouts if layout.name == name)

    def label(self, name: str) -> LabelClass:
        """Return a class or other label by the publisher's name."""
        return next(label for label in (*self.classes, *self.other_labels) if label.name == name)


def dataset_keys() -> list[str]:
    """Return the keys of all data-set cards, sorted."""
    return list(installed_files("datasets"))


@cache
def load_card(key: str) -> DatasetCard:
    """Read the card of one data set and check it against its vocabularies.

    Args:
        key: such as ``isaid``.

    Raises:
        CatalogError: no such data set, or a wrong field in its card.
    """
    installed = installed_files("datasets")
    if key not in installed:
        hint = did_you_mean(key, installed)
        raise CatalogError(f"There is no data set '{key}'; known are {', '.join(installed)}.{hint}")
    card = load_card_file(installed[key])
    if card.key != key:
        raise CatalogError(f"{installed[key]}: field 'key': is '{card.key}', but the file is named '{key}.yaml'.")
    for variant in card.variants:
        _check_indices(card, variant, load_vocabulary(variant.vocabulary))
    return card


def load_card_file(source: Traversable | Path) -> DatasetCard:
    """Read one card from a file, completed from its sister's if it is that of a drawn data set.

    Raises:
        CatalogError: a wrong field in it, or a sister that does not exist.
    """
    content = load_content(source)
    if not (isinstance(content, dict) and "drawn_after" in content):
        return checked(content, DatasetCard, str(source))
    drawn = checked(content, DrawnCard, str(source))
    sister = load_card(drawn.drawn_after)
    if sister.drawn_after:
        raise CatalogError(f"{source}: field 'drawn_after': '{sister.key}' is a drawn data set itself.")
    try:
        whole = drawn_content(drawn, sister.model_dump(mode="json"))
    except ValueError as error:
        raise CatalogError(f"{source}: field {error}.") from error
    return checked(whole, DatasetCard, str(source))


def load_cards() -> list[DatasetCard]:
    """Return all cards, by key."""
    return [load_card(key) for key in dataset_keys()]


def _check_indices(card: DatasetCard, variant: Variant, vocabulary: Vocabulary) -> None:
    used = {index for index in variant.labels.values() if index != "ignore"}
    expected = set(range(len(vocabulary.class_names)))
    if used != expected or vocabulary.dataset != card.family:
        raise CatalogError(
            f"{card.key}.yaml: field 'variants.{variant.name}.labels': its indices must cover 0..{len(expected) - 1} "
            f"of vocabulary '{vocabulary.name}' of '{vocabulary.dataset}'; wrong are {sorted(used ^ expected)}."
        )
