"""Up: an up-sampling stage whose guidance is weighed by what the volume shows (``model_ours.py``)."""

from __future__ import annotations

from torch import Tensor, nn

from ovrisisbench.adapters.cost_aggregation.upsampling import UpsamplingStage

__all__ = ["Up"]


class Up(UpsamplingStage):
    """CAT-Seg's stage with attention on the guidance.

    The mean of the enlarged volume over all classes gives the guidance one
    weight for each channel and one for each place. So the logits of a class
    depend on the whole vocabulary. There is no activation on either weight.
    """

    def __init__(self, in_channels: int, up_channels: int, guidance: int, out_channels: int, *, grid: int) -> None:
        super().__init__(in_channels, up_channels, guidance, out_channels, grid=grid)
        self.cconv = nn.Conv2d(up_channels, guidance, 1)
        self.sconv = nn.Conv2d(1, 1, 1)

    def forward(self, x: Tensor, guidance: Tensor | None) -> Tensor:
        """See :meth:`UpsamplingStage.forward`."""
        if guidance is None:
            raise ValueError("an Up stage weighs guidance, so it needs some")
        # The transposed convolution is linear: the mean of what it gives is what it gives for the mean.
        mean = self.up(x.mean(dim=1))  # (B, up_channels, 2 * grid, 2 * grid)
        of_channels = self.cconv(mean.mean(dim=(2, 3), keepdim=True))
        of_places = self.sconv(mean.mean(dim=1, keepdim=True))
        return super().forward(x, of_channels * guidance + of_places * guidance + guidance)
