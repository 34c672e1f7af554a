"""The arithmetic of matrix products, chosen by ``--precision`` and written into the record."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import get_args

from ovrisisbench.adapter.interface import Precision
from ovrisisbench.errors import EvaluationError

__all__ = ["PRECISIONS", "arithmetic"]

PRECISIONS: tuple[Precision, ...] = get_args(Precision)


@contextmanager
def arithmetic(precision: Precision, device: str) -> Iterator[None]:
    """Run what stands inside with one arithmetic, and put everything back afterwards.

    ``float32`` forbids TF32, which moves about 3 % of near-tied pixels of RSKT-Seg;
    ``tf32`` is what the official scripts set on a GPU; ``bfloat16`` is autocast.

    Args:
        precision: the arithmetic.
        device: the torch device that the model runs on.

    Raises:
        EvaluationError: TF32 is asked for where there is no CUDA device.
    """
    import torch

    if precision == "tf32" and not device.startswith("cuda"):
        raise EvaluationError(f"--precision tf32 needs a CUDA device, but the run is on '{device}'; use float32.")
    before = torch.get_float32_matmul_precision()
    cudnn_before = torch.backends.cudnn.allow_tf32
    torch.set_float32_matmul_precision("high" if precision == "tf32" else "highest")
    torch.backends.cudnn.allow_tf32 = precision == "tf32"
    try:
        with (
            torch.inference_mode(),
            torch.autocast(device.split(":", maxsplit=1)[0], dtype=torch.bfloat16, enabled=precision == "bfloat16"),
        ):
            yield
    finally:
        torch.set_float32_matmul_precision(before)
        torch.backends.cudnn.allow_tf32 = cudnn_before
