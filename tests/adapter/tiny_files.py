"""Tiny networks as training would leave them, frozen parts equal in all, and their files in the compact form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from ovrisisbench.adapter.compact_files import write_compact
from ovrisisbench.adapter.own_files import WeightsCard
from ovrisisbench.adapters.cat_seg import config as cat_seg
from ovrisisbench.adapters.cat_seg.adapter import CATSegAdapter
from ovrisisbench.adapters.clip.config import TINY_CLIP
from ovrisisbench.adapters.gsnet.adapter import GSNetAdapter
from ovrisisbench.adapters.gsnet.config import BACKBONES as GSNET
from ovrisisbench.adapters.inference.ready import seeded
from ovrisisbench.adapters.official_files.layout import FileLayout
from ovrisisbench.adapters.ovris.adapter import OVRISAdapter
from ovrisisbench.adapters.ovris.config import BACKBONES as OVRIS
from ovrisisbench.adapters.plain_clip.config import PlainCLIPConfig
from ovrisisbench.adapters.plain_clip.official import file_layout as clip_layout
from ovrisisbench.adapters.rskt_seg import config as rskt_seg
from ovrisisbench.adapters.rskt_seg.official import file_layout as rskt_layout
from ovrisisbench.adapters.san.config import TINY as SAN
from ovrisisbench.adapters.san.official import file_layout as san_layout
from ovrisisbench.adapters.scan.config import TINY as SCAN
from ovrisisbench.adapters.scan.official import file_layout as scan_layout
from ovrisisbench.adapters.sed.config import TINY as SED
from ovrisisbench.adapters.sed.official import file_layout as sed_layout
from ovrisisbench.adapters.text.templates import IMAGENET, SCENE, VILD, fill
from ovrisisbench.adapters.text.tokens import tokenise
from ovrisisbench.catalog import load_vocabulary, vocabulary_names
from tests.adapters.official_shapes import official_state

__all__ = ["MODELS", "TOKENS", "layout_of", "trained_state", "used_rows", "write_bases", "write_tiny"]

MODELS = ("rskt-seg", "cat-seg", "gsnet", "ovris", "san", "sed", "scan")
"""The models that can be trained."""

TOKENS = "token_embedding.weight"

_CLIP = "sem_seg_head.predictor.clip_model."
_REMOTE = "sem_seg_head.predictor.clip_model_remote."
_QKV = ("q_proj_weight", "k_proj_weight", "v_proj_weight")


def layout_of(model: str) -> FileLayout:
    """How the tiny network of a model lies in files."""
    return {
        "rskt-seg": lambda: rskt_layout(rskt_seg.TINY),
        "cat-seg": lambda: CATSegAdapter.model.file_layout(cat_seg.TINY),
        "gsnet": lambda: GSNetAdapter.model.file_layout(GSNET["tiny"]),
        "ovris": lambda: OVRISAdapter.model.file_layout(OVRIS["tiny"]),
        "san": lambda: san_layout(SAN),
        "sed": lambda: sed_layout(SED),
        "scan": lambda: scan_layout(SCAN),
    }[model]()


@cache
def _clip() -> Mapping[str, Tensor]:
    """The CLIP of the cost-aggregation family under OpenAI's names, attention in one matrix."""
    layout = clip_layout(PlainCLIPConfig(clip=TINY_CLIP, grid=TINY_CLIP.table))
    return official_state(seeded(layout.build, 11), layout)


@cache
def _frozen(model: str) -> Mapping[str, Tensor]:
    """What training leaves as it was."""
    layout = layout_of(model)
    state = official_state(seeded(layout.build, 12), layout)
    frozen = {key: tensor for key, tensor in state.items() if not re.fullmatch(layout.trained, key)}
    # Position tables start as zeros, but come out of training as anything else does.
    return {key: _drawn_like(tensor) if key.endswith("pos_embed") else tensor for key, tensor in frozen.items()}


def _drawn_like(tensor: Tensor) -> Tensor:
    return torch.randn(tensor.shape, generator=torch.Generator().manual_seed(13))


def trained_state(model: str, seed: int) -> dict[str, Tensor]:
    """The state of a tiny network after training: trained tensors by the seed, all others the same for every seed."""
    layout = layout_of(model)
    state = official_state(seeded(layout.build, seed), layout)
    # RSKT-Seg's RSIB is GSNet's and every member's CLIP is one and the same.
    frozen = {**_frozen(model), **({k: v for k, v in _frozen("rskt-seg").items() if k.startswith("dino_model.")})}
    for key in state:
        if re.fullmatch(layout.trained, key):
            continue
        own = key.removeprefix(_CLIP)
        state[key] = _of_clip(own) if own != key and model not in ("sed", "scan", "san") else frozen[key]
    return state


def _of_clip(name: str) -> Tensor:
    stem, _, leaf = name.rpartition(".")
    return _clip()[f"{stem}.in_proj_weight"].chunk(3)[_QKV.index(leaf)] if leaf in _QKV else _clip()[name]


@cache
def used_rows() -> tuple[int, ...]:
    """The tokens of all class names of all vocabularies, and of every model's prompts."""
    names = [name for key in vocabulary_names() for name in load_vocabulary(key).class_names]
    prompts = [*(fill(SCENE[0], name) for name in names), *(fill(t, names[0]) for t in (*VILD, *IMAGENET))]
    return tuple(sorted(set(tokenise(prompts).flatten().tolist())))


def write_bases(folder: Path, models: tuple[str, ...] = MODELS, **form) -> list[Path]:
    """Write the frozen parts: CLIP, DINO and RemoteCLIP of the family, and a file for each other model."""
    rskt = _frozen("rskt-seg")
    parts: dict[str, Mapping[str, Tensor]] = {
        "clip": _clip(),
        "dino": {key.removeprefix("dino_model."): rskt[key] for key in rskt if key.startswith("dino_model.")},
        "remote-clip": {key.removeprefix(_REMOTE): rskt[key] for key in rskt if key.startswith(_REMOTE)},
    }
    parts |= {model: _frozen(model) for model in models if model in ("san", "sed", "scan")}
    cards = {"clip": "plain-clip"}  # the model that runs on it alone
    return [
        _written(folder / f"{name}-base.safetensors", part, cards.get(name, name), None, **form)
        for name, part in parts.items()
    ]


def write_tiny(folder: Path, model: str, train_set: str, seed: int, bases: list[Path], **form) -> Path:
    """Write the weights of one model after one training."""
    path = folder / f"{model}_tiny_{train_set}.safetensors"
    return _written(path, trained_state(model, seed), model, train_set, bases=bases, seed=seed, **form)


def _written(
    path: Path, state: Mapping[str, Tensor], model: str, train_set: str | None, *, seed: int = 0, **form
) -> Path:
    card = WeightsCard(model=model, backbone="tiny", train_set=train_set, seed=seed)
    tables = [key for key in state if key.endswith(TOKENS)]
    write_compact(path, state, card, rows={key: used_rows() for key in tables}, **form)
    return path
