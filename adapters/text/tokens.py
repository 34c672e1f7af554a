"""From prompts to token ids."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import torch
from open_clip.tokenizer import SimpleTokenizer

from ovrisisbench.adapters.clip.config import CONTEXT_LENGTH
from ovrisisbench.errors import AdapterError

__all__ = ["tokenise"]


def tokenise(prompts: Sequence[str]) -> torch.Tensor:
    """Return CLIP's token ids (N, 77) int64: start, pieces, end, zeros.

    The tokeniser lower-cases, mends broken Unicode, resolves HTML entities and
    squeezes white space, as CLIP's own does.

    Raises:
        AdapterError: a prompt of more than 77 tokens.
    """
    tokenizer = _tokenizer()
    for prompt in prompts:
        if len(tokenizer.encode(prompt)) + 2 > CONTEXT_LENGTH:
            raise AdapterError(
                f"The prompt {prompt[:60]!r}... has more than {CONTEXT_LENGTH} CLIP tokens; shorten the class name."
            )
    return tokenizer(list(prompts), context_length=CONTEXT_LENGTH)


@cache
def _tokenizer() -> SimpleTokenizer:
    return SimpleTokenizer()
