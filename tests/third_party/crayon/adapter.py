"""Crayon behind the contract of the benchmark."""

import torch
import torch.nn.functional as F
from torch import nn

from crayon.official import CHANNELS, report
from ovrisisbench.adapter import ParameterCounts, ScoreMap
from ovrisisbench.adapter.checkpoints import read_state_dict
from ovrisisbench.errors import CheckpointError


class CrayonAdapter:
    def __init__(self, network, cell):
        self.network, self.cell = network, cell
        self.words = torch.zeros(0, CHANNELS)

    @classmethod
    def load(cls, options):
        torch.manual_seed(options.seed)
        network = nn.Linear(3, CHANNELS)
        if options.checkpoint is not None:
            state = read_state_dict(options.checkpoint)
            found = report({key: tensor.shape for key, tensor in state.items()})
            if found is None or found.missing or found.misshapen:
                raise CheckpointError(f"{options.checkpoint} is no whole checkpoint of Crayon; train it again.")
            network.load_state_dict({key.removeprefix("colour."): tensor for key, tensor in state.items()})
        return cls(network.eval().to(options.device), int(options.settings.get("cell", "8")))

    def set_vocabulary(self, class_names):
        counts = [[name.lower().count(letter) + 0.1 for letter in "aeiorstl"] for name in class_names]
        self.words = F.normalize(torch.tensor(counts), dim=1).to(self.network.weight.device)

    def predict(self, images, *, image_ids):
        return [self._score(image) for image in images]

    def _score(self, image):
        pixels = torch.tensor(image, device=self.words.device).permute(2, 0, 1)[None].float() / 255
        cells = F.avg_pool2d(pixels, self.cell, ceil_mode=True, count_include_pad=False)
        features = F.normalize(self.network(cells[0].permute(1, 2, 0)), dim=-1)  # (h, w, C)
        scores = (features @ self.words.T).permute(2, 0, 1).contiguous()
        return ScoreMap(scores.float(), image.shape[:2])

    def describe(self):
        return {"cell": self.cell}

    def count_parameters(self):
        total = sum(parameter.numel() for parameter in self.network.parameters())
        return ParameterCounts(total=total, trainable=total)
