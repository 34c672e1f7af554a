"""What every form of an ablation table says around its figures."""

from __future__ import annotations

from ovrisisbench.catalog import load_card
from ovrisisbench.leaderboard.ablation_table import AblationBlock, AblationTable

__all__ = ["caption", "heading", "notes"]


def heading(table: AblationTable) -> str:
    """Return what the table is about."""
    return f"{table.title} ({table.model} {table.backbone}, after {table.published.source.title})"


def caption(table: AblationTable) -> str:
    """Return whose figures these are, under which rules and over how many seeds: ours first, then the paper's."""
    seeds = {line.seeds for block in table.blocks for line in block.lines if line.seeds}
    counts = sorted({len(found) for found in seeds})
    spread = "mean" if counts == [1] else "mean ± standard deviation"
    drawn = any(block.is_drawn for block in table.blocks)
    world = "of the mini world, not the paper's" if drawn else "as prepared for the protocol"
    return (
        f"Ours: percent, {spread} over {_listed([str(count) for count in counts])} seed(s) of the mean over the test "
        f"sets; data {world}; {'; '.join(_measured(block) for block in table.blocks)}; {table.training}. Paper: as "
        f"printed in {table.published.source.title}, measured by its authors with their weights; "
        "the two do not compete. Δ: ours against the reference row of the same seed."
    )


def notes(table: AblationTable) -> tuple[str, ...]:
    """Return one sentence for everything else a reader must know."""
    found = list(table.notes)
    for block in table.blocks:
        printed, family = block.printed_train_set, load_card(block.train_set).family
        if printed != family and any(line.printed for line in block.lines):
            said = load_card(printed).title if printed else "a training set that it does not name"
            found.append(f"Beside {block.title} stand the paper's figures of {said}; it has no others.")
        if block.limited:
            found.append(f"{block.title}: only a part of the images was measured (--limit).")
        if block.partial:
            found.append(f"{block.title}: prepared data lack files that their cards expect.")
        reasons: dict[str, list[str]] = {}
        for position, line in enumerate(block.lines, start=1):
            if line.missing:
                reasons.setdefault(line.missing, []).append(str(position))
        for reason, rows in reasons.items():
            found.append(f"{block.title}: row(s) {_listed(rows)} not run: {reason}.")
    return tuple(found)


def _measured(block: AblationBlock) -> str:
    return (
        f"trained on {block.title}, tested on {_listed(list(block.test_sets))}, protocol {block.protocol} "
        f"(id {block.protocol_id}), convention {block.convention}"
    )


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
