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
    "morris_lecar",
    "saliency",
    "animation",
]

JOBS = [
    "tap_withdrawal",
    "circuit_of_circuits",
    "own_layer",
    "convolution",
    "vowels",
    "forecast",
    "vitals",
    "lesions",
    "tuning",
    "devices",
    "distributed",
    "conversion",
    "board",
]


def place(name: str) -> int:
    """Where an example stands: the last place for one that is not listed."""
    drawn = name.removeprefix("plot_").removesuffix(".py")
    order = [*EXAMPLES, *JOBS]
    return order.index(drawn) if drawn in order else len(order)
