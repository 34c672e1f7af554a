"""The vocabulary that a model is scoring with, encoded once however often it comes back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import torch

from ovrisisbench.errors import AdapterError

__all__ = ["Vocabularies"]

_Encoded = TypeVar("_Encoded")


class Vocabularies(Generic[_Encoded]):
    """Keeps what a model makes of class names.

    Args:
        encode: makes it of K class names in label order.
    """

    def __init__(self, encode: Callable[[tuple[str, ...]], _Encoded]) -> None:
        self._encode = encode
        self._known: dict[tuple[str, ...], _Encoded] = {}
        self._present: _Encoded | None = None
        self._lock = threading.Lock()

    @torch.inference_mode()
    def choose(self, class_names: Sequence[str]) -> None:
        """Take the class names that all following images are scored against."""
        key = tuple(class_names)
        with self._lock:
            if key not in self._known:
                self._known[key] = self._encode(key)
            self._present = self._known[key]

    def take(self, encoded: _Encoded) -> None:
        """Take what was made of class names elsewhere, such as by an official implementation."""
        self._present = encoded

    @property
    def present(self) -> _Encoded:
        """What was made of the present class names.

        Raises:
            AdapterError: none were chosen yet.
        """
        if self._present is None:
            raise AdapterError("No vocabulary is set; call set_vocabulary before predict.")
        return self._present
