"""Spectra from a browser: bounded on the server whatever the client claims, then read and prepared by the core."""

from __future__ import annotations

import panel_material_ui as pmui
import param

from acgen.spectra.prepare import prepare
from acgen.spectra.read import read_spectrum
from acgen.spectra.spectrum import SpectrumError, Target

#: A spectrum is a short table; a raw beamline file has some hundred kilobytes.
MAX_BYTES = 2_000_000
MAX_ROWS = 20_000
MAX_NAME = 60


def target_from_upload(data: bytes, filename: str) -> Target:
    """Make a target of an uploaded file.

    Parameters
    ----------
    data
        Content of the file.
    filename
        Its name as the client gives it; only its last part is used, as a label.

    Raises
    ------
    SpectrumError
        If the file is too large or no spectrum; the message says why.
    """
    if not isinstance(data, bytes) or len(data) == 0:
        raise SpectrumError("the file is empty: choose one with two columns, energy in eV and intensity")
    if len(data) > MAX_BYTES:
        raise SpectrumError(
            f"the file has {len(data) / 1e6:.1f} MB, at most {MAX_BYTES / 1e6:g} MB are read: cut it to the C K edge"
        )
    rows = max(data.count(b"\n"), data.count(b"\r"))
    if rows > MAX_ROWS:
        raise SpectrumError(f"the file has {rows} lines, at most {MAX_ROWS} are read: cut it to the C K edge")
    name = label_of(filename)
    return prepare(read_spectrum(data, name))


def label_of(filename: str) -> str:
    """A short printable name without folders."""
    last = str(filename).replace("\\", "/").rsplit("/", 1)[-1]
    printable = "".join(char for char in last if char.isprintable()).strip()
    return printable[:MAX_NAME] or "uploaded spectrum"


class SpectrumInput(pmui.FileInput):
    """A file button that keeps at most one chunk of at most `MAX_BYTES`, whatever the client sends."""

    refused = param.String("", doc="Why the last upload was not taken.")

    _rename = {"refused": None}

    def _process_chunk(self, msg: dict) -> None:
        data = msg.get("data")
        self._file_buffer.clear()
        self._buffer.clear()
        if (
            not isinstance(data, (bytes, bytearray, memoryview))
            or msg.get("total_chunks") != 1
            or len(data) > MAX_BYTES
        ):
            self.refused = ""
            self.refused = f"the file is larger than {MAX_BYTES / 1e6:g} MB: cut it to the C K edge"
            return
        super()._process_chunk(msg | {"chunk": 1})
