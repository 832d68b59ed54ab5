"""The download of a session as one zip file, and the way back.

For the page:

- `results_zip(snapshot, checks, uploaded)` is the callback of the download button and `zip_name(snapshot)` the file's
  name. Both need a finished candidate: disable the button while `snapshot.finished` is empty.
- `snapshot_from_zip(data)` turns uploaded bytes into the snapshot that was packed, or raises a `AcgenError` whose text
  can be shown as it is; nothing is changed when it does. `Runner.adopt` takes it while no run is active.
  `snapshot.settings` has the target and everything for the controls, `snapshot.trajectory` the frames to replay and to
  branch from, `snapshot.finished` the candidates of all runs, `snapshot.log` what was done.
- `opened(data)` is that snapshot and the structures from files that were packed with it.
- `app.session.opening` refuses uploads of more than `MAX_ZIP` bytes before they are kept.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import replace

from acgen.assets import asset
from acgen.inference.check import Check
from acgen.results.archive import read_zip, write_zip
from acgen.results.run import LogEntry, ResultsError, Run
from acgen.sampling.generate import FrameEvent
from app.session.snapshot import Finished, Snapshot, Status
from app.session.uploaded import KEPT_UPLOADS, Uploaded
from app.session.uploads import printable

#: Largest upload, bytes; and what it may unpack to.
MAX_ZIP, MAX_UNPACKED = 50_000_000, 150_000_000
#: Bytes of frames that are packed, so that the file can be uploaded again; of more, only some are kept.
FRAME_BYTES = 15_000_000


def results_zip(
    snapshot: Snapshot,
    checks: Mapping[tuple[int, int], Check] | None = None,
    uploaded: Sequence[Uploaded] = (),
) -> io.BytesIO:
    """Pack everything about the runs of a session, and its structures from files, see `acgen.results.archive`.

    `checks` are by run and candidate.

    Raises
    ------
    AcgenError
        If no candidate is finished.
    """
    packed = io.BytesIO()
    write_zip(packed, replace(run_of(snapshot), uploaded=_as_run(uploaded)), checks)
    packed.seek(0)
    return packed


def _as_run(uploaded: Sequence[Uploaded]) -> Run | None:
    """Structures from files, compared with the target of the last one, as what is stored of them."""
    if not uploaded:
        return None
    found = []
    for index, item in enumerate(uploaded):
        atoms = item.candidate.atoms.copy()
        atoms.info["name"] = item.label
        found.append(replace(item.candidate, atoms=atoms, index=index))
    return Run(uploaded[-1].settings, tuple(found), dict(uploaded[-1].weights))


def example() -> bytes:
    """A session that comes with the program, for `snapshot_from_zip`."""
    return asset("example/example.zip").read_bytes()


def zip_name(snapshot: Snapshot) -> str:
    """Name of that file, from what made it."""
    settings = run_of(snapshot).settings
    target = "unguided" if settings.target is None else "".join(c if c.isalnum() else "-" for c in settings.target.name)
    return f"acgen_{target}_{settings.density:.3g}gcm3_seed{settings.seed}.zip"


def opened(data: bytes, version: int = 1) -> tuple[Snapshot, tuple[Uploaded, ...]]:
    """The snapshot of a file of `results_zip`, and the structures from files, with indices from 0.

    Parameters
    ----------
    data
        Content of the file, from anyone.
    version
        Of the snapshot.

    Raises
    ------
    AcgenError
        If it is no such file; the message says why.
    """
    if len(data) > MAX_ZIP:
        raise ResultsError(f"the file has {len(data) / 1e6:.1f} MB, at most {MAX_ZIP / 1e6:g} MB are read")
    run = read_zip(io.BytesIO(data), MAX_UNPACKED)
    files = run.uploaded
    uploaded = () if files is None else tuple(
        Uploaded(0, files.settings, each, weights=files.weights, label=printable(str(each.atoms.info.get("name", ""))))
        for each in files.candidates[-KEPT_UPLOADS:]
    )
    return _snapshot(run, version), uploaded


def snapshot_from_zip(data: bytes, version: int = 1) -> Snapshot:
    """The snapshot alone of `opened`."""
    return opened(data, version)[0]


def _snapshot(run: Run, version: int) -> Snapshot:
    *earlier, last = sorted((*run.earlier, run), key=lambda part: part.number)
    finished = tuple(
        Finished(part.number, part.settings, candidate, weights=part.weights)
        for part in (*earlier, last)
        for candidate in part.candidates
    )
    event = last.frames[-1] if last.frames else None
    done = sum(candidate.unfinished is None for candidate in last.candidates)
    whole = done == last.settings.candidates
    return Snapshot(
        version=version,
        run=last.number,
        status=Status.DONE if whole else Status.STOPPED,
        settings=last.settings,
        weights=last.weights,
        candidate=max(0, done - 1) if event is None else event.candidate,
        frame=None if event is None else event.frame,
        xi=None if event is None else event.xi,
        trajectory=last.frames,
        made=done * len(last.settings.plan) + (0 if whole or event is None else event.frame.step),
        misfits=_misfits(last.frames),
        finished=finished,
        log=(*last.log, LogEntry.now("Brought back from a file")),
        earlier=tuple(replace(part, candidates=(), frames=(), earlier=()) for part in earlier),
        elapsed=last.elapsed or 0.0,
    )


def run_of(snapshot: Snapshot) -> Run:
    """The newest run of a session that has a finished candidate, and all others as its earlier ones.

    Raises
    ------
    AcgenError
        If no candidate is finished.
    """
    if not snapshot.finished:
        raise ResultsError("no candidate is finished yet: wait for the first, or let the run go on")
    parts = {run.number: run for run in snapshot.runs}
    for item in snapshot.finished:
        part = parts.get(item.run) or Run(item.settings, (), dict(item.weights), number=item.run)
        parts[item.run] = replace(part, candidates=(*part.candidates, item.candidate))
    newest = max((part for part in parts.values() if part.candidates), key=lambda part: part.number)
    frames = thinned(snapshot.trajectory, FRAME_BYTES) if newest.number == snapshot.run else ()
    others = tuple(part for number, part in sorted(parts.items()) if part is not newest)
    return replace(newest, frames=frames, earlier=others)


def thinned(frames: tuple[FrameEvent, ...], most: int) -> tuple[FrameEvent, ...]:
    """Every frame, or every second, third … up to the last, that needs no more than `most` bytes."""
    if not frames:
        return ()
    frame = frames[-1].frame
    size = frame.positions.nbytes + frame.denoised.nbytes + frame.rng_state.nbytes
    every = -(-size * len(frames) // most)
    return frames[(len(frames) - 1) % every :: every]


def _misfits(frames: tuple[FrameEvent, ...]) -> tuple[tuple[tuple[int, float], ...], ...]:
    """Steps and misfits by candidate, as `Snapshot.misfits`."""
    count = max((event.candidate for event in frames), default=-1) + 1
    found: list[list[tuple[int, float]]] = [[] for _ in range(count)]
    for event in frames:
        if event.frame.misfit is not None:
            found[event.candidate].append((event.frame.step, event.frame.misfit))
    return tuple(map(tuple, found))
