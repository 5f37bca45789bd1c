"""What can say in plain data how it was made, and keeps to that: the arguments of its constructor."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, ClassVar, TypeVar

import mlx.core as mx
import mlx.nn as nn

from .config import CONFIG_CLASS, from_plain, to_plain

Layer = TypeVar("Layer", bound="Configured")

# Says how initial values were drawn, not what the layer is: weights are kept by `save_weights`.
NOT_IN_CONFIG = ("self", "key")
NAMES = {str}
PLAIN = (bool, int, float, str, tuple, type(None))


class Configured(nn.Module):
    """An `mlx.nn.Module` that knows how it was made; see `NCPLayer`, of which it is the part about that.

    Attributes:
        changeable: options that may be set on a layer that is made; the config holds what they are then.
    """

    changeable: ClassVar[frozenset[str]] = frozenset()

    _classes: ClassVar[dict[str, type[Configured]]] = {}
    _config_name: ClassVar[str] = "NCPLayer"
    _kept: dict[str, Any]  # what the config holds instead of arguments that may have changed since

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if Configured in cls.__bases__:
            return  # the base of all layers is none itself
        taken, ours = Configured._classes.get(cls.__name__), __name__.rpartition(".")[0]
        foreign = not cls.__module__.startswith(ours)
        # A name of ours stays ours; among other people's classes the latest wins, as in a notebook.
        reserved = foreign and taken is not None and taken.__module__.startswith(ours)
        cls._config_name = f"{cls.__module__}.{cls.__name__}" if reserved else cls.__name__
        Configured._classes[cls._config_name] = cls

    def __new__(cls: type[Layer], *args: Any, **kwargs: Any) -> Layer:
        layer = super().__new__(cls)
        # nn.Module would take them for parameters.
        object.__setattr__(layer, "_given", (args, kwargs))
        object.__setattr__(layer, "_kept", {})
        return layer

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute, but for an option: files and twins hold what the layer was made with.

        Raises:
            AttributeError: an option that would change; those in `changeable` may, and are read back.
        """
        if name in options_of(type(self)) - self.changeable:
            before = self._option(name, value)
            if isinstance(before, PLAIN) and before != value:
                raise AttributeError(
                    f"{name} of {type(self).__name__} is {before!r}, as it was made: make a new one with "
                    f"{name}={value!r}, and give it the weights by update(parameters())"
                )
        # MLX keeps every tuple among the parameters. One without arrays stays out, so that `mx.grad` and
        # `tree_map` take the whole layer; a list may be filled later.
        own = getattr(type(self), name, None)
        if (isinstance(own, property) and own.fset) or (
            isinstance(value, tuple) and not _holds_arrays(value)
        ):
            self.pop(name, None)
            object.__setattr__(self, name, value)
        else:
            super().__setattr__(name, value)

    def _option(self, name: str, default: Any) -> Any:
        """What an option is now, or the default before it was set."""
        return self.__dict__.get(name, default)

    def remade(self: Layer, arguments: dict[str, Any]) -> Layer:
        """The same layer from other arguments of its constructor, such as another circuit."""
        return type(self)(**arguments)

    def keep(self, argument: str, value: Any) -> None:
        """Let the config hold `value` for a constructor argument, instead of what was given.

        For arguments that may change after the layer was made, such as a graph. What the constructor of a
        subclass does not take is no part of its config.
        """
        if self.takes(argument):
            self._kept[argument] = value

    @classmethod
    def takes(cls, argument: str) -> bool:
        """Whether the constructor takes an argument of this name."""
        given = _signature(cls).parameters.values()
        return any(argument == p.name or p.kind is p.VAR_KEYWORD for p in given)

    def get_config(self) -> dict[str, Any]:
        """How the layer was made, as data that JSON can hold: its class and its constructor's arguments.

        Raises:
            TypeError: an argument that cannot be written down, such as a function; the message names it.

        Example:
            >>> gl.NCPDense(8, activation="tanh").get_config()
            {'class': 'NCPDense', 'units': 8, 'activation': 'tanh', 'use_bias': True, 'wiring': None}
        """
        config: dict[str, Any] = {CONFIG_CLASS: self._config_name}
        for argument, value in self.made_with().items():
            config[argument] = to_plain(value, f"{argument} of {type(self).__name__}")
        return config

    @classmethod
    def from_config(cls: type[Layer], config: dict[str, Any]) -> Layer:
        """A new layer from a config: of the class that the config names, with fresh parameters.

        Raises:
            ValueError: an unknown class, or one that is no subclass of this one.
            TypeError: no dict, or an argument that the class does not have.
        """
        if not isinstance(config, dict):
            raise TypeError(f"a config is a dict, as get_config() gives it, got {type(config).__name__}")
        if Configured in cls.__bases__ and CONFIG_CLASS not in config:
            raise ValueError(f"the config names no {CONFIG_CLASS!r}; it has {', '.join(config) or 'nothing'}")
        try:
            layer = from_plain({CONFIG_CLASS: cls._config_name} | config, Configured._classes)
        except RecursionError:
            raise ValueError("the configuration is nested too deeply") from None
        if not isinstance(layer, cls):
            raise ValueError(f"the config is of a {type(layer).__name__}: expected a {cls.__name__}")
        return layer

    def made_with(self) -> dict[str, Any]:
        """The constructor's arguments by name as they are kept, of which a config is the plain form."""
        return self._arguments() | self._kept

    def _arguments(self) -> dict[str, Any]:
        """The constructor's arguments by name, defaults included."""
        args, kwargs = self._given
        bound = _signature(type(self)).bind(self, *args, **kwargs)
        bound.apply_defaults()
        found: dict[str, Any] = {}
        for name, value in bound.arguments.items():
            if bound.signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD:
                found |= value
            else:
                found[name] = value
        found |= {name: getattr(self, name) for name in self.changeable if name in self.__dict__}
        return {name: value for name, value in found.items() if name not in NOT_IN_CONFIG}


@contextmanager
def classes_of(model: nn.Module) -> Iterator[None]:
    """Let the names in a model's config stand for the classes that it is of, for a while.

    A name stands for the latest class of it, and an object may be of the one before, as in a notebook.

    Raises:
        ValueError: two classes of one name in one model, which a config cannot tell apart.
    """
    ours: dict[str, type[Configured]] = {}
    for part in model.modules():
        if isinstance(part, Configured) and ours.setdefault(part._config_name, type(part)) is not type(part):
            raise ValueError(f"two classes of this model are called {part._config_name}: rename one of them")
    before = dict(Configured._classes)
    Configured._classes.update(ours)
    try:
        yield
    finally:
        Configured._classes.clear()
        Configured._classes.update(before)


@cache
def options_of(kind: type[Configured]) -> frozenset[str]:
    """The names of the arguments of a class's constructor, and of those before it, which options pass on."""
    layers = [base for base in kind.__mro__ if issubclass(base, Configured)]
    return frozenset(name for base in layers for name in _signature(base).parameters)


@cache
def _signature(kind: type[Configured]) -> inspect.Signature:
    """The arguments of a class's constructor, which take a sixth of the time of making a network."""
    return inspect.signature(kind.__init__)


def _holds_arrays(value: Any) -> bool:
    """Whether there are arrays or modules in what MLX would keep among the parameters."""
    if isinstance(value, mx.array | nn.Module):
        return True
    if not isinstance(value, dict | list | tuple):
        return False
    parts = value.values() if isinstance(value, dict) else value
    # A look at the types alone, for the names of all neurons of a brain.
    return not {*map(type, parts)} <= NAMES and any(map(_holds_arrays, parts))
