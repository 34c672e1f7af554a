"""From class names to token ids."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import torch
from open_clip.tokenizer import SimpleTokenizer

from ovrisisbench.errors import AdapterError

__all__ = ["CONTEXT_LENGTH", "VOCABULARY_SIZE", "fill_template", "tokenise"]

CONTEXT_LENGTH = 77
VOCABULARY_SIZE = 49408


def fill_template(class_names: Sequence[str], template: str) -> list[str]:
    """Put each class name into the template.

    Of a name with synonyms (``"building, house"``) only the part before the
    first ``", "`` is used, as the CAT-Seg family does at run time.

    Example:
        >>> fill_template(["building, house", "no-data"], "A photo of a {} in the scene")
        ['A photo of a building in the scene', 'A photo of a no-data in the scene']
    """
    return [template.format(name.split(", ", maxsplit=1)[0]) for name in class_names]


def tokenise(prompts: Sequence[str]) -> torch.Tensor:
    """Return CLIP's token ids (T, 77) int64: start, pieces, end, zeros.

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
