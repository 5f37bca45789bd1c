"""The errors of Ganglion: one leaf module that every room may import."""


class CircuitError(ValueError):
    """A circuit breaks a rule, or a circuit file cannot be read."""


class LayoutError(ValueError):
    """A layout or order is unknown, or cannot execute the circuit."""


class KernelError(RuntimeError):
    """A fused kernel was demanded but cannot be built or cannot serve the call."""


class FileError(ValueError):
    """A model, a checkpoint or a table in a file is not what it should be."""
