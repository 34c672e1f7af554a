"""Put trained weights of the mini world into the package: in the compact form, and into the index.

    python -m ovrisisbench.adapters.tiny_weights.pack clip.safetensors dino.safetensors remote_clip.safetensors
    python -m ovrisisbench.adapters.tiny_weights.pack trained/rskt-seg_tiny_mini-dlrsd/model_final.safetensors

Encoders go first: trainings start from the packed ones, and files of trained
models share their tensors with them. A file that was there under the same name
is replaced, and its entry too.
"""

from __future__ import annotations

import argparse
import logging
import shlex
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import yaml

from ovrisisbench.adapter.checkpoints import read_state_dict
from ovrisisbench.adapter.compact_files import write_compact
from ovrisisbench.adapter.own_files import WeightsCard, read_card
from ovrisisbench.adapter.shipped import ShippedIndex, read_index
from ovrisisbench.adapters.tiny_encoders.make_clip import used_tokens
from ovrisisbench.atomic import write_text
from ovrisisbench.errors import CheckpointError
from ovrisisbench.mini import load_captions

__all__ = ["STARTS", "pack"]

STARTS: Final[Mapping[str, Mapping[str, str]]] = {
    "clip": {"rskt-seg": "clip", "cat-seg": "clip", "ovris": "clip", "gsnet": "clip", "plain-clip": "checkpoint"},
    "dino": {"rskt-seg": "dino", "gsnet": "rsib"},
    "remote_clip": {"rskt-seg": "remote_clip"},
}
"""File name of an encoder -> the models that start from it, and its place in them."""

_HEADER: Final = "# The weights that come with the package; docs/weights-files.md says what the fields mean.\n"
_TOKENS: Final = "token_embedding.weight"


def pack(source: Path, folder: Path) -> Path:
    """Write one file of weights in the compact form into a folder, and its entry into the index there.

    Args:
        source: safetensors with a card; an encoder if its name, without the suffix, is in :data:`STARTS`.
        folder: with ``index.yaml`` and the encoders.

    Raises:
        CheckpointError: it has no card, or a trained model shares nothing with the encoders.
        ValueError: all files together would be too large; nothing is changed.
    """
    card = read_card(source)
    if card is None:
        raise CheckpointError(f"{source} has no card; give a file that a script of this package wrote.")
    index = read_index(folder)
    encoder = source.stem in STARTS
    target = folder / (source.name if encoder else f"{card.model}_{card.backbone}_{card.train_set}.safetensors")
    bases = [] if encoder else [folder / entry.file for entry in index.encoders]
    state = read_state_dict(source)
    rows = {key: used_tokens(load_captions()) for key in state if key.endswith(_TOKENS)}
    fresh = folder / f"new-{target.name}"
    try:
        sha256 = write_compact(fresh, state, card, rows=rows, bases=bases)
        written = read_card(fresh)
        if not encoder and not (written and written.shares):
            raise CheckpointError(f"{source} shares no tensor with the encoders in {folder}; train it from them.")
        told = _with_entry(index, _entry(card, source, target.name, sha256, fresh.stat().st_size))
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)
    write_text(folder / "index.yaml", _HEADER + yaml.safe_dump(told, sort_keys=False, width=118))
    return target


def _entry(card: WeightsCard, source: Path, file: str, sha256: str, size: int) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "file": file,
        "sha256": sha256,
        "size": size,
        "command": shlex.join(Path(word).name if "/" in word else word for word in card.command),
        "seed": card.seed or 0,
        "note": card.note or "",
        "backbone": card.backbone,
    }
    if source.stem in STARTS:
        return {**entry, "starts": dict(STARTS[source.stem])}
    return {**entry, "model": card.model, "train_set": card.train_set}


def _with_entry(index: ShippedIndex, entry: dict[str, Any]) -> dict[str, Any]:
    """Return the index with an entry in place of the one of the same file, after checking it."""
    told = index.model_dump(mode="json")
    kind = "encoders" if "starts" in entry else "models"
    kept = [known for known in told[kind] if known["file"] != entry["file"]]
    told[kind] = sorted([*kept, entry], key=lambda known: str(known["file"]))
    return ShippedIndex.model_validate(told).model_dump(mode="json")


def main() -> None:
    """Pack the files that are named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="+", type=Path, metavar="FILE", help="safetensors with a card")
    parser.add_argument(
        "--folder", type=Path, default=Path(str(files("ovrisisbench.adapters.tiny_weights").joinpath("")))
    )
    asked = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    for source in asked.sources:
        target = pack(source, asked.folder)
        logging.info("%s: %d bytes", target, target.stat().st_size)


if __name__ == "__main__":
    main()
