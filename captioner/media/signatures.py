"""The formats that Pillow does not read, told apart by their first bytes."""

_SIGNATURES = {
    b"%PDF": "a PDF document",
    b"\xff\x0a": "a JPEG XL picture",
    b"\x00\x00\x00\x0cJXL ": "a JPEG XL picture",
}
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_ISO_MEDIA = "a video or another ISO media file"
_UNKNOWN = "not a picture, or in a format that Pillow does not know"


def name_format(head: bytes) -> str:
    """Names what a file is that could not be opened as a picture.

    Args:
        head: The first bytes of the file, some thousand for text formats.

    Example:
        >>> name_format(b"<svg xmlns='http://www.w3.org/2000/svg'/>")
        'an SVG drawing'
    """
    if not head:
        return "empty"
    for signature, name in _SIGNATURES.items():
        if head.startswith(signature):
            return name
    if head[4:8] == b"ftyp":  # ISO/IEC 14496-12: a major brand, and later the compatible ones
        if b"avif" in head[8:64] or b"avis" in head[8:64]:
            return "an AVIF picture that this Pillow does not decode"
        if head[8:12] in _HEIC_BRANDS:
            return "a HEIC picture"
        return _ISO_MEDIA
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith((b"<svg", b"<?xml", b"<!--", b"<!doctype svg")) and b"<svg" in text:
        return "an SVG drawing"
    return _UNKNOWN


def may_be_video(head: bytes) -> bool:
    """Whether a file that is no picture is worth trying as a video, by its first bytes.

    Example:
        >>> may_be_video(b"RIFF0000AVI LIST"), may_be_video(b"%PDF-1.7")
        (True, False)
    """
    return name_format(head) in (_ISO_MEDIA, _UNKNOWN)
