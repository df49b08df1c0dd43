"""XML of annotations, read without entities, documents of types or anything from elsewhere."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from core.labels.reading import read_bytes, refuse_other_kinds, unreadable
from core.language import tr


class _DocumentTypeError(Exception):
    """A document type is declared, in which entities can be."""


class _Builder(TreeBuilder):
    def doctype(self, name: str, public: str | None, system: str | None) -> None:
        raise _DocumentTypeError


def read_xml(path: Path) -> Element:
    """Read an XML file.

    Raises:
        LabelsError: it cannot be read, is damaged, or declares a document type: those can make
            a small file large.
    """
    content = read_bytes(path)
    refuse_other_kinds(path, content)
    parser = XMLParser(target=_Builder())
    try:
        parser.feed(content)
        root: Element = parser.close()
        return root
    except _DocumentTypeError as error:
        reason = tr("it declares a document type, which no file of labels needs")
        raise unreadable(path, reason) from error
    except (ParseError, ValueError, LookupError) as error:
        raise unreadable(path, tr("it is not XML, or is damaged")) from error


def text_of(element: Element, tag: str) -> str:
    """Return the text of a child; "" where there is none."""
    return (element.findtext(tag) or "").strip()
