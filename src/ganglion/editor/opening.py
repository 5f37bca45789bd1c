"""`gl.edit`: a circuit, a file or a network in the editor, wherever one is."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import networkx as nx

from ..arguments import instance
from ..distribution import how_to_install
from ..errors import CircuitError
from ..notebook import in_notebook
from ..recording import Recording
from ..wiring import read
from .document import Document
from .session import EditSession

if TYPE_CHECKING:
    from ..studies.protocol import Protocol
    from .standalone import Standalone
    from .widget import Widget

_documents: WeakValueDictionary[str, Document] = WeakValueDictionary()
_shown: deque[EditSession] = deque(maxlen=4)
"""What a notebook showed last: a cell that is run again makes new neurons of the same names."""


def edit(
    what: Any,
    *,
    file: str | os.PathLike[str] | None = None,
    recording: Recording | None = None,
    protocol: Protocol | None = None,
    fit: Mapping[str, Any] | None = None,
    live: bool = True,
    autosave: bool = True,
    browser: bool = True,
    port: int = 0,
) -> Widget | Standalone:
    """Open a circuit in the editor: a widget in a notebook, a page in the browser elsewhere.

    What the page changes, the circuit has changed, and the other way round. The network runs meanwhile; of a
    network that is given, the trained values are kept, by the names of neurons. So are places: neurons that
    have none are put where those of their names are in `file`, or were when the cell ran before.

    Args:
        what: a circuit (a Circuit or any `networkx.DiGraph` with roles and polarities), which is edited in
            place; the path of a circuit file; or an `LTC`, a `CfC` or another network over a circuit, of
            which a copy is edited.
        file: where to save a circuit that is given, and to keep its journal.
        recording: what the signal "recording" plays.
        protocol: what is done to the running network from its first step on, see `gl.protocol`: its signals
            come to those that the page gives.
        fit: arguments of `gl.fit` by name, to train the network while one watches and edits: `data`, `loss`,
            `optimizer`, `epochs` and others. The network given is trained in place until the circuit is
            edited; from then on `editor.network` is.
        live: whether to compile and run the network while editing.
        autosave: whether to write the file when nobody has edited for a minute; edits are in its journal
            until then.
        browser: whether to open the browser, if this is no notebook.
        port: of the page, if this is no notebook; 0 for a free one.

    Returns:
        A widget or a server, with `session`, `circuit`, `network`, `document` and `close()`.

    Raises:
        TypeError: something else was given.
        CircuitError: the circuit has a neuron without a role or a synapse without a polarity, or another
            process is editing the file.
        ImportError: the extra `editor` is not installed.

    Example:
        >>> editor = gl.edit(gl.auto_ncp(16, 2, inputs=4))
        >>> editor.circuit                        # as it is now
    """
    network = None
    if protocol is not None:
        from ..studies.protocol import Protocol  # with MLX, which a circuit does not need

        instance("protocol", protocol, Protocol, "one, as gl.protocol makes it")
    if isinstance(what, str | os.PathLike):
        if file is not None:
            raise TypeError("file= is where a circuit that is given is saved; a path is its own file")
        document: Document | None = _document(what, autosave)
    else:
        circuit = what
        if not isinstance(what, nx.DiGraph):
            network, circuit = what, _circuit_of(what)
        for before in _befores(file):
            keep_places(circuit, before)
        document = None if file is None else Document(file, circuit, autosave=autosave)
    session = EditSession(circuit) if document is None else document.session
    options = {"network": network, "recording": recording, "protocol": protocol, "live": live, "fit": fit}
    try:
        if in_notebook():
            try:
                from .widget import Widget
            except ModuleNotFoundError as error:
                if error.name != "anywidget":
                    raise
                wanted = how_to_install("editor")
                raise ImportError(
                    f"needs the package anywidget, an extra: {wanted}", name="anywidget"
                ) from None
            widget = Widget(session, document, **options)
            _shown.appendleft(session)
            return widget
        from .standalone import Standalone

        return Standalone(session, document, port=port, browser=browser, **options)
    except BaseException:  # nobody could close a document that nobody got
        if document is not None and not document.held:
            document.close()
        raise


def keep_places(circuit: nx.DiGraph[Any], before: nx.DiGraph[Any]) -> None:
    """Put neurons that have no place where those of their names were: places belong to names."""
    for name, data in circuit.nodes(data=True):
        held = before.nodes.get(name, {})
        if "x" not in data and "y" not in data and "x" in held and "y" in held:
            data |= {"x": held["x"], "y": held["y"]}


def _befores(file: str | os.PathLike[str] | None) -> Iterator[nx.DiGraph[Any]]:
    """Where neurons of a circuit that is opened may have been before, the likeliest first."""
    if file is not None and os.path.exists(file):
        with suppress(CircuitError, ValueError, OSError):  # it is written anew in any case
            yield read(file)
    if in_notebook():
        yield from (session.circuit for session in _shown)


def _document(path: str | os.PathLike[str], autosave: bool) -> Document:
    """The file's document; the same one if this process edits it already, as when a cell is run again."""
    key = os.path.realpath(path)
    document = _documents.get(key)
    if document is None or document.closed:
        document = _documents[key] = Document(path, autosave=autosave)
    return document


def _circuit_of(network: Any) -> Any:
    """A circuit for the plan of a network."""
    compiled = getattr(getattr(network, "cell", None), "compiled", None)
    if compiled is None:
        raise TypeError(
            "gl.edit takes a circuit, the path of a circuit file, or a network over a circuit, such as an "
            f"LTC; got {type(network).__name__}"
        )
    from ..interchange import circuit_of

    return circuit_of(compiled)
