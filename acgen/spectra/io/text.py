"""The text of a file of unknown encoding, and what a file seems to be that is no text."""

from __future__ import annotations

from acgen.spectra.spectrum import SpectrumError

MAX_BYTES = 20_000_000
MAX_TEXT = 5_000_000

#: How files of other kinds begin, what they are, and what to do with them.
_SIGNATURES: tuple[tuple[bytes, str, str], ...] = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel or other Office file", "save it as .xlsx or CSV"),
    (b"%PDF", "a PDF", "give the table of numbers that it was made from"),
    (b"\x89PNG", "a PNG picture", "give the numbers, not a picture of them"),
    (b"\xff\xd8\xff", "a JPEG picture", "give the numbers, not a picture of them"),
    (b"GIF8", "a GIF picture", "give the numbers, not a picture of them"),
    (b"II*\0", "a TIFF image", "export a spectrum of a region as text"),
    (b"MM\0*", "a TIFF image", "export a spectrum of a region as text"),
    (b"BZh", "a bzip2 archive", "unpack it first"),
    (b"\xfd7zXZ", "an xz archive", "unpack it first"),
    (b"7z\xbc\xaf", "a 7z archive", "unpack it first"),
    (b"Rar!", "a RAR archive", "unpack it first"),
    (b"\x93NUMPY", "a NumPy array", "save it as text, with numpy.savetxt"),
    (b"MATLAB 5.0", "a MATLAB file", "save it as text or HDF5 (-v7.3)"),
    (b"CDF\x01", "a netCDF file", "save it as text"),
    (b"CDF\x02", "a netCDF file", "save it as text"),
    (b"\x0e\x03\x13\x01", "an HDF4 file", "convert it to HDF5 or text"),
    (b"SQLite format 3", "an SQLite database", "export the table as CSV"),
    (b"CPYA", "an Origin project", "export the worksheet as ASCII"),
    (b"CPYUA", "an Origin project", "export the worksheet as ASCII"),
    (b"\x0a\x0a\xfe\xfe", "a Bruker OPUS file", "export it as text"),
    (b"\x3f\xa6\x66\x66", "an EPICS MDA file", "convert it with mda2ascii"),
    (b"\x3f\xb3\x33\x33", "an EPICS MDA file", "convert it with mda2ascii"),
    (b"\x80\x04\x95", "a Python pickle", "save it as text; pickles are not opened, because they can run anything"),
    (b"\x80\x05\x95", "a Python pickle", "save it as text; pickles are not opened, because they can run anything"),
    (b"\x7fELF", "a program", "give a table of numbers"),
)
#: The same for text.
_TEXTS: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("<!doctype html", "<html"), "a web page (HTML)", "download the file itself, not the page about it"),
    (("{\\rtf",), "a Rich Text document", "save it as plain text"),
    (("<?xml", "<svg"), "an XML file", "export the spectrum as text or CSV"),
    (("%!ps",), "a PostScript picture", "give the numbers, not a picture of them"),
    (("scandefinition",), "the header (.hdr) of an STXM scan", "export the spectrum of a region as text"),
)


def decode(data: bytes) -> str:
    """Text of a file: UTF-8, UTF-16 or UTF-32, with their marks or without, else Windows-1252, as old instruments do.

    Raises
    ------
    SpectrumError
        If the file is empty, too large or not text; the message names what it seems to be.
    """
    if len(data) > MAX_BYTES:
        raise SpectrumError(f"the file is larger than {MAX_BYTES // 1_000_000} MB: a spectrum is a short table")
    if not data.strip(b"\0 \t\r\n\f\v"):
        raise SpectrumError("the file is empty: expected energies and intensities in columns")
    what = binary_kind(data)
    if what:
        raise SpectrumError(f"this is {what}")
    if len(data) > MAX_TEXT:
        raise SpectrumError(f"the text is longer than {MAX_TEXT // 1_000_000} MB: leave out columns or other scans")
    text = _decoded(data)
    what = _text_kind(text)
    if what:
        raise SpectrumError(f"this is {what}")
    return text


def binary_kind(data: bytes) -> str:
    """What a file that is no text seems to be and what to do with it; empty if it is none of the known kinds."""
    for start, what, remedy in _SIGNATURES:
        if data.startswith(start):
            return f"{what}, not text: {remedy}"
    if data.startswith(b"PK\x03\x04"):
        if b"opendocument" in data[:200]:
            return "an OpenDocument file, not text: save it as .xlsx or CSV"
        if b"word/" in data[:4000]:
            return "a Word document, not text: save the table as plain text or CSV"
        return "a zip archive, not text: unpack it first"
    return ""


def _text_kind(text: str) -> str:
    start = text[:400].lstrip("\ufeff \t\r\n").lower()
    for starts, what, remedy in _TEXTS:
        if start.startswith(starts):
            return f"{what}: {remedy}"
    return ""


def _decoded(data: bytes) -> str:
    encoding = _wide(data)
    if encoding:
        return data.decode(encoding, errors="replace").lstrip("\ufeff")
    if b"\0" in data:
        raise SpectrumError("the file is not text, and of no known kind: export the spectrum as text or CSV")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _wide(data: bytes) -> str:
    """UTF-16 or UTF-32 by its mark, or by where the zeros stand in text that is mostly digits; empty if neither."""
    if data.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        return "utf-32"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    start = data[:4000]
    start = start[: len(start) // 4 * 4]
    if not start:
        return ""
    quarter = len(start) / 4
    zero = [start[k::4].count(0) / quarter > 0.7 for k in range(4)]
    patterns = {
        (False, True, False, True): "utf-16-le",
        (True, False, True, False): "utf-16-be",
        (False, True, True, True): "utf-32-le",
        (True, True, True, False): "utf-32-be",
    }
    return patterns.get((zero[0], zero[1], zero[2], zero[3]), "")
