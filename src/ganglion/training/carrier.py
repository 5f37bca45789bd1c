"""A network whose calls begin where the last one ended, whatever loss calls it."""

from __future__ import annotations

from typing import Any

import mlx.nn as nn


class Enough(Exception):
    """The state is known, which was all that the loss was called for: there may be no target."""


class Around(nn.Module):
    """A network in another module, of which whoever asks for an attribute does not see that it is there.

    Attributes:
        inside: the network.
    """

    def __init__(self, inside: nn.Module) -> None:
        super().__init__()
        self.inside = inside
        self._training = inside.training  # underscored, so that it is no parameter

    def __getattr__(self, name: str) -> Any:
        inside = self.get("inside")
        if name in self or inside is None or name.startswith("__"):
            return super().__getattr__(name)
        return getattr(inside, name)


class Carried(Around):
    """A network around which a loss cannot see that it begins elsewhere than at zeros.

    With `only` it ends the loss that calls it by `Enough`.

    Attributes:
        after: the state behind the call; None before it.
    """

    after: Any

    def __init__(self, inside: nn.Module, state: Any, *, only: bool = False) -> None:
        super().__init__(inside)
        # Of the object, so that they are no parameters.
        object.__setattr__(self, "_before", state)
        object.__setattr__(self, "after", None)
        object.__setattr__(self, "_only", only)

    def __call__(self, x: Any, state: Any = None, timespans: Any = None, **given: Any) -> Any:
        """What the network returns, from the state that is carried, or else from the given one."""
        if self.after is not None:
            raise ValueError("carry_state: the loss calls the network twice, but one call has one state")
        if timespans is not None:
            given["timespans"] = timespans
        result = self.inside(x, state=state if self._before is None else self._before, **given)
        if not isinstance(result, tuple) or len(result) < 2:
            raise TypeError(
                f"carry_state: this {type(self.inside).__name__} returns no state: expected (outputs, state)"
            )
        object.__setattr__(self, "after", result[1])
        if self._only:
            raise Enough
        return result

    def left(self) -> Any:
        """The state behind the call.

        Raises:
            TypeError: there was none.
        """
        if self.after is None:
            raise TypeError(
                "carry_state: the loss does not call the network, so that there is no state to carry"
            )
        return self.after
