"""Names as identifiers, for formats whose names have letters, digits and underscores only."""

from __future__ import annotations

import re
from collections.abc import Iterable


def identifiers(names: Iterable[str]) -> dict[str, str]:
    """An identifier of its own for each name: the name itself where that is one.

    Example:
        >>> identifiers(["AVA", "left eye", "left-eye", "1"])
        {'AVA': 'AVA', 'left eye': 'left_eye', 'left-eye': 'left_eye_2', '1': '_1'}
    """
    names = list(names)
    found = {name: name for name in names if re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII)}
    taken = set(found)
    for name in names:
        if name not in found:
            plain = re.sub(r"\W", "_", name, flags=re.ASCII)
            plain = plain if plain and not plain[0].isdigit() else f"_{plain}"
            wanted, k = plain, 1
            while wanted in taken:
                wanted, k = f"{plain}_{k + 1}", k + 1
            found[name] = wanted
            taken.add(wanted)
    return found
