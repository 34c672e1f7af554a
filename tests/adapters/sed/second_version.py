"""SED written out plainly, on a state dict with official names, in float64, one class and one head after the other."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["CLIP", "DECODER", "SecondVersion", "plain_class_attention", "plain_surviving"]

CLIP = "sem_seg_head.predictor.clip_model."
DECODER = "sem_seg_head.predictor.transformer."

State = dict[str, Tensor]


class SecondVersion:
    """The image tower, the cost volume and the decoder of one state dict.

    Args:
        state: an official checkpoint.
        pooling: POOLING_SIZES.
        topk: TEST.TOPK; None for no early rejection.
    """

    def __init__(self, state: State, *, pooling: int = 1, topk: int | None = None) -> None:
        self.state = {key: value.double() for key, value in state.items()}
        self.pooling, self.topk = pooling, topk
        self.alive: list[list[int]] = []

    def logits(self, image: Tensor, text: Tensor, *, side: int) -> Tensor:
        """Logits (K, side / 4, side / 4) of one normalised image (3, H, W); rejected classes are -inf."""
        image = F.interpolate(image[None].double(), size=(side, side), mode="bilinear", align_corners=False)
        maps = self.encoder(image)
        return self.decoder(self.cost(self.dense(maps[-1]), text.double()), maps)

    def encoder(self, x: Tensor) -> list[Tensor]:
        """res2 to res5 of (1, 3, H, W)."""
        trunk = f"{CLIP}visual.trunk."
        x = F.conv2d(x, self.state[f"{trunk}stem.0.weight"], self.state[f"{trunk}stem.0.bias"], stride=4)
        x = self._norm_channels(x, f"{trunk}stem.1.")
        maps = []
        for stage in range(4):
            prefix = f"{trunk}stages.{stage}."
            if stage:
                x = self._norm_channels(x, f"{prefix}downsample.0.")
                x = F.conv2d(
                    x, self.state[f"{prefix}downsample.1.weight"], self.state[f"{prefix}downsample.1.bias"], stride=2
                )
            block = 0
            while f"{prefix}blocks.{block}.gamma" in self.state:
                x = self._block(x, f"{prefix}blocks.{block}.", "conv_dw", "mlp.fc1", "mlp.fc2")
                block += 1
            maps.append(x)
        return maps

    def dense(self, last: Tensor) -> Tensor:
        """(1, D, h, w): CLIP's head at every position."""
        head = f"{CLIP}visual."
        out = []
        for position in last[0].flatten(1).T:
            y = F.layer_norm(
                position,
                position.shape,
                self.state[f"{head}trunk.head.norm.weight"],
                self.state[f"{head}trunk.head.norm.bias"],
                1e-6,
            )
            if f"{head}head.proj.weight" in self.state:
                y = self.state[f"{head}head.proj.weight"] @ y
            else:
                y = F.gelu(self.state[f"{head}head.mlp.fc1.weight"] @ y + self.state[f"{head}head.mlp.fc1.bias"])
                y = self.state[f"{head}head.mlp.fc2.weight"] @ y
            out.append(y)
        return torch.stack(out, dim=1).unflatten(1, last.shape[2:])[None]

    @staticmethod
    def cost(dense: Tensor, text: Tensor) -> Tensor:
        """(K, T, h, w) cosines."""
        features, words = dense[0] / dense[0].norm(dim=0), text / text.norm(dim=-1, keepdim=True)
        return torch.einsum("dhw,ktd->kthw", features, words)

    def decoder(self, cost: Tensor, maps: list[Tensor]) -> Tensor:
        """Logits (K, 8 h, 8 w)."""
        classes = len(cost)
        self.alive = []
        mask = torch.ones(classes, dtype=torch.bool)
        of_cost = []
        for index in range(3):
            name = f"{DECODER}decoder_corr_guidance_projection.{index}.0."
            source = of_cost[-1] if of_cost else cost
            of_cost.append(
                F.conv_transpose2d(source, self.state[f"{name}weight"], self.state[f"{name}bias"], stride=2).relu()
            )
        x = self._conv(cost, "conv1", padding=3)
        for index in range(3):
            if self.topk is not None:
                kept = plain_surviving(self.head(index, x), self.topk)
                inner = mask.clone()
                inner[mask] = kept
                mask, x = inner, x[kept]
            self.alive.append(mask.nonzero()[:, 0].tolist())
            image = self._conv(maps[2 - index], f"decoder_guidance_projection.{index}.0", padding=1).relu()
            x = self.stage(index + 1, x, image, of_cost[index][mask])
        logits = torch.full((classes, *x.shape[2:]), -math.inf, dtype=torch.float64)
        logits[mask] = self._conv(x, "head", padding=1)[:, 0]
        return logits

    def head(self, index: int, x: Tensor) -> Tensor:
        """The auxiliary logits (K, h, w) before a stage."""
        return self._conv(x, f"head{index}", padding=1)[:, 0]

    def stage(self, number: int, x: Tensor, image: Tensor, cost: Tensor) -> Tensor:
        name = f"decoder{number}"
        x = self._block(x, f"{DECODER}{name}.cnext.", "dwconv", "pwconv1", "pwconv2")
        x = plain_class_attention(
            {
                key.removeprefix(f"{DECODER}{name}.attention."): value
                for key, value in self.state.items()
                if key.startswith(f"{DECODER}{name}.attention.")
            },
            x,
            pooling=self.pooling,
        )
        up = f"{DECODER}{name}.up."
        x = F.conv_transpose2d(x, self.state[f"{up}weight"], self.state[f"{up}bias"], stride=2)
        x = torch.cat([x, image.repeat(len(x), 1, 1, 1), cost], dim=1)
        for convolution, norm in ((0, 1), (3, 4)):
            double = f"{DECODER}{name}.conv.double_conv."
            x = F.conv2d(x, self.state[f"{double}{convolution}.weight"], padding=1)
            weight, bias = self.state[f"{double}{norm}.weight"], self.state[f"{double}{norm}.bias"]
            x = F.group_norm(x, len(weight) // 16, weight, bias, 1e-5).relu()
        return x

    def _block(self, x: Tensor, prefix: str, depthwise: str, first: str, second: str) -> Tensor:
        kernel = self.state[f"{prefix}{depthwise}.weight"]
        y = F.conv2d(
            x, kernel, self.state[f"{prefix}{depthwise}.bias"], padding=kernel.shape[-1] // 2, groups=x.shape[1]
        )
        y = self._norm_channels(y, f"{prefix}norm.").permute(0, 2, 3, 1)
        y = y @ self.state[f"{prefix}{first}.weight"].T + self.state[f"{prefix}{first}.bias"]
        y = y * 0.5 * (1 + torch.erf(y / math.sqrt(2)))
        y = y @ self.state[f"{prefix}{second}.weight"].T + self.state[f"{prefix}{second}.bias"]
        return (self.state[f"{prefix}gamma"] * y).permute(0, 3, 1, 2) + x

    def _norm_channels(self, x: Tensor, prefix: str) -> Tensor:
        mean = x.mean(dim=1, keepdim=True)
        spread = ((x - mean) ** 2).mean(dim=1, keepdim=True)
        weight, bias = (self.state[f"{prefix}{name}"][:, None, None] for name in ("weight", "bias"))
        return (x - mean) / (spread + 1e-6).sqrt() * weight + bias

    def _conv(self, x: Tensor, name: str, *, padding: int) -> Tensor:
        return F.conv2d(x, self.state[f"{DECODER}{name}.weight"], self.state[f"{DECODER}{name}.bias"], padding=padding)


def plain_class_attention(state: State, x: Tensor, *, pooling: int, heads: int = 4) -> Tensor:
    """Attention over the classes of (K, C, h, w), head by head; ``state`` has official names behind ``attention.``."""
    channels = x.shape[1]
    pooled = F.avg_pool2d(x, pooling)
    p = pooled.permute(2, 3, 0, 1)  # (h, w, K, C)
    y = F.layer_norm(p, (channels,), state["norm1.weight"], state["norm1.bias"], 1e-5)
    q, k, v = (y @ state[f"attention.{part}.weight"].T + state[f"attention.{part}.bias"] for part in "qkv")
    q, k = F.elu(q) + 1, F.elu(k) + 1
    out = torch.zeros_like(p)
    width = channels // heads
    for head in range(heads):
        own = slice(head * width, (head + 1) * width)
        weights = q[..., own] @ k[..., own].transpose(-1, -2)  # (h, w, K, K): the classes that each class looks at
        out[..., own] = weights @ v[..., own] / (weights.sum(-1, keepdim=True) + 1e-6)
    p = p + out
    y = F.layer_norm(p, (channels,), state["norm2.weight"], state["norm2.bias"], 1e-5)
    y = (y @ state["MLP.0.weight"].T + state["MLP.0.bias"]).relu()
    p = p + y @ state["MLP.2.weight"].T + state["MLP.2.bias"]
    return x + F.interpolate(p.permute(2, 3, 0, 1), size=x.shape[2:], mode="bilinear", align_corners=True)


def plain_surviving(logits: Tensor, topk: int) -> Tensor:
    """Go through the positions of (K, h, w) one by one."""
    kept = torch.zeros(len(logits), dtype=torch.bool)
    for position in logits.flatten(1).T:
        order = sorted(range(len(logits)), key=lambda index: -float(position[index]))
        kept[order[:topk]] = True
    return kept
