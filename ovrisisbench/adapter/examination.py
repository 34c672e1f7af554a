"""Everything the checkpoint doctor says of one file: what its tensors tell, its card, and whether they agree."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ovrisisbench.adapter.doctor import Diagnosis, diagnose
from ovrisisbench.adapter.own_files import WeightsCard, read_card
from ovrisisbench.adapter.registry import list_adapters
from ovrisisbench.adapter.shared_tensors import partial_tables

__all__ = ["Examination", "examine_checkpoint"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What was found in one file of weights."""

    diagnosis: Diagnosis
    """What names and shapes of the tensors tell."""
    card: WeightsCard | None
    """What the file says of itself; None for a file without a card."""
    unlearned: tuple[str, ...]
    """One sentence for each table of which only a part was learned."""
    disagreements: tuple[str, ...]
    """One sentence for each contradiction of card and tensors."""

    @property
    def is_right(self) -> bool:
        """True if a model knows the file, nothing is missing in it, and card and tensors agree."""
        reports = self.diagnosis.reports
        whole = not any(report.missing or report.misshapen for report in reports)
        return bool(reports) and whole and not self.disagreements

    def to_json(self) -> dict[str, Any]:
        """Return plain lists and dictionaries, keys as documented in ``docs/cli.md``."""
        return {
            **self.diagnosis.to_json(),
            "card": None if self.card is None else self.card.model_dump(mode="json"),
            "unlearned": list(self.unlearned),
            "disagreements": list(self.disagreements),
        }


def examine_checkpoint(file: Path | str) -> Examination:
    """Tell which model, backbone and vocabulary the weights in a file are for; nothing in it is executed.

    Args:
        file: weights in any form that can be read.

    Raises:
        CheckpointError: the file cannot be read safely, or its card is damaged.
    """
    path = Path(file)
    diagnosis, card = diagnose(path), read_card(path)
    return Examination(
        diagnosis=diagnosis,
        card=card,
        unlearned=() if card is None else tuple(table.sentence for table in partial_tables(path, card)),
        disagreements=() if card is None else tuple(_disagreements(card, diagnosis)),
    )


def _disagreements(card: WeightsCard, diagnosis: Diagnosis) -> list[str]:
    """Say where the card and the tensors contradict each other; a card of no installed model is believed."""
    known = {report.model: report for report in diagnosis.reports}
    if card.model not in known:
        installed = {found.info.name for found in list_adapters()[0]}
        wrong = bool(known) and card.model in installed
        return [f"the card says model {card.model}, the tensors say {' or '.join(known)}"] if wrong else []
    report = known[card.model]
    told = {"backbone": (card.backbone, report.backbone)}
    told |= {name: (card.settings.get(name, value), value) for name, value in report.settings.items()}
    return [
        f"the card says {name} {of_card}, the tensors say {of_tensors}"
        for name, (of_card, of_tensors) in told.items()
        if of_card not in (of_tensors, "auto")
    ]
