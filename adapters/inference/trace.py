"""A way to look at intermediate results."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

__all__ = ["Trace"]

Trace = Callable[[str, Tensor], None]
"""Called with a name and a tensor at each point that a parity case may record.

The batch of images is always the first axis. What is only needed for the trace
is computed only with one, so tracing never changes a result.
"""
