"""A way to look at intermediate results."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

__all__ = ["Trace"]

Trace = Callable[[str, Tensor], None]
"""Called with a name and a tensor at each point that the parity cases record.

Names and layouts are those of the cases (``tests/parity``); the batch of
images is always the first axis. What is only needed for the trace is computed
only with one, so tracing never changes a result.
"""
