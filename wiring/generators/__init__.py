"""Generators: functions that make a whole circuit."""

from .graphs import from_graph
from .imported import from_ncps
from .layered import layered
from .policies import auto_ncp, ncp
from .uniform import fully_connected, random

__all__ = ["auto_ncp", "from_graph", "from_ncps", "fully_connected", "layered", "ncp", "random"]
