"""SegEarth-OV written a second time, plainly and in float64, on the parameters of our network."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from ovrisisbench.adapters.segearth_ov.config import SegEarthOVConfig

__all__ = ["Plain", "label_map_of_probabilities", "plain_doubling", "sampled"]

MEAN = np.array([122.771, 116.746, 104.094])
STD = np.array([68.501, 66.632, 70.323])


class Plain:
    """The model, for one image at a time."""

    def __init__(self, network: nn.Module, config: SegEarthOVConfig) -> None:
        self.config = config
        self.state = {key: tensor.double() for key, tensor in network.state_dict().items()}

    def cosines(self, small: NDArray[np.uint8], text: Tensor) -> Tensor:
        """(N, h, w) of an image that has its size already."""
        config = self.config
        height, width = small.shape[:2]
        total, count = torch.zeros(len(text), height, width).double(), torch.zeros(height, width).double()
        pixels = torch.from_numpy((small - MEAN) / STD).permute(2, 0, 1)
        for row in range(max(height - config.window + config.stride - 1, 0) // config.stride + 1):
            for column in range(max(width - config.window + config.stride - 1, 0) // config.stride + 1):
                bottom = min(row * config.stride + config.window, height)
                right = min(column * config.stride + config.window, width)
                top, left = max(bottom - config.window, 0), max(right - config.window, 0)
                total[:, top:bottom, left:right] += self.window(pixels[:, top:bottom, left:right], text)
                count[top:bottom, left:right] += 1
        return total / count

    def window(self, pixels: Tensor, text: Tensor) -> Tensor:
        _, height, width = pixels.shape
        patch = self.config.clip.patch
        full = [math.ceil(side / patch) * patch for side in (height, width)]
        above, before = (full[0] - height) // 2, (full[1] - width) // 2
        canvas = torch.zeros(3, *full).double()
        canvas[:, above : above + height, before : before + width] = pixels
        tokens = self.tokens(canvas)
        features = tokens[1:].T.reshape(-1, full[0] // patch, full[1] // patch)
        for _ in range(4):
            features = plain_doubling(self.part("upsampler.up."), features, canvas)
        weight, bias = (
            self.state["upsampler.fixup_proj.1.weight"][:, :, 0, 0],
            self.state["upsampler.fixup_proj.1.bias"],
        )
        features = features + 0.1 * (torch.einsum("oc,chw->ohw", weight, features) + bias[:, None, None])
        features = features / features.norm(dim=0)
        cls = tokens[0] / tokens[0].norm()
        logits = torch.einsum("nc,chw->nhw", text.double(), features) - 0.3 * (text.double() @ cls)[:, None, None]
        return logits[:, above : above + height, before : before + width]

    def part(self, prefix: str) -> dict[str, Tensor]:
        return {key.removeprefix(prefix): value for key, value in self.state.items() if key.startswith(prefix)}

    def tokens(self, canvas: Tensor) -> Tensor:
        """(1 + h * w, C) in the joint space, the class token first."""
        tower, clip = self.part("clip."), self.config.clip
        patches = F.conv2d(canvas[None], tower["conv1.weight"], stride=clip.patch)[0]
        _, rows, columns = patches.shape
        table = tower["positional_embedding"]
        cells = table[1:].T.reshape(-1, clip.table, clip.table)
        if rows * columns != clip.table**2:
            cells = sampled(cells, rows, (rows + 0.1) / clip.table)
            cells = sampled(cells.transpose(1, 2), columns, (columns + 0.1) / clip.table).transpose(1, 2)
        x = torch.cat([(tower["class_embedding"] + table[0])[:, None], (patches + cells).flatten(1)], dim=1).T
        x = _norm(x, tower, "ln_pre")
        for block in range(clip.blocks - 1):
            x = self.ordinary_block(x, block)
        x = self.last_block(x)
        return _norm(x, tower, "ln_post") @ tower["proj"]

    def ordinary_block(self, x: Tensor, block: int) -> Tensor:
        part = self.part(f"clip.transformer.resblocks.{block}.")
        q, k, v = self.heads(_norm(x, part, "ln_1"), part)
        y = torch.cat(
            [torch.softmax(a @ b.T / len(a[0]) ** 0.5, dim=1) @ c for a, b, c in zip(q, k, v, strict=True)], 1
        )
        x = x + F.linear(y, part["attn.out_proj.weight"], part["attn.out_proj.bias"])
        y = F.linear(_norm(x, part, "ln_2"), part["mlp.c_fc.weight"], part["mlp.c_fc.bias"])
        y = y * torch.sigmoid(1.702 * y)
        return x + F.linear(y, part["mlp.c_proj.weight"], part["mlp.c_proj.bias"])

    def last_block(self, x: Tensor) -> Tensor:
        part = self.part(f"clip.transformer.resblocks.{self.config.clip.blocks - 1}.")
        outputs = []
        for q, k, v in zip(*self.heads(_norm(x, part, "ln_1"), part), strict=True):
            scale = q.shape[1] ** -0.5
            weights = sum(torch.softmax(scale * one @ one.T, dim=1) for one in (q, k, v))
            outputs.append(weights @ v)
        return F.linear(torch.cat(outputs, dim=1), part["attn.out_proj.weight"], part["attn.out_proj.bias"])

    def heads(self, y: Tensor, part: dict[str, Tensor]) -> list[tuple[Tensor, ...]]:
        together = F.linear(y, part["attn.qkv.weight"], part["attn.qkv.bias"])
        return [each.chunk(self.config.clip.heads, dim=1) for each in together.chunk(3, dim=1)]


def _norm(x: Tensor, part: dict[str, Tensor], name: str) -> Tensor:
    centred = x - x.mean(-1, keepdim=True)
    scaled = centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt()
    return scaled * part[f"{name}.weight"] + part[f"{name}.bias"]


def sampled(maps: Tensor, length: int, scale: float) -> Tensor:
    """Resize (C, rows, columns) along its rows by a cubic with a = -0.75, the border cell repeated."""
    a, old = -0.75, maps.shape[1]
    out = torch.zeros(maps.shape[0], length, maps.shape[2]).double()
    for row in range(length):
        place = (row + 0.5) / scale - 0.5
        for cell in range(math.floor(place) - 1, math.floor(place) + 3):
            t = abs(place - cell)
            weight = (a + 2) * t**3 - (a + 3) * t**2 + 1 if t <= 1 else a * t**3 - 5 * a * t**2 + 8 * a * t - 4 * a
            out[:, row] += weight * maps[:, min(max(cell, 0), old - 1)]
    return out


def plain_doubling(up: dict[str, Tensor], features: Tensor, canvas: Tensor, radius: int = 5) -> Tensor:
    """Double (C, h, w) under the guidance of (3, H, W), pixel by pixel and tap by tap; (C, 2h, 2w)."""
    _, rows, columns = features.shape
    rows, columns, taps = 2 * rows, 2 * columns, 2 * radius + 1
    guidance = canvas.reshape(3, rows, canvas.shape[1] // rows, columns, canvas.shape[2] // columns).mean((2, 4))
    keys = _two_layers(up, "range_proj", guidance)
    large = sampled(features, rows, 2.0)
    large = sampled(large.transpose(1, 2), columns, 2.0).transpose(1, 2)
    keys_around, large_around = (_reflected(maps, radius) for maps in (keys, large))
    temperature = float(up["range_temp"].exp().clamp(1e-4, 1e4))
    line = torch.linspace(-1, 1, taps).double()
    spatial = torch.exp(-(line[:, None].square() + line.square()) / (2 * up["sigma_spatial"].square())).flatten()
    kernels = torch.zeros(taps**2, rows, columns).double()
    for y in range(rows):
        for x in range(columns):
            near = keys_around[:, y : y + taps, x : x + taps].flatten(1)
            kernel = torch.softmax(temperature * (keys[:, y, x] @ near), dim=0) * spatial
            kernels[:, y, x] = kernel / max(float(kernel.sum()), 1e-7)
    kernels = kernels + 0.1 * _two_layers(up, "fixup_proj", torch.cat([kernels, guidance]))
    out = torch.zeros_like(large)
    for i in range(taps):
        for j in range(taps):
            out += kernels[i * taps + j] * large_around[:, i : i + rows, j : j + columns]
    return out


def _reflected(maps: Tensor, radius: int) -> Tensor:
    return torch.from_numpy(np.pad(maps.numpy(), ((0, 0), (radius, radius), (radius, radius)), mode="reflect"))


def _two_layers(part: dict[str, Tensor], name: str, maps: Tensor) -> Tensor:
    for layer in (0, 3):
        weight, bias = part[f"{name}.{layer}.weight"][:, :, 0, 0], part[f"{name}.{layer}.bias"]
        maps = torch.einsum("oc,chw->ohw", weight, maps) + bias[:, None, None]
        if layer == 0:
            maps = 0.5 * maps * (1 + torch.erf(maps / 2**0.5))
    return maps


def label_map_of_probabilities(
    cosines: NDArray[np.float64], classes: list[int], threshold: float, background: int
) -> NDArray[np.int64]:
    """The official post-processing of (N, H, W), pixel by pixel."""
    _, rows, columns = cosines.shape
    labels = np.zeros((rows, columns), dtype=np.int64)
    for y in range(rows):
        for x in range(columns):
            powers = np.exp(50 * cosines[:, y, x])
            chances = powers / powers.sum()
            best = [max(chances[n] for n, of in enumerate(classes) if of == k) for k in range(max(classes) + 1)]
            labels[y, x] = int(np.argmax(best))
            if max(best) < threshold:
                labels[y, x] = background
    return labels
