"""Results folders and sites to test pages on."""

from pathlib import Path

from ovrisisbench.benchmark import run
from ovrisisbench.evaluate.kept_labels import KeptLabels
from ovrisisbench.records import label_maps_folder, read_record_counts, write_record

ADAPTERS = Path(__file__).parent.parent / "adapter" / "drawn_adapters.py"
NASTY = "</script><script>window.broken = 1</script><img src=x onerror='window.broken = 2'>&amp;\u2028"
"""A model name that must be shown as it is, and must not run."""


def fill_results(results: Path, data: Path) -> None:
    """Write records of three models on drawn scenes: with label maps, with cost maps, and one of a nasty name."""
    options = {"data": data, "results": results, "device": "cpu", "limit": 9}
    (record,) = run(f"{ADAPTERS}:Brightness", label_maps=True, **options)
    run(f"{ADAPTERS}:WithCosts", cost_maps=3, **options)
    folder = next(results.glob("ovrisisbench-v1-*"))
    counts = read_record_counts(record, folder)
    model = record.model.model_copy(update={"title": NASTY, "name": "nasty", "settings": {"<b>": "</script>"}})
    nasty = record.model_copy(update={"model": model})
    nasty = nasty.model_copy(update={"counts": nasty.counts.model_copy(update={"file": f"{nasty.stem}.counts.npz"})})
    write_record(nasty, counts, results)
    # Of the nasty model one map is kept, and it is not what was counted.
    import numpy as np

    kept = KeptLabels(label_maps_folder(nasty, folder), [(0, 0, 0)])
    for image in counts.ids:
        kept.keep(image, np.zeros((256, 256), np.uint8))
