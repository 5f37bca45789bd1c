"""The touch circuit of C. elegans, with the sources of each synapse and sign."""

from __future__ import annotations

from ...arguments import flag
from ..circuit import Circuit
from ..digest import ELECTRICAL

CITATION = (
    "Chalfie et al., J. Neurosci. 5 (1985) 956; White et al., Phil. Trans. R. Soc. B 314 (1986) 1; Wicks, "
    "Roehrig "
    "and Rankin, J. Neurosci. 16 (1996) 4017; Lechner et al., Nature Machine Intelligence 2 (2020) 642"
)
UNCERTAIN = (
    "Signs were never measured for all synapses: Wicks et al. say that neither transmitters nor signs are "
    "known, and predict them for seven of nine classes. Those called 'assumed' follow from the behaviour; "
    "those called 'Chalfie 1985' were not compared with the paper's text, and which cells those called "
    "'Lechner 2020' join was inferred from numbered cells: check them before you cite them. Gap junctions of "
    "touch receptors ('made_from' electrical) are excitatory synapses here. FWD and REV are no cells."
)
CHALFIE, LECHNER, ASSUMED = "Chalfie 1985", "Lechner 2020", "assumed"

# Cells are classes: ALM is ALML and ALMR. Counts are synapses of all members in White et al. (1986).
NEURONS = {
    "sensory": ("PLM", "AVM", "ALM", "PVD"),
    "inter": ("PVC", "AVD", "DVA"),
    "command": ("AVB", "AVA"),
    "motor": ("FWD", "REV"),
}
SYNAPSES = (
    ("PLM", "PVC", 1, 2, "electrical", CHALFIE),
    ("PLM", "AVD", -1, 5, "chemical", CHALFIE),
    ("PLM", "AVA", -1, 5, "chemical", CHALFIE),
    ("PLM", "DVA", 1, 5, "chemical", ASSUMED),
    ("AVM", "AVD", 1, 2, "electrical", CHALFIE),
    ("AVM", "AVB", -1, 12, "chemical", CHALFIE),
    ("AVM", "PVC", -1, 9, "chemical", CHALFIE),
    ("ALM", "PVC", -1, 9, "chemical", CHALFIE),
    ("PVD", "PVC", -1, 30, "chemical", LECHNER),
    ("PVD", "AVA", 1, 27, "chemical", ASSUMED),
    ("PVC", "AVB", 1, 31, "chemical", CHALFIE),
    ("PVC", "DVA", 1, 4, "chemical", ASSUMED),
    ("DVA", "PVC", 1, 4, "chemical", ASSUMED),
    ("DVA", "AVB", 1, 1, "chemical", ASSUMED),
    ("DVA", "AVA", -1, 4, "chemical", LECHNER),
    ("AVD", "AVA", 1, 63, "chemical", CHALFIE),
    ("AVB", "AVA", -1, 27, "chemical", LECHNER),
    ("AVB", "AVD", -1, 3, "chemical", LECHNER),
    ("AVA", "AVB", -1, 2, "chemical", LECHNER),
    ("AVA", "PVC", -1, 28, "chemical", LECHNER),
    ("AVB", "FWD", 1, None, "chemical", LECHNER),
    ("AVA", "REV", 1, None, "chemical", LECHNER),
)
ACROSS = (
    ("PVC", "AVA", 1, 20, "chemical", LECHNER),
    ("PVC", "AVD", 1, 13, "chemical", LECHNER),
    ("AVD", "AVB", 1, 1, "chemical", LECHNER),
    ("AVD", "PVC", 1, 1, "chemical", LECHNER),
)
"""Excitatory synapses between the two halves, forward and backward, that work against the reflex."""


def tap_withdrawal(across: bool = False) -> Circuit:
    """The nine-cell touch circuit of C. elegans, with which neural circuit policies began.

    A touch behind (PLM) drives the worm forward, one in front (AVM, ALM) backward. Every synapse has `weight`
    (the number of synapses that White et al. counted, if they did), and where its sign is said to come from
    in `sign_from`; ``circuit.graph["uncertain"]`` says which of that is unchecked. The two halves, forward
    and backward, excite themselves and inhibit each other, so an untrained network answers with the right
    sign whatever its parameters are.

    Args:
        across: also the four excitatory synapses from one half to the other (`sign_from` Lechner 2020). With
            them, an untrained LTC answers with the wrong sign for about one key in ten.

    Example:
        >>> circuit = gl.connectomes.tap_withdrawal()
        >>> rnn = gl.LTC(circuit)                    # inputs PLM, AVM, ALM, PVD; outputs FWD, REV
    """
    flag("across", across)
    circuit = Circuit(name="tap withdrawal", citation=CITATION, uncertain=UNCERTAIN)
    for role, names in NEURONS.items():
        circuit.add_neurons(names, role=role)
    for pre, post, sign, count, kind, source in SYNAPSES + (ACROSS if across else ()):
        given: dict[str, int | str] = {} if count is None else {"weight": count}
        if kind == ELECTRICAL:  # a sensory neuron, which is an input, has no potential to conduct
            given["made_from"] = kind
        circuit.add_synapse(pre, post, sign, **given, sign_from=source)
    return circuit
