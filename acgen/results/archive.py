"""One zip file of a run: everything it found, what made it, a readable report, and what brings it back.

`report.html`
    the result to read, offline, by itself
`summary.json`
    settings, checksums of the weights, seeds, figures of every candidate, the log
`spectra.csv`
    target and predicted spectra, plain and, where an instrument was fitted, as seen through it
`pdf.csv`
    measured and predicted pair distribution, where one guided
`candidates.extxyz`
    all candidates with their figures
`structures/NNN.cif`, `.vasp`, `.data`
    each as CIF, POSCAR and LAMMPS data
`trajectory-NNN.extxyz`
    frames, where they were kept
`checks/NNN.json`
    what another code says of a candidate, where it was asked
`plots/*.svg`, `*.png`
    the plots of the report
`log.txt`
    what was done
`run-NN/`
    the same of every other run of the session; of one without a candidate its log
`uploaded/spectra.csv`, `uploaded/candidates.extxyz`, `uploaded/structures/`
    structures from files that were compared with the target
`restore/run.json`, `restore/arrays.safetensors`
    the same run, exact, for `read_zip`
"""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from ase import Atoms
from ase.io import write

from acgen import __version__
from acgen.checks import want
from acgen.inference.check import Check
from acgen.results import codec, figures
from acgen.results.files import pdf_csv, spectra_csv, summary_json, trajectory
from acgen.results.report import figures_of, report_html
from acgen.results.run import LogEntry, ResultsError, Run

#: 2: an instrument may be fitted; 3: tolerance, guide_below and end_t, whether a target was measured, times in the log;
#: 4: frames have the instrument that was fitted to them, and a candidate may be unfinished; 5: structures from files;
#: 6: pair distributions; 7: seconds of work, copied surroundings.
FORMAT = 7
_CLASSES: dict[str, type] = {"Run": Run, "LogEntry": LogEntry}
RUN, ARRAYS = "restore/run.json", "restore/arrays.safetensors"
#: Bounds of what is read: entries of the file, bytes of what is unpacked, runs; candidates, frames and atoms of a run.
MAX_ENTRIES, MAX_BYTES, MAX_RUNS = 10_000, 500_000_000, 1_000
MAX_CANDIDATES, MAX_FRAMES, MAX_ATOMS = 1_000, 100_000, 100_000


def write_zip(
    file: str | Path | BinaryIO, run: Run, checks: Mapping[tuple[int, int], Check] | None = None
) -> None:
    """Write a run as one zip file, see the head of this module.

    Parameters
    ----------
    file
        Path, or a binary file to write to; nothing is left at the path when it fails.
    checks
        What another code says of candidates, by the numbers of run and candidate; `read_zip` does not bring it back.

    Raises
    ------
    ResultsError
        If no candidate of it is finished, or there is more than `read_zip` would take.
    """
    if not run.candidates:
        raise ResultsError("no candidate is finished yet: wait for the first, or let the run go on")
    text, arrays = codec.dump({"format": FORMAT, "acgen": __version__, "run": run}, _CLASSES)
    if len(text) + len(arrays) > MAX_BYTES or len(run.frames) > MAX_FRAMES:
        raise ResultsError(
            f"the run has {(len(text) + len(arrays)) / 1e6:.0f} MB and {len(run.frames)} frames, at most "
            f"{MAX_BYTES / 1e6:.0f} MB and {MAX_FRAMES} are stored: leave out the frames"
        )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as pack:
        for part in (run, *run.earlier):
            own = {index: found for (number, index), found in (checks or {}).items() if number == part.number}
            for name, content in _contents(part, own) if part.candidates else [_log(part)]:
                pack.writestr(name if part is run else f"run-{part.number:02d}/{name}", content)
        for name, content in () if run.uploaded is None else _structures(run.uploaded):
            pack.writestr(f"uploaded/{name}", content)
        pack.writestr(RUN, text)
        pack.writestr(ARRAYS, arrays)
    if isinstance(file, (str, Path)):
        Path(file).write_bytes(packed.getvalue())
    else:
        file.write(packed.getvalue())


def read_zip(file: str | Path | BinaryIO, max_bytes: int = MAX_BYTES) -> Run:
    """Bring back the run of a file of `write_zip`; nothing is written to disk and nothing else of the file is read.

    Parameters
    ----------
    file
        Path or binary file, from anyone.
    max_bytes
        Largest size of what is unpacked.

    Raises
    ------
    ResultsError
        If it is no such file, is damaged, was made by a newer version, or exceeds a bound.
    """
    try:
        with zipfile.ZipFile(file) as pack:
            text, arrays = _unpack(pack, max_bytes)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        # the last two are what zipfile raises for an unknown compression and for a password
        raise ResultsError(f"this is not a zip file of acgen, or it is damaged ({error})") from error
    try:
        run = _run(codec.load(text, arrays, _CLASSES))
    except ResultsError:
        raise
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ResultsError(f"the zip file does not hold a run that can be restored: {error}") from error
    return run


def _unpack(pack: zipfile.ZipFile, max_bytes: int) -> tuple[bytes, bytes]:
    entries = pack.infolist()
    if len(entries) > MAX_ENTRIES:
        raise ResultsError(f"the zip file has {len(entries)} entries, a result has at most {MAX_ENTRIES}")
    by_name = {entry.filename: entry for entry in entries}
    for name in (RUN, ARRAYS):
        if name not in by_name:
            raise ResultsError(f"the zip file has no {name}: choose one that acgen has written")
    if sum(by_name[name].file_size for name in (RUN, ARRAYS)) > max_bytes:
        raise ResultsError(f"the zip file holds more than {max_bytes / 1e6:.0f} MB, which is not read")
    contents = []
    for name in (RUN, ARRAYS):
        with pack.open(by_name[name]) as content:
            contents.append(content.read(max_bytes + 1))  # what the file says of its sizes may be wrong
    if sum(map(len, contents)) > max_bytes:
        raise ResultsError(f"the zip file holds more than {max_bytes / 1e6:.0f} MB, which is not read")
    return contents[0], contents[1]


def _run(content: dict[str, Any]) -> Run:
    version = content.get("format")
    if type(version) is not int or version > FORMAT:
        raise ResultsError(f"the result has format {version!r}, this acgen reads up to {FORMAT}: update acgen")
    run = content.get("run")
    if not isinstance(run, Run):
        raise ResultsError("the zip file does not hold a run that can be restored: it holds no run")
    want(len(run.earlier) <= MAX_RUNS, f"it has {len(run.earlier)} earlier runs, at most {MAX_RUNS} are read")
    for part in (run, *run.earlier, *(() if run.uploaded is None else (run.uploaded,))):
        for what, count, most in (
            ("candidates", len(part.candidates), MAX_CANDIDATES),
            ("frames", len(part.frames), MAX_FRAMES),
            ("lines of log", len(part.log), MAX_FRAMES),
            ("atoms", max([part.settings.n_atoms, *(len(item.atoms) for item in part.candidates)]), MAX_ATOMS),
        ):
            want(count <= most, f"it has {count} {what}, at most {most} are read")
    return run


def _contents(run: Run, checks: Mapping[int, Check]) -> Iterator[tuple[str, str | bytes]]:
    """Names and contents of the entries of one run, but for what restores it."""
    yield "report.html", report_html(run.settings, run.candidates, run.weights, run.log, list(checks.values()))
    yield "summary.json", summary_json(run)
    yield _log(run)
    yield from _structures(run)
    for number, found in sorted(checks.items()):
        yield f"checks/{number:03d}.json", json.dumps(found.to_dict(), indent=1) + "\n"
    for index in sorted({event.candidate for event in run.frames}):
        images = trajectory([event for event in run.frames if event.candidate == index], run.settings.box)
        yield f"trajectory-{index:03d}.extxyz", _formatted(images, "extxyz")
    for name, figure in figures_of(run.settings, run.candidates).items():
        yield f"plots/{name}.svg", figures.svg(figure)
        yield f"plots/{name}.png", figures.png(figure)


def _structures(run: Run) -> Iterator[tuple[str, str | bytes]]:
    """Names and contents of the entries with candidates and their spectra."""
    yield "spectra.csv", spectra_csv(run.settings.target, run.candidates)
    if run.settings.pdf is not None:
        yield "pdf.csv", pdf_csv(run.settings.pdf, run.candidates)
    yield "candidates.extxyz", _formatted([candidate.atoms for candidate in run.candidates], "extxyz")
    for candidate in run.candidates:
        plain = Atoms(candidate.atoms.symbols, positions=candidate.atoms.positions, cell=candidate.atoms.cell, pbc=True)
        stem = f"structures/{candidate.index:03d}"
        yield f"{stem}.cif", _formatted(plain, "cif")
        yield f"{stem}.vasp", _formatted(plain, "vasp", direct=True)
        yield f"{stem}.data", _formatted(plain, "lammps-data", masses=True)


def _log(run: Run) -> tuple[str, str]:
    return "log.txt", "".join(f"{entry.line}\n" for entry in run.log)


def _formatted(atoms: Atoms | list[Atoms], form: str, **options: Any) -> bytes:
    """Structures in a format of ase."""
    with tempfile.TemporaryDirectory(prefix="acgen-") as folder:
        path = Path(folder) / "structure"
        write(path, atoms, format=form, **options)
        return path.read_bytes()
