"""Pictures of circuits, of their masks and of their activity, with plain matplotlib underneath.

In processing order: `view` sees a circuit as arrays; `layout`, `order` and `exchange` place its neurons,
`scene` adds room for text; `links` and `markers` give the shapes that `synapses` and `neurons` draw, and
`routes` leads synapses around neurons that are not theirs, through the gaps that `streets` finds. `style`
holds every colour and size, and every function returns a `Picture` of what it drew.
"""

from .activity import plot_activity, plot_heatmap, plot_traces
from .animate import Animation, animate_activity
from .circuit import plot_circuit
from .correlation import plot_correlation
from .diff import DiffPicture, plot_diff
from .dynamics import plot_phase, plot_saliency, plot_time_constants
from .history import plot_history
from .html import to_html
from .layout import layout
from .masks import plot_masks
from .paths import PathPicture, plot_paths
from .picture import Picture, Place
from .protocols import plot_protocol
from .statistics import plot_balance, plot_degrees, plot_summary
from .studies import plot_study
from .style import Style, current, styled

__all__ = [
    "Animation",
    "DiffPicture",
    "PathPicture",
    "Picture",
    "Place",
    "Style",
    "animate_activity",
    "current",
    "layout",
    "plot_activity",
    "plot_balance",
    "plot_circuit",
    "plot_correlation",
    "plot_degrees",
    "plot_diff",
    "plot_heatmap",
    "plot_history",
    "plot_masks",
    "plot_paths",
    "plot_phase",
    "plot_protocol",
    "plot_saliency",
    "plot_study",
    "plot_summary",
    "plot_time_constants",
    "plot_traces",
    "styled",
    "to_html",
]
