"""The mini world: small drawn scenes of overhead imagery, in which models can learn on a CPU in minutes.

Everything is drawn from geometry, so that every label is right; see ``docs/mini-world.md``.

:func:`draw_downloads` draws the eight mini data sets as downloads, :func:`draw_scene` one scene, and :func:`crops`
yields small random crops of all styles together with what is visible in each, for training on captions::

    from ovrisisbench.mini import KINDS, crops

    for crop in crops(seed=0, count=100, size=96):
        words = [KINDS[kind] for kind, share in crop.shares.items() if share > 0.05]
        crop.picture  # (96, 96, 3) uint8
"""

from ovrisisbench.mini.captions import Captions, load_captions
from ovrisisbench.mini.crops import Crop, crops
from ovrisisbench.mini.downloads.drawing import DrawnDownload, draw_downloads
from ovrisisbench.mini.kinds import KINDS
from ovrisisbench.mini.places import PLACES
from ovrisisbench.mini.scene import Scene, draw_scene
from ovrisisbench.mini.styles import Style, load_style, style_names

__all__ = [
    "KINDS",
    "PLACES",
    "Captions",
    "Crop",
    "DrawnDownload",
    "Scene",
    "Style",
    "crops",
    "draw_downloads",
    "draw_scene",
    "load_captions",
    "load_style",
    "style_names",
]
