"""What is known before any pixel is read: data-set cards, vocabularies and protocols.

Everything here is read from YAML in ``splits/`` and validated on load.
"""

from ovrisisbench.catalog.cards import IGNORE_INDEX, DatasetCard, Variant, dataset_keys, load_card, load_cards
from ovrisisbench.catalog.overlap import class_overlap, load_overlap_table
from ovrisisbench.catalog.protocols import (
    DEFAULT_PROTOCOL,
    Protocol,
    load_protocol,
    protocol_for_training_set,
    protocol_names,
    protocols_testing,
)
from ovrisisbench.catalog.training_sets import is_outside, outside_training_sets, training_set_title
from ovrisisbench.catalog.vocabularies import (
    Vocabulary,
    checked_class_names,
    load_vocabulary,
    vocabulary_names,
)

__all__ = [
    "DEFAULT_PROTOCOL",
    "IGNORE_INDEX",
    "DatasetCard",
    "Protocol",
    "Variant",
    "Vocabulary",
    "checked_class_names",
    "class_overlap",
    "dataset_keys",
    "is_outside",
    "load_card",
    "load_cards",
    "load_overlap_table",
    "load_protocol",
    "load_vocabulary",
    "outside_training_sets",
    "protocol_for_training_set",
    "protocol_names",
    "protocols_testing",
    "training_set_title",
    "vocabulary_names",
]
