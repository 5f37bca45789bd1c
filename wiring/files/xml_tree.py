"""A small tree of XML elements with their lines, for formats that are too simple for a reader of their
own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from ...errors import CircuitError
from .source import Source

_DEEPEST = 32


@dataclass
class Element:
    """An element without the namespace of its name; `text` is what stands in it outside of other elements."""

    tag: str
    given: dict[str, str]
    line: int
    inside: list[Element] = field(default_factory=list)
    text: str = ""

    def all(self, *tags: str) -> Iterator[Element]:
        """The elements that a path of tags leads to."""
        for child in self.inside:
            if child.tag == tags[0]:
                yield from child.all(*tags[1:]) if tags[1:] else [child]


def parse(source: Source) -> Element:
    """The outermost element.

    Raises:
        CircuitError: this is no XML, it declares a document type, or it is nested too deeply.
    """
    if not source.data.strip():
        raise source.error("the file is empty")
    parser = expat.ParserCreate(namespace_separator=" ")
    root = Element("", {}, 1)
    stack = [root]

    def refuse(*_: object) -> None:
        raise CircuitError("a document type declaration (<!DOCTYPE) is refused: it could define entities")

    def start(name: str, given: dict[str, str]) -> None:
        if len(stack) > _DEEPEST:
            raise CircuitError(f"more than {_DEEPEST} elements are inside one another")
        plain = {key.rpartition(" ")[2]: value for key, value in given.items()}
        element = Element(name.rpartition(" ")[2], plain, parser.CurrentLineNumber)
        stack[-1].inside.append(element)
        stack.append(element)

    def characters(text: str) -> None:
        stack[-1].text += text

    parser.buffer_text = True
    parser.CharacterDataHandler = characters
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: stack.pop()
    try:
        parser.Parse(source.data, True)
    except expat.ExpatError as error:
        problem = f"this is not XML: {expat.ErrorString(error.code)}"
        raise source.error(problem, f"line {error.lineno}, column {error.offset + 1}") from None
    except CircuitError as error:
        raise source.error(error, f"line {parser.CurrentLineNumber}") from None
    except (LookupError, ValueError) as error:  # an encoding that Python does not know
        raise source.error(f"this is not XML: {error}", f"line {parser.CurrentLineNumber}") from None
    return root.inside[0]
