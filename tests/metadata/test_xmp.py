import xml.etree.ElementTree as ET

import pyexiv2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from captioner.errors import CaptionerError
from captioner.metadata.xmp import join_texts, read_texts, write_texts

DESCRIPTION, ALT = "Xmp.dc.description", "Xmp.iptc.AltTextAccessibility"
# As darktable 4 writes it, shortened.
DARKTABLE = b"""<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:darktable="http://darktable.sf.net/"
   xmp:Rating="4"
   darktable:history_end="2">
   <darktable:history>
    <rdf:Seq>
     <rdf:li darktable:num="0" darktable:operation="flip" darktable:params="ffffffff"/>
     <rdf:li darktable:num="1" darktable:operation="exposure" darktable:params="gz02"/>
    </rdf:Seq>
   </darktable:history>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
"""
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"


def read_by_exiv2(packet, tmp_path):
    """What another library makes of a packet: of sidecars it is the one within darktable."""
    path = tmp_path / "a.jpg.xmp"
    path.write_bytes(packet)
    with pyexiv2.Image(str(path)) as image:
        return image.read_xmp()


def default(value):
    return value['lang="x-default"']


def test_a_new_packet_by_another_library(tmp_path):
    found = read_by_exiv2(write_texts(b"", "a dog & a <b>cat</b>", "keep"), tmp_path)
    assert default(found[DESCRIPTION]) == default(found[ALT]) == "a dog & a <b>cat</b>"
    assert set(found) == {DESCRIPTION, ALT}


def test_what_other_programs_have_written_stays(tmp_path):
    before = read_by_exiv2(DARKTABLE, tmp_path)
    after = read_by_exiv2(write_texts(DARKTABLE, "a dog", "keep"), tmp_path)
    assert default(after.pop(DESCRIPTION)) == default(after.pop(ALT)) == "a dog"
    assert len(before) > 5 and after == before
    assert b'xmlns:darktable="http://darktable.sf.net/"' in write_texts(DARKTABLE, "x", "keep")


def packet_with(description):
    return f"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
      xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
      xmlns:dc="http://purl.org/dc/elements/1.1/">{description}</rdf:RDF></x:xmpmeta>""".encode()


def languages(**texts):
    items = "".join(f'<rdf:li xml:lang="{lang}">{text}</rdf:li>' for lang, text in texts.items())
    return packet_with(
        f'<rdf:Description rdf:about=""/><rdf:Description rdf:about=""><dc:description><rdf:Alt>'
        f"{items}</rdf:Alt></dc:description></rdf:Description>"
    )


def test_texts_in_other_languages_stay(tmp_path):
    packet = languages(de="ein Hund", **{"x-default": "Rex"})
    for existing, expected in (("keep", "Rex"), ("overwrite", "a dog"), ("prepend", "a dog Rex")):
        found = read_by_exiv2(write_texts(packet, "a dog", existing), tmp_path)
        assert default(found[DESCRIPTION]) == expected
        assert found[DESCRIPTION]['lang="de"'] == "ein Hund"
        assert default(found[ALT]) == "a dog"


def test_a_text_in_one_language_alone_is_the_description():
    packet = languages(de="ein Hund")
    assert read_texts(packet) == {"description": "ein Hund"}
    assert read_texts(write_texts(packet, "a dog", "keep")) == {
        "description": "ein Hund",
        "alt": "a dog",
    }


@pytest.mark.parametrize(
    "description",
    [
        '<rdf:Description rdf:about="" dc:description="our Rex"/>',
        '<rdf:Description rdf:about=""><dc:description>our Rex</dc:description></rdf:Description>',
    ],
)
def test_plain_texts_are_kept_as_lists_of_languages(description, tmp_path):
    written = write_texts(packet_with(description), "a dog", "append")
    assert default(read_by_exiv2(written, tmp_path)[DESCRIPTION]) == "our Rex a dog"
    assert (
        len(list(ET.fromstring(written).iter("{http://purl.org/dc/elements/1.1/}description"))) == 1
    )


text = st.text(st.characters(codec="utf-8"), max_size=30)


@settings(deadline=None)
@given(first=text, second=text)
def test_any_text_comes_back_by_the_standard_library(first, second):
    packet = write_texts(b"", first, "overwrite")
    packet = write_texts(packet, second, "overwrite")
    items = list(ET.fromstring(packet).iter(f"{RDF}li"))
    # XML has no characters for most controls, and no carriage return of its own.
    kept = "".join(c for c in second if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff"))
    assert [item.text or "" for item in items] == [kept, kept]


@settings(deadline=None)
@given(old=text, new=text, existing=st.sampled_from(["keep", "overwrite", "append", "prepend"]))
def test_joining_twice_is_joining_once(old, new, existing):
    once = join_texts(old, new.strip(), existing)
    assert join_texts(once, new.strip(), existing) == once
    assert existing == "overwrite" or old.strip() in once


BOMB = b"""<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "&c;&c;&c;&c;"><!ENTITY c "lol">]>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">&b;</rdf:RDF>"""


@pytest.mark.parametrize(
    "packet", [b"<x:xmpmeta", b"no xml", b"<html/>", BOMB, "<a>\xff</a>".encode("latin1")]
)
def test_what_is_no_xmp_is_refused(packet):
    for use in (read_texts, lambda packet: write_texts(packet, "a dog", "overwrite")):
        with pytest.raises(CaptionerError, match="its XMP is"):
            use(packet)
