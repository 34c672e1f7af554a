"""Train a small CLIP on the mini world: both towers from nothing, on pictures and captions.

    python -m ovrisisbench.adapters.tiny_encoders.make_clip clip --to clip.safetensors
    python -m ovrisisbench.adapters.tiny_encoders.make_clip remote-clip --to remote_clip.safetensors

Every caption is compared with every picture of a batch, as CLIP does, with
SigLIP's loss (Zhai et al., ICCV 2023): since everything is drawn, it is known
which captions are true of which pictures, and a caption of another picture
that is true by chance counts as true. What is hardly visible counts neither way.

The same is asked of the patches, read densely as the segmentation models read
them: a caption of one thing is compared with the patches that are nearest to
it (as in PACL, Mukhoti et al., CVPR 2023). A tower as small as this one would
otherwise tell what is in a picture, but not where. No label map is used.
"""

from __future__ import annotations

import argparse
import logging
import math
import sys
import time
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ovrisisbench.adapter.compact_files import write_compact
from ovrisisbench.adapter.own_files import WeightsCard
from ovrisisbench.adapters.clip.blocks import DenseBlock
from ovrisisbench.adapters.clip.config import TINY_CLIP, TINY_REMOTE_CLIP, CLIPConfig
from ovrisisbench.adapters.clip.image_tower import CLIPImageTower
from ovrisisbench.adapters.clip.openai_file import name_in_file
from ovrisisbench.adapters.clip.text_tower import CLIPTextTower
from ovrisisbench.adapters.images.pixels import normalised
from ovrisisbench.adapters.official_files.layout import FileLayout
from ovrisisbench.adapters.official_files.renaming import Source
from ovrisisbench.adapters.text.templates import IMAGENET, SCENE, VILD
from ovrisisbench.adapters.text.tokens import tokenise
from ovrisisbench.adapters.tiny_encoders.pictures import Pictures, draw_pictures
from ovrisisbench.mini import Captions, load_captions

__all__ = ["SmallCLIP", "sigmoid_loss", "train"]

_LOG = logging.getLogger(__name__)
TOWERS: Final = {"clip": TINY_CLIP, "remote-clip": TINY_REMOTE_CLIP}
_VISIBLE: Final = 0.01
"""Share of the pixels from which a thing can be seen by everybody."""


_NEARNESS: Final = 10.0
"""Factor of the cosines of the patches in the weights with which they speak for a picture."""


class Towers(nn.Module):
    """The two towers that the adapters run, under the names that readers of CLIP's files give them."""

    def __init__(self, config: CLIPConfig) -> None:
        super().__init__()
        self.clip = CLIPImageTower(config)
        self.text = CLIPTextTower(config.text)


class Logits(NamedTuple):
    """How well C captions fit B pictures."""

    whole: Tensor
    """(B, C), by the class token, as in CLIP."""
    patches: Tensor
    """(B, C), by the dense features of the patches that are nearest to each caption."""


class SmallCLIP(nn.Module):
    """Two towers, CLIP's temperature, and a bias as in SigLIP; temperature and bias of the patches are their own."""

    def __init__(self, config: CLIPConfig) -> None:
        super().__init__()
        self.config = config
        self.towers = Towers(config)
        self.logit_scale = nn.Parameter(torch.tensor(math.log(10.0)))
        self.logit_bias = nn.Parameter(torch.tensor(-5.0))
        self.patch_scale = nn.Parameter(torch.tensor(math.log(10.0)))
        self.patch_bias = nn.Parameter(torch.tensor(-5.0))
        self.dense_block = DenseBlock(self.towers.clip.blocks[-1])

    def forward(self, images: Tensor, tokens: Tensor) -> Logits:
        """Compare normalised images (B, 3, H, W) with token ids (C, 77)."""
        clip = self.towers.clip
        x = clip.tokens(images)
        for block in clip.blocks[:-1]:
            x = block(x)
        said = F.normalize(self.towers.text(tokens), dim=-1)
        whole = F.normalize(clip.projected(clip.blocks[-1](x)[:, 0]), dim=-1) @ said.T
        patches = F.normalize(clip.projected(self.dense_block(x)[:, 1:]), dim=-1) @ said.T
        nearest = ((_NEARNESS * patches).softmax(dim=1) * patches).sum(dim=1)
        return Logits(
            whole * self.logit_scale.exp() + self.logit_bias, nearest * self.patch_scale.exp() + self.patch_bias
        )

    def official_state(self) -> dict[str, Tensor]:
        """Return the towers and the temperature under OpenAI's names."""
        layout = FileLayout(build=partial(Towers, self.config), names=lambda key: (Source(name_in_file(key)),))
        return {**layout.official_state(self.towers), "logit_scale": self.logit_scale.detach()}


def sigmoid_loss(logits: Tensor, visible: Tensor) -> Tensor:
    """Binary cross-entropy of (B, C) logits; true and false captions weigh the same in all.

    Args:
        logits: of B pictures with C captions.
        visible: (B, C) share of the pixels of what is least visible of the things that a caption names.
    """
    true, false = visible >= _VISIBLE, visible <= 0
    loss = F.binary_cross_entropy_with_logits(logits, true.float(), reduction="none")
    return sum(loss[which].mean() for which in (true, false) if which.any())


def train(tower: str, *, pictures: int, iterations: int, batch: int, seed: int) -> SmallCLIP:
    """Train on drawn pictures.

    Args:
        tower: ``clip`` or ``remote-clip``.
        pictures: how many are drawn.
        iterations: steps of AdamW, half-cosine from 1e-3 after a short warm-up.
        batch: pictures and captions a step.
        seed: of pictures, captions and first values.
    """
    config = TOWERS[tower]
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    model, captions = SmallCLIP(config), load_captions()
    start = time.monotonic()
    drawn = draw_pictures(pictures, side=config.table * config.patch, seed=seed)
    visible = captions.visible(drawn.shares)
    _LOG.info("%d pictures drawn in %.0f s", pictures, time.monotonic() - start)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.98), weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda i: min(1.0, (i + 1) / 50) * (1 + math.cos(math.pi * i / iterations)) / 2
    )
    mean = 0.0
    for iteration in range(iterations):
        rows = rng.choice(pictures, batch, replace=False)
        texts, said = captions.draw(batch, rng)
        shares = _least_visible(visible[rows], said)
        logits = model(_images(drawn, rows, rng), tokenise(texts))
        shares, alone = torch.from_numpy(shares), torch.from_numpy(said.sum(axis=1) == 1)
        # Two things need not be in one patch.
        loss = sigmoid_loss(logits.whole, shares) + sigmoid_loss(logits.patches[:, alone], shares[:, alone])
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        mean = loss.item() if iteration == 0 else 0.95 * mean + 0.05 * loss.item()
        if (iteration + 1) % 50 == 0:
            _LOG.info("%5d of %d  loss %.4f  %.0f s", iteration + 1, iterations, mean, time.monotonic() - start)
    return model.eval()


def _least_visible(visible: np.ndarray, said: np.ndarray) -> np.ndarray:
    """Return the least share of the words of each caption, (B, C), from (B, W) shares and (C, W) words."""
    return np.where(said[None], visible[:, None], np.inf).min(axis=2).astype(np.float32)


def _images(drawn: Pictures, rows: np.ndarray, rng: np.random.Generator) -> Tensor:
    """Pictures as CLIP takes them, of varied brightness, contrast and colour."""
    x = torch.from_numpy(drawn.pixels[rows]).permute(0, 3, 1, 2).float()
    gain = torch.from_numpy(rng.uniform(0.8, 1.25, (len(rows), 3, 1, 1)).astype(np.float32))
    shift = torch.from_numpy(rng.uniform(-16, 16, (len(rows), 1, 1, 1)).astype(np.float32))
    return normalised((x * gain + shift).clamp(0, 255))


def used_tokens(captions: Captions) -> list[int]:
    """Return the token ids that captions and the prompts of the adapters hold; of others nothing is learned."""
    prompts = [*captions.words, *captions.sentences, *captions.pairs, *IMAGENET, *SCENE, *VILD]
    return sorted(set(tokenise([prompt.replace("{}", " ") for prompt in prompts]).flatten().tolist()))


def main() -> None:
    """Train and write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tower", choices=sorted(TOWERS))
    parser.add_argument("--to", type=Path, required=True, help="file to write, .safetensors")
    parser.add_argument("--pictures", type=int, default=8_000, help="that are drawn")
    parser.add_argument("--iterations", type=int, default=1_200)
    parser.add_argument("--batch", type=int, default=64, help="pictures and captions a step")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    model = train(asked.tower, pictures=asked.pictures, iterations=asked.iterations, batch=asked.batch, seed=asked.seed)
    card = WeightsCard(
        model="plain-clip",
        backbone="tiny",
        iterations=asked.iterations,
        seed=asked.seed,
        recipe={"pictures": asked.pictures, "batch": asked.batch},
        versions={"torch": torch.__version__},
        command=["python", "-m", "ovrisisbench.adapters.tiny_encoders.make_clip", *sys.argv[1:]],
        note="Trained on captioned crops of the mini world.",
    )
    write_compact(asked.to, model.official_state(), card, rows={"token_embedding.weight": used_tokens(load_captions())})


if __name__ == "__main__":
    main()
