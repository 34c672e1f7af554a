"""Turning a file of weights into our own form, or into the form of official ones; values stay as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ovrisisbench.adapter.checkpoints import Contents, file_digest, read_contents
from ovrisisbench.adapter.doctor import recognise
from ovrisisbench.adapter.interface import CheckpointReport
from ovrisisbench.adapter.own_files import WeightsCard, read_card, standing_alone, write_weights
from ovrisisbench.atomic import atomic_path
from ovrisisbench.catalog import dataset_keys, is_outside, outside_training_sets
from ovrisisbench.catalog.training_sets import OUTSIDE_PREFIX
from ovrisisbench.errors import CheckpointError, did_you_mean

if TYPE_CHECKING:
    import torch

__all__ = ["FORMS", "Conversion", "convert"]

FORMS = {
    ".safetensors": "safetensors, with a card",
    ".pth": "a torch file with the tensors under 'model', as Detectron2 writes it; it has no card",
}
"""Endings of the files that can be written -> what is written."""

_PACKAGES = ("ovrisisbench", "torch", "safetensors")
"""Packages that take part in a conversion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """What was written, and what was not."""

    source: str
    """File name without its folder."""
    target: str
    sha256: str
    """Of the file that was written."""
    model: str
    backbone: str
    train_set: str | None
    """As the card of the new file, or of the old one, says."""
    tensors: int
    parameters: int
    """Values in all tensors together."""
    left_out: tuple[str, ...]
    """Entries of the source that are no weights, such as ``optimizer``."""
    unused: tuple[str, ...]
    """Tensors that the model does not read; they are kept."""
    outside: tuple[str, ...]
    """One sentence for each file of weights that is needed beside the new one, as beside the old one."""
    card: WeightsCard | None
    """What the new file says of itself; None for a torch file."""

    def to_json(self) -> dict[str, Any]:
        """Return plain lists and dictionaries, keys as documented in ``docs/cli.md``."""
        return {**asdict(self), "card": self.card.model_dump(mode="json") if self.card else None}


def convert(
    source: Path | str,
    target: Path | str,
    *,
    train_set: str | None = None,
    model: str | None = None,
    overwrite: bool = False,
    command: Sequence[str] = ("ovrisisbench.convert",),
) -> Conversion:
    """Write the weights of one file as another one.

    Key names, values and dtypes stay as they are, only a compact file of ours is
    written out in full. Tensors are copied one after the other from the mapped
    source, so a file of any size takes little memory.

    Args:
        source: see :func:`ovrisisbench.adapter.checkpoints.read_contents` for the formats.
        target: ``.safetensors`` for our form, ``.pth`` for that of official files.
        train_set: what the weights were trained on, for the card; None if it is not known, or the source has a card.
        model: whose file it is, where several models know it.
        overwrite: replace ``target`` if it is there.
        command: the words that started it, for the card; folders should be cut off.

    Raises:
        CheckpointError: the source cannot be read, no model knows it, several do and none was chosen, or tensors are
            missing or misshapen; the target is there already, the same file, or of an unknown form; or ``train_set``
            is unknown or contradicts the source's card.
        OvrisisBenchError: the disk is full, or the folder cannot be written.
    """
    source, target = Path(source), Path(target)
    _check_target(source, target, train_set, overwrite=overwrite)
    old = read_card(source)
    contents = read_contents(source)
    report = _whole(source, contents, model, old)
    _check_agreement(source, old, report, train_set)
    card = _card(source, old, report, train_set, command)
    if target.suffix == ".safetensors":
        sha256 = write_weights(target, contents.tensors, card)
    else:
        sha256 = _write_torch_file(target, contents.tensors)
    return Conversion(
        source=source.name,
        target=target.name,
        sha256=sha256,
        model=report.model,
        backbone=report.backbone,
        train_set=card.train_set,
        tensors=len(contents.tensors),
        parameters=sum(tensor.numel() for tensor in contents.tensors.values()),
        left_out=contents.left_out,
        unused=report.unused,
        outside=report.outside,
        card=card if target.suffix == ".safetensors" else None,
    )


def _check_target(source: Path, target: Path, train_set: str | None, *, overwrite: bool) -> None:
    if target.suffix not in FORMS:
        raise CheckpointError(f"{target} names no form of weights; give it a name that ends in {' or '.join(FORMS)}.")
    if target.exists() and source.exists() and target.samefile(source):
        raise CheckpointError(f"{target} is the file that is to be converted; give the new one another name.")
    if target.exists() and not overwrite:
        raise CheckpointError(f"{target} is there already; say --overwrite to replace it, or give another name.")
    if train_set is None:
        return
    if target.suffix != ".safetensors":
        raise CheckpointError(f"{target} has no card that could say --train-set {train_set}; leave it out.")
    known = [*dataset_keys(), *outside_training_sets()]
    if train_set not in known and not is_outside(train_set):
        raise CheckpointError(
            f"'{train_set}' is not a training set; known are {', '.join(known)}; for anything else say "
            f"{OUTSIDE_PREFIX}NAME.{did_you_mean(train_set, known)}"
        )


def _whole(source: Path, contents: Contents, model: str | None, old: WeightsCard | None) -> CheckpointReport:
    """Return what the one model that knows the file says of it."""
    known, _ = recognise({key: tuple(tensor.shape) for key, tensor in contents.tensors.items()})
    if model is None and old is not None and old.model in [report.model for report in known]:
        model = old.model
    reports = [report for report in known if model in (None, report.model)]
    names = " and ".join(report.model for report in known)
    look = f"look at it with 'ovrisis-bench checkpoint {source}'"
    if not known:
        raise CheckpointError(f"No installed model knows the weights in {source}, so they are not converted; {look}.")
    if not reports:
        raise CheckpointError(f"{source} is not known to {model}, only to {names}; say --model {known[0].model}.")
    if len(reports) > 1:
        raise CheckpointError(f"The weights in {source} may belong to {names}; say --model with one of them.")
    (report,) = reports
    faults = len(report.missing) + len(report.misshapen)
    if faults:
        raise CheckpointError(
            f"{source} is no whole file of {report.model} ({report.backbone}): {len(report.missing)} tensors are "
            f"missing and {len(report.misshapen)} of a wrong shape, first "
            f"{[*report.missing, *report.misshapen][0]}; {look}."
        )
    return report


def _check_agreement(source: Path, old: WeightsCard | None, report: CheckpointReport, train_set: str | None) -> None:
    if old is None:
        return
    for what, of_card, found in (
        ("model", old.model, report.model),
        ("backbone", old.backbone, report.backbone),
        ("training set", old.train_set, train_set),
    ):
        if of_card is not None and found is not None and of_card != found:
            where = "--train-set" if what == "training set" else "its tensors"
            raise CheckpointError(
                f"The card of {source} says {what} {of_card}, but {where} says {found}; correct what is wrong first."
            )


def _card(
    source: Path, old: WeightsCard | None, report: CheckpointReport, train_set: str | None, command: Sequence[str]
) -> WeightsCard:
    if old is not None:
        changes: dict[str, Any] = {"train_set": old.train_set or train_set}
        if old.is_compact:
            written_out = f"written out in full from {source.name}, which stores it as {old.stored_as}"
            changes |= {"stored_as": None, "tables": {}, "shares": []}
            changes["note"] = f"{old.note}; {written_out}" if old.note else written_out
        return old.model_copy(update=changes)
    return WeightsCard(
        model=report.model,
        backbone=report.backbone,
        settings=dict(report.settings),
        train_set=train_set,
        versions={package: version(package) for package in _PACKAGES},
        command=list(command),
        note=f"converted from {source.name}, sha256 {file_digest(source)}",
    )


def _write_torch_file(path: Path, tensors: dict[str, torch.Tensor]) -> str:
    import torch

    with atomic_path(path) as temporary:
        # Through an open file: given a name, torch writes it into the archive, and the temporary one holds a number.
        with temporary.open("wb") as file:
            torch.save({"model": standing_alone(tensors)}, file)
        return file_digest(temporary)
