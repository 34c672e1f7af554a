"""The prompt templates of the official codes, in their order."""

from __future__ import annotations

from open_clip.zero_shot_metadata import OPENAI_IMAGENET_TEMPLATES

__all__ = ["IMAGENET", "SCENE", "VILD", "fill"]

SCENE = ("A photo of a {} in the scene",)
"""The one prompt of the CAT-Seg family: no full stop, no article logic."""

VILD = (
    "a photo of a {}.",
    "This is a photo of a {}",
    "There is a {} in the scene",
    "There is the {} in the scene",
    "a photo of a {} in the scene",
    "a photo of a small {}.",
    "a photo of a medium {}.",
    "a photo of a large {}.",
    "This is a photo of a small {}.",
    "This is a photo of a medium {}.",
    "This is a photo of a large {}.",
    "There is a small {} in the scene.",
    "There is a medium {} in the scene.",
    "There is a large {} in the scene.",
)
"""The 14 prompts of SAN and SCAN; the second to the fifth have no full stop."""

IMAGENET: tuple[str, ...] = tuple(template("{}") for template in OPENAI_IMAGENET_TEMPLATES)
"""The 80 prompts with which CLIP was measured on ImageNet, in the published order."""


def fill(template: str, name: str) -> str:
    """Put a class name into a template; braces in the name stay text.

    Example:
        >>> fill(SCENE[0], "no-data")
        'A photo of a no-data in the scene'
    """
    return template.format(name)
