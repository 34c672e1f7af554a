"""Several processes that share one evaluation, started by torchrun.

Each process takes every n-th of the images that are left, none twice; only
finished counts travel between them, on the CPU through gloo, so it makes no
difference which devices compute.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

__all__ = ["Processes", "joined_processes"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Processes:
    """This process among all of them."""

    rank: int = 0
    count: int = 1
    local_rank: int = 0
    """Number on this machine; picks the GPU."""
    local_count: int = 1

    @property
    def is_first(self) -> bool:
        """True in the one process that writes records and prints."""
        return self.rank == 0

    def share(self, items: Sequence[T]) -> list[T]:
        """Return this process's part: every ``count``-th item, nothing padded or doubled."""
        return list(items[self.rank :: self.count])

    def gather(self, value: T) -> list[T]:
        """Return the values of all processes, in rank order, in every process."""
        if self.count == 1:
            return [value]
        import torch.distributed as dist

        values: list[T | None] = [None] * self.count
        dist.all_gather_object(values, value)
        return [value for value in values if value is not None]


@contextmanager
def joined_processes(backend: str = "gloo") -> Iterator[Processes]:
    """Join the processes that torchrun started (``WORLD_SIZE`` is set), or stand alone.

    Args:
        backend: of torch.distributed; must carry tensors of the CPU.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield Processes()
        return
    import torch.distributed as dist

    dist.init_process_group(backend)
    try:
        yield Processes(
            rank=dist.get_rank(),
            count=count,
            local_rank=int(os.environ.get("LOCAL_RANK", "0")),
            local_count=int(os.environ.get("LOCAL_WORLD_SIZE", "1")),
        )
    finally:
        dist.destroy_process_group()
