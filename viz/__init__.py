"""Pictures of circuits, of their masks and of their activity, with plain matplotlib underneath.

In processing order: `view` sees a circuit as arrays, `layout` and `order` place its neurons, `links` and
`neurons` shape what is drawn, `circuit`, `masks` and `activity` draw it. `style` holds every colour and size.
"""

from .activity import plot_activity, plot_heatmap, plot_traces
from .circuit import plot_circuit
from .layout import layout
from .masks import plot_masks
from .picture import Picture, Place
from .style import Style, current, styled

__all__ = [
    "Picture",
    "Place",
    "Style",
    "current",
    "layout",
    "plot_activity",
    "plot_circuit",
    "plot_heatmap",
    "plot_masks",
    "plot_traces",
    "styled",
]
