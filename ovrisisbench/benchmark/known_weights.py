"""What a run need not be told: the card of its weights says it, or the weights come with the package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ovrisisbench.adapter.interface import AdapterInfo
from ovrisisbench.adapter.own_files import WeightsCard, read_card
from ovrisisbench.adapter.shared_tensors import partial_tables
from ovrisisbench.adapter.shipped import CHECKPOINT, ShippedFile, find_encoders, find_shipped, shipped_path
from ovrisisbench.benchmark.inputs import Loading, backbone_meant
from ovrisisbench.errors import CheckpointError

__all__ = ["Informed", "informed"]


@dataclass(frozen=True, slots=True)
class Informed:
    """What was asked for, completed."""

    train_set: str | None
    loading: Loading
    notes: tuple[str, ...] = ()
    """One sentence for each thing that was not typed."""


def informed(info: AdapterInfo, train_set: str | None, loading: Loading) -> Informed:
    """Complete what was asked for by the weights' card, and by shipped weights where no others were given.

    Settings of the card are defaults; backbone and training set are facts about
    the weights, which nothing that is typed can change.

    Args:
        info: the model's description.
        train_set: what the weights are said to be trained on; None if nothing was said.
        loading: how the model is to be loaded.

    Raises:
        CheckpointError: the card contradicts what was typed, or it or a shipped file is damaged.
    """
    taken = _with_shipped(info, train_set, loading)
    checkpoint = taken.loading.get("checkpoint")
    # A missing file and --untrained beside --checkpoint are refused where everything else about them is.
    if checkpoint is None or not Path(checkpoint).is_file() or loading.get("untrained", False):
        return taken
    checkpoint = Path(checkpoint)
    card = read_card(checkpoint)
    if card is None:
        return taken
    completed = _with_card(info, checkpoint, card, taken)
    return Informed(completed.train_set, completed.loading, (*completed.notes, *_unlearned(checkpoint, card)))


def _with_shipped(info: AdapterInfo, train_set: str | None, loading: Loading) -> Informed:
    told = Informed(train_set, loading)
    given = loading.get("checkpoint") or loading.get("weights") or loading.get("untrained", False)
    backbone = loading.get("backbone") or backbone_meant(info)
    entry = None if given or backbone is None else _shipped(info, backbone, train_set)
    if entry is None:
        return told
    note = f"the weights come with the package: {entry.file}, seed {entry.seed}, made by '{entry.command}'"
    return Informed(train_set, {**loading, "backbone": backbone, "checkpoint": shipped_path(entry)}, (note,))


def _shipped(info: AdapterInfo, backbone: str, train_set: str | None) -> ShippedFile | None:
    if info.kind != "trained":
        return find_encoders(info.name, backbone).get(CHECKPOINT)
    return find_shipped(info.name, backbone, train_set) if train_set is not None else None


def _with_card(info: AdapterInfo, path: Path, card: WeightsCard, told: Informed) -> Informed:
    loading, train_set = told.loading, told.train_set
    backbone, settings = loading.get("backbone"), loading.get("settings", {})
    # What CLIP was trained on is not what a model without training of its own was trained on.
    trained_on = card.train_set if info.kind == "trained" else None
    for option, given, of_card in (
        ("--model", info.name, card.model),
        ("--backbone", backbone, card.backbone),
        ("--train-set", train_set, trained_on),
    ):
        if given is not None and of_card is not None and given != of_card:
            raise CheckpointError(
                f"{path} says of itself '{of_card}', not '{given}'; say {option} {of_card}, or give another file."
            )
    defaults = {name: value for name, value in _possible(info, card.settings).items() if name not in settings}
    filled = [f"--backbone {card.backbone}"] if backbone is None else []
    filled += [f"--train-set {trained_on}"] if train_set is None and trained_on is not None else []
    filled += [f"--set {name}={value}" for name, value in defaults.items()]
    notes = (*told.notes, f"from the card of {path.name}: {' '.join(filled)}") if filled else told.notes
    completed: Loading = {**loading, "backbone": card.backbone, "settings": {**defaults, **settings}}
    return Informed(train_set or trained_on, completed, notes)


def _possible(info: AdapterInfo, settings: Mapping[str, str]) -> dict[str, str]:
    """Leave out what only describes the network: a card may name more than the model can be told."""
    return {
        name: value
        for name, value in settings.items()
        if name in info.settings and (not info.settings[name].choices or value in info.settings[name].choices)
    }


def _unlearned(path: Path, card: WeightsCard) -> list[str]:
    return [table.sentence for table in partial_tables(path, card)]
