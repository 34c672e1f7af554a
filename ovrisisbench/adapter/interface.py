"""What a model must offer so that the harness can drive it.

An adapter is any object with the methods of :class:`Adapter`; nothing has to
be inherited. It is found through the entry-point group
``ovrisisbench.adapters`` or as ``--model path/to/file.py:Class``. What the
harness shows without loading the model (name, backbones, weights, settings)
stands in an :class:`AdapterInfo`, so that listing models imports no network.

This file imports neither numpy nor torch at run time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from typing import Self

    import numpy as np
    import torch
    from numpy.typing import NDArray

__all__ = [
    "Adapter",
    "AdapterInfo",
    "CheckpointReport",
    "CostMapper",
    "Crop",
    "LoadOptions",
    "ParameterCounter",
    "ParameterCounts",
    "Precision",
    "ScoreMap",
    "Setting",
    "TruthReader",
]

Precision = Literal["float32", "tf32", "bfloat16"]
"""Arithmetic of matrix products; only ``float32`` gives figures that compare across machines."""

Crop = tuple[int, int, int, int]
"""Rows and columns ``(y0, y1, x0, x1)``, ends exclusive."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One switch of a model that ``run --set NAME=VALUE`` can turn."""

    default: str
    """Value when nothing is said, as it would be typed."""
    help: str
    """One sentence: what it does and which part of the paper it belongs to."""
    choices: tuple[str, ...] = ()
    """The legal values; empty where any text is accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterInfo:
    """What the harness knows of a model before loading it."""

    name: str
    """What one types after ``--model``: lower case, hyphens."""
    title: str
    """The name as papers print it."""
    summary: str
    """One sentence: what kind of model it is."""
    adapter: str
    """``"package.module:Class"`` of the :class:`Adapter`, imported at first use."""
    backbones: Mapping[str, str]
    """What one types after ``--backbone`` -> what it is."""
    weights: tuple[str, ...] = ()
    """One sentence for each file of weights a run needs, and where its owner publishes it."""
    beside: Mapping[str, str] = field(default_factory=dict)
    """Files of weights that a run may need beside the checkpoint: what one types after ``--weights`` -> what it is."""
    settings: Mapping[str, Setting] = field(default_factory=dict)
    """Switches for ``run --set``."""
    prompts: str = ""
    """One sentence: templates, how they are averaged, and what becomes of a name with commas."""
    preprocessing: str = ""
    """One sentence: how an image reaches the network, and how its scores come back."""
    paper: str = ""
    code: str = ""
    licence: str = ""
    kind: Literal["trained", "training-free", "floor"] = "trained"
    """``floor``: a row that every model must beat; it may look at the truth, and is marked so."""
    trainer: str = ""
    """``"package.module:Class"`` of a :class:`~ovrisisbench.adapter.training.Trainer`; empty for a model that cannot be
    trained here."""
    recipe: str = ""
    """``"package:file.yaml"`` of its official recipe, where there is a trainer."""
    ablations: str = ""
    """``"package:file.yaml"`` of its ablations (:mod:`ovrisisbench.adapter.ablations`), where it has some."""
    pretrained: Mapping[str, str] = field(default_factory=dict)
    """Files of pre-trained encoders, beside CLIP, that training starts from: what one types after ``--weights`` -> what
    it is."""
    checkpoint_reader: str = ""
    """``"package.module:function"`` from tensor shapes to a :class:`CheckpointReport` or None."""
    concurrent: bool = False
    """True if :meth:`Adapter.predict` may be called from several threads at once."""
    reads_truth: bool = False
    """True if the adapter wants :meth:`TruthReader.see_truth`; only floors do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOptions:
    """How one model is to be loaded for one run."""

    backbone: str
    checkpoint: Path | None = None
    """None only together with ``untrained``, or for models without weights of their own."""
    untrained: bool = False
    """Start from seeded random weights; the record says so."""
    seed: int = 0
    device: str = "cpu"
    """A torch device: ``cpu``, ``cuda:0``."""
    precision: Precision = "float32"
    settings: Mapping[str, str] = field(default_factory=dict)
    """Only what differs from the defaults of :attr:`AdapterInfo.settings`."""
    beside: Mapping[str, Path] = field(default_factory=dict)
    """Files of weights beside the checkpoint, by their name in :attr:`AdapterInfo.beside`."""


@dataclass(frozen=True, slots=True)
class ScoreMap:
    """Class scores of one image at the model's own resolution, and how they lie on the image.

    The harness cuts ``crop`` out of the map, stretches it bilinearly
    (``align_corners=False``) over the whole image, and takes the highest class;
    equal scores go to the lowest index.
    """

    scores: torch.Tensor | NDArray[np.float32]
    """(K, h, w) float32, finite, higher is better; need not be probabilities."""
    image_size: tuple[int, int]
    """(H, W) of the image in pixels."""
    crop: Crop | None = None
    """The part of the map that shows the image, in cells; None for all of it."""


@runtime_checkable
class Adapter(Protocol):
    """The contract; ``ovrisis-bench check-adapter`` tests it.

    ``predict`` must give each image the same scores in any company and order:
    batches, processes and resumed runs then agree to the bit.
    """

    @classmethod
    def load(cls, options: LoadOptions) -> Self:
        """Build the model and put it on its device.

        Raises:
            CheckpointError: the file is not what the model needs.
            AdapterError: an unknown backbone or setting.
        """
        ...

    def set_vocabulary(self, class_names: Sequence[str]) -> None:
        """Take the class names that all following images are scored against.

        Args:
            class_names: K prompts in label order; index = value in the label map.
        """
        ...

    def predict(self, images: Sequence[NDArray[np.uint8]], *, image_ids: Sequence[str]) -> Sequence[ScoreMap]:
        """Score a batch of images.

        Args:
            images: B arrays (H, W, 3) uint8, RGB, any sizes.
            image_ids: B names, unique in the data set; the seed of any random draw.

        Returns:
            B score maps in the same order, K classes each.
        """
        ...

    def describe(self) -> Mapping[str, str | int | float | bool | None]:
        """Return every resolved setting that can change the scores, for the record."""
        ...


@runtime_checkable
class TruthReader(Protocol):
    """The extra method of floors that declare ``reads_truth``."""

    def see_truth(self, histogram: Sequence[int]) -> None:
        """Take the ground-truth pixels per class (K integers) of the images to come."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterCounts:
    """How many values a network has; tensors that no output depends on may be left out of it."""

    total: int
    trainable: int
    """Values that the official recipe trains; the rest is frozen."""


@runtime_checkable
class ParameterCounter(Protocol):
    """The extra method of adapters that know which of their parameters are trained."""

    def count_parameters(self) -> ParameterCounts:
        """Return the numbers of the loaded network."""
        ...


@runtime_checkable
class CostMapper(Protocol):
    """The extra method of adapters whose network compares places of the image with class names on its way."""

    def cost_maps(self, image: NDArray[np.uint8]) -> Mapping[str, NDArray[np.float32]]:
        """Return what each stage says of every class, to be looked at; no score depends on it.

        Args:
            image: (H, W, 3) uint8, RGB.

        Returns:
            Words for the stage -> (K, h, w) float32 that lies on the whole image, higher where the class is likelier;
            in the order of the computation, the same stages for every image.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointReport:
    """What the key names and shapes of a checkpoint tell."""

    model: str
    """Name of the adapter it belongs to."""
    backbone: str
    vocabulary_size: int | None = None
    """Classes the weights are bound to; None when any vocabulary fits."""
    trained_classes: int | None = None
    """Classes of the training vocabulary; None where the file does not tell."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Switches read from the keys, such as the number of layers."""
    ambiguous: tuple[str, ...] = ()
    """One sentence for each setting that the file cannot tell."""
    missing: tuple[str, ...] = ()
    """Keys the model needs and the file lacks."""
    unused: tuple[str, ...] = ()
    """Keys in the file that nothing reads."""
    misshapen: tuple[str, ...] = ()
    """``key: shape in the file, shape expected`` for each tensor of a wrong shape."""
    outside: tuple[str, ...] = ()
    """One sentence for each file of weights that is needed beside this one."""
    ignored: tuple[str, ...] = ()
    """Keys that are known and rightly not read, with the reason, such as optimiser state."""
