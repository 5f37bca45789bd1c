"""The order of the gallery: from one circuit to large ones, masks and statistics, then what neurons do."""

EXAMPLES = [
    "circuit",
    "circuit_down",
    "circuit_radial",
    "circuit_hive",
    "colors_and_widths",
    "dark",
    "blocks",
    "paths",
    "diff",
    "masks",
    "masks_blocks",
    "degrees",
    "summary",
    "activity",
    "heatmap",
    "correlation",
    "phase",
    "time_constants",
    "cells",
    "oscillators",
    "saliency",
    "animation",
]


def place(name: str) -> int:
    """Where an example stands: the last place for one that is not listed."""
    drawn = name.removeprefix("plot_").removesuffix(".py")
    return EXAMPLES.index(drawn) if drawn in EXAMPLES else len(EXAMPLES)
