"""What the Hugging Face hub and its library `datasets` want to know of a format.

Both read it from the head of README.md: https://huggingface.co/docs/hub/datasets-manual-configuration
"""

from collections.abc import Sequence
from typing import Any

from .subsets import Subset

ONLY = "default"  # what `datasets` calls a configuration that is the only one

# What `datasets` calls our splits.
SPLITS = {"train": "train", "dev": "validation", "test": "test"}


def configs(subsets: Sequence[Subset], folder: str) -> list[dict[str, Any]]:
    """The `configs` of the card: one for each subset, whose files are in this folder of it.

    Splits are not listed: they are found by the names of files or folders. One that is listed must exist.

    >>> configs([Subset("transcription-es", "transcription", "es")], "data")
    [{'config_name': 'default', 'data_dir': 'data', 'default': True}]
    """
    found: list[dict[str, Any]] = [
        {"config_name": config_name(subset), "data_dir": subset.folder + folder} for subset in subsets
    ]
    for config in found[:1]:
        config["default"] = True
    return found


def config_name(subset: Subset) -> str:
    """What the hub calls it: by its folder, if there are several."""
    return subset.name if subset.folder else ONLY
