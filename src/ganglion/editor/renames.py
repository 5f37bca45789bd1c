"""What a change of a circuit means to a network over it."""

from __future__ import annotations

from collections.abc import Mapping

from ..wiring.edits import Edit, Rename, Set


def composed(before: Mapping[str, str], change: Rename) -> dict[str, str]:
    """Renames, from the first name to the last, after another one."""
    names = {str(old): str(new) for old, new in dict(change.names).items()}
    return {old: names.pop(new, new) for old, new in before.items()} | names


def needs_compile(change: Edit) -> bool:
    """Whether neurons or synapses came, went, or got another name, role or kind."""
    if not isinstance(change, Set):
        return True
    of_neurons, of_synapses = (entry[1] for entry in change.neurons), (entry[2] for entry in change.synapses)
    return "role" in of_neurons or not {"kind", "gap"}.isdisjoint(of_synapses)


def turns_signs(change: Edit) -> bool:
    """Whether polarities changed."""
    return isinstance(change, Set) and any(entry[2] == "polarity" for entry in change.synapses)


def concerns_network(change: Edit) -> bool:
    """Whether a network over the circuit is another one after the change."""
    return needs_compile(change) or turns_signs(change)
