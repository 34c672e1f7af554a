"""How this package compiles its numba kernels, and how it finds out whether numba is there."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar, cast

__all__ = ["compile_kernel", "numba_is_usable"]

_Kernel = TypeVar("_Kernel", bound=Callable[..., Any])


@cache
def numba_is_usable() -> bool:
    """Tell whether the extra ``[fast]`` is installed and fits the installed numpy."""
    try:
        import numba  # noqa: F401 - only whether it comes up matters here
    except ImportError:
        return False
    return True


def compile_kernel(kernel: _Kernel) -> _Kernel:
    """Compile a function of numpy arrays at its first call, and keep the machine code on disk.

    The kernel runs without the interpreter lock, so threads can work on
    different images. Multiply-adds may be fused (``contract``) as torch's own
    compiled kernels do; no other reordering of floating point is allowed.

    Args:
        kernel: a function in numba's language; kernels it calls must live in the same file,
            since the cache on disk watches one file only.
    """
    import numba

    options: dict[str, Any] = {"nogil": True, "fastmath": {"contract"}}
    try:
        compiled = numba.njit(cache=True, **options)(kernel)
    except RuntimeError:
        # Neither the package's folder nor the user's cache folder can be written, as in some
        # containers: compile again in every process.
        compiled = numba.njit(**options)(kernel)
    return cast("_Kernel", compiled)
