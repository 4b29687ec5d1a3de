"""HTML that is escaped by the way it is made."""

from xml.etree.ElementTree import Element, tostring

Child = Element | str | None


def element(tag: str, *children: Child, **attributes: str | int) -> Element:
    """An element with text and elements in it; None is left out.

    Names of attributes lose a trailing underscore, which keeps them apart from Python's words, and
    an underscore in them is a hyphen.
    """
    made = Element(
        tag, {name.rstrip("_").replace("_", "-"): str(value) for name, value in attributes.items()}
    )
    last: Element | None = None
    for child in children:
        if isinstance(child, str):
            if last is None:
                made.text = (made.text or "") + child
            else:
                last.tail = (last.tail or "") + child
        elif child is not None:
            made.append(child)
            last = child
    return made


def document(root: Element) -> str:
    """The whole page."""
    return "<!doctype html>\n" + tostring(root, encoding="unicode", method="html") + "\n"
