"""XMP packets, in which programs store a description inside a file or in a separate file.

lxml edits the RDF tree and leaves everything else in it unchanged, even namespaces that no library
knows. python-xmp-toolkit needs a C library that pip does not install, and pyexiv2 is under the GPL
and has no wheels for some systems; in the tests, both read the packets that are written here.
"""

import re
from typing import Any, Literal

from lxml import etree

from captioner.errors import CaptionerError

Existing = Literal["keep", "overwrite", "append", "prepend"]

_X = "adobe:ns:meta/"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_DC = "http://purl.org/dc/elements/1.1/"
_IPTC = "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"
_DESCRIPTION, _ALT, _ITEM = (f"{{{_RDF}}}{name}" for name in ("Description", "Alt", "li"))
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
# The properties that photo managers show as the caption and that screen readers read (IPTC 2021.1).
PROPERTIES = {"description": f"{{{_DC}}}description", "alt": f"{{{_IPTC}}}AltTextAccessibility"}
_PREFIXES = {"dc": _DC, "Iptc4xmpCore": _IPTC}
_BLANK = b"\0 \t\r\n"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BEGIN = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
_END = '\n<?xpacket end="w"?>'
_EMPTY = f'<x:xmpmeta xmlns:x="{_X}"><rdf:RDF xmlns:rdf="{_RDF}"/></x:xmpmeta>'


def read_texts(packet: bytes) -> dict[str, str]:
    """Read the description and the alternative text of a packet.

    Args:
        packet: XML, with or without its wrapper of processing instructions.

    Returns:
        Dictionary with the keys "description" and "alt", if present: the texts in the default
        language.

    Raises:
        CaptionerError: If it is not XMP.

    Example:
        >>> read_texts(write_texts(b"", "a dog", "keep"))
        {'description': 'a dog', 'alt': 'a dog'}
    """
    rdf = _parse(packet)
    found = {name: _default(rdf, tag) for name, tag in PROPERTIES.items()}
    return {name: item.text for name, item in found.items() if item is not None and item.text}


def write_texts(packet: bytes, text: str, existing: Existing) -> bytes:
    """Write a text into a packet, as its description and as its alternative text.

    Texts in other languages and all other properties are kept.

    Args:
        packet: Packet as for `read_texts`; empty for a new one.
        text: Plain text.
        existing: Treatment of an existing text: "keep" or "overwrite" it, or add the new text
            after it ("append") or before it ("prepend"), unless it is already there.

    Returns:
        The new packet, UTF-8 with its wrapper.

    Raises:
        CaptionerError: If `packet` is not XMP.

    Example:
        >>> read_texts(write_texts(write_texts(b"", "Rex", "keep"), "a dog", "append"))
        {'description': 'Rex a dog', 'alt': 'Rex a dog'}
    """
    rdf = _parse(packet) if packet.strip(_BLANK) else etree.fromstring(_EMPTY)[0]
    text = _NOT_XML.sub("", text)
    for tag in PROPERTIES.values():
        item = _default(rdf, tag)
        if item is None:
            item = _add(_first_description(rdf), tag)
        item.text = join_texts(item.text or "", text, existing)
    root = rdf.getroottree().getroot()
    return f"{_BEGIN}{etree.tostring(root, encoding='unicode')}{_END}".encode()


def join_texts(old: str, new: str, existing: Existing) -> str:
    """Join an existing text and a new one; repeating it changes nothing.

    Example:
        >>> join_texts("Rex", "a dog", "prepend"), join_texts("a dog Rex", "a dog", "prepend")
        ('a dog Rex', 'a dog Rex')
    """
    old = old.strip()
    if not old or existing == "overwrite":
        return new
    if existing == "append" and not f" {old}".endswith((f" {new}", f"\n{new}")):
        return f"{old} {new}"
    if existing == "prepend" and not f"{old} ".startswith((f"{new} ", f"{new}\n")):
        return f"{new} {old}"
    return old


def _parse(packet: bytes) -> Any:
    """Return the rdf:RDF element of a packet, with its texts as language alternatives."""
    # Packets are untrusted: do not expand entities or fetch anything.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        root: Any = etree.fromstring(packet.strip(_BLANK), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise CaptionerError(f"its XMP is damaged ({error}): delete or fix it") from error
    rdf = next(root.iter(f"{{{_RDF}}}RDF"), None)
    if rdf is None or root.getroottree().docinfo.doctype:
        raise CaptionerError("its XMP is not plain RDF: delete or fix it")
    for description in rdf.iterchildren(_DESCRIPTION):
        for tag in PROPERTIES.values():
            _make_list(description, tag)
    return rdf


def _first_description(rdf: Any) -> Any:
    found = rdf.find(_DESCRIPTION)
    if found is None:
        found = etree.SubElement(rdf, _DESCRIPTION)
        found.set(f"{{{_RDF}}}about", "")
    return found


def _make_list(description: Any, tag: str) -> None:
    """Turn a plain text, which some programs write as attribute or element, into a list."""
    text = description.attrib.pop(tag, "").strip()
    found = description.find(tag)
    if found is not None and found.find(_ALT) is None:
        text = text or (found.text or "").strip()
        description.remove(found)
    if text:
        _add(description, tag).text = text


def _default(rdf: Any, tag: str) -> Any:
    """Return the item in the default language, or else the first item; None without items."""
    items = rdf.findall(f"{_DESCRIPTION}/{tag}/{_ALT}/{_ITEM}")
    default = (item for item in items if item.get(_LANG, "").lower() == "x-default")
    return next(default, items[0] if items else None)


def _add(description: Any, tag: str) -> Any:
    """Add an empty item to a property, which is created if it is missing."""
    namespace = etree.QName(tag).namespace
    prefix = {prefix: uri for prefix, uri in _PREFIXES.items() if uri == namespace}
    found = description.find(tag)
    if found is None:
        found = etree.SubElement(description, tag, nsmap=prefix)
    alternatives = found.find(_ALT)
    if alternatives is None:
        alternatives = etree.SubElement(found, _ALT)
    item = etree.SubElement(alternatives, _ITEM)
    item.set(_LANG, "x-default")
    return item
