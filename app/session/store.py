"""Sessions on disk, so that they outlive their server: one private folder each, written by that server alone.

`session.acgen`
    choices, targets with their recipes, logs, and the frames of the newest run
`candidate-RUN-INDEX.acgen`
    a candidate, or as one of run 0 a structure from a file, which never changes once it is written
`raw-SHA256.bin`
    a measured file behind a target
`about.json`
    what is in it, in a few numbers
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import time
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from acgen.errors import AcgenError
from acgen.results import codec
from acgen.results.run import LogEntry, Run
from acgen.spectra.beamline import BeamlineProfile
from acgen.spectra.spectrum import Target
from app.session.archive import FRAME_BYTES, thinned
from app.session.snapshot import Finished, Snapshot, Status
from app.session.uploaded import Uploaded

FORMAT = 1
#: Bytes that the candidates of one session may take, and all sessions together; seconds after which one is removed.
SESSION_BYTES, ALL_BYTES, AGE = 200_000_000, 2_000_000_000, 14 * 86_400.0
SESSION, ABOUT = "session.acgen", "about.json"
_CLASSES: dict[str, type] = {
    kind.__name__: kind for kind in (Snapshot, Finished, Uploaded, Run, LogEntry, BeamlineProfile)
}
_TEXT, _ARRAYS = "content.json", "arrays.safetensors"
_NAME = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class About:
    """What a session holds.

    `saved` is local time (ISO 8601) with its offset; `targets` counts those of its own; `active`: a run goes on.
    """

    saved: str
    targets: int
    candidates: int
    runs: int
    active: bool = False

    @property
    def worth(self) -> bool:
        """Whether there is more in it than settings."""
        return self.targets + self.runs > 0


@dataclass(frozen=True, eq=False)
class Saved:
    """A session apart from the page that showed it: state of its runs, what was chosen, and targets of its own."""

    snapshot: Snapshot
    choices: Mapping[str, Any]
    targets: Mapping[str, Target]
    #: Whether its run was active when it was saved, and ended with its server.
    cut_off: bool = False

    @property
    def about(self) -> About:
        """What it holds now."""
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        return About(now, len(self.targets), len(self.snapshot.finished), len(self.snapshot.runs))


class Store:
    """A folder of sessions by name, which is 64 hexadecimal digits.

    Parameters
    ----------
    folder
        Made if it is missing; what is in it is nobody else's to read.
    all_bytes, age
        Bytes that all sessions may take, and seconds after which one is removed.

    Raises
    ------
    AcgenError
        If it cannot be written to.
    """

    def __init__(self, folder: Path, all_bytes: float = ALL_BYTES, age: float = AGE):
        self.folder, self._all_bytes, self._age = folder, all_bytes, age
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
        except OSError as error:
            raise AcgenError(f"sessions cannot be kept in {folder}, {error.strerror}: choose another folder") from error
        if not os.access(folder, os.W_OK):
            raise AcgenError(f"sessions cannot be kept in {folder}, which cannot be written to: choose another folder")

    def write(self, name: str, saved: Saved) -> None:
        """Bring a session up to date on disk; each file is replaced as a whole or not at all."""
        folder = self._of(name)
        folder.mkdir(mode=0o700, exist_ok=True)
        uploaded = saved.choices.get("uploaded", ())
        kept = {_file_of(item): item for item in _newest((*saved.snapshot.finished, *uploaded))}
        for file in folder.glob("candidate-*"):
            if file.name not in kept:
                file.unlink()
        for file, item in kept.items():
            if not (folder / file).exists():
                _write(folder / file, _packed({"format": FORMAT, "finished": item}))
        raw, files = _apart(saved.choices.get("raw", {}))
        for name, data in files.items():
            if not (folder / name).exists():
                _write(folder / name, data)
        _write(folder / SESSION, _packed(_content(saved, raw)))
        for name in {file.name for file in folder.glob("raw-*")} - set(files):  # which nothing refers to any more
            (folder / name).unlink()
        _write(folder / ABOUT, json.dumps(asdict(saved.about)).encode())

    def about(self, name: str) -> About | None:
        """What a session holds; None if there is none of that name."""
        try:
            return About(**json.loads((self._of(name) / ABOUT).read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    def read(self, name: str) -> Saved:
        """Bring a session back; a run that was active then is stopped now.

        Raises
        ------
        AcgenError
            If there is none, or it cannot be read.
        """
        folder = self._of(name)
        try:
            content = _unpacked((folder / SESSION).read_bytes())
            finished = [_unpacked(file.read_bytes())["finished"] for file in sorted(folder.glob("candidate-*"))]
            raw = {
                target: {kind: (name, (folder / file).read_bytes()) for kind, (name, file) in files.items()}
                for target, files in content["choices"].get("raw", {}).items()
            }
            content["choices"] = content["choices"] | {"raw": raw}
            return _saved(content, tuple(finished))
        except (OSError, zipfile.BadZipFile, zlib.error, ValueError, LookupError, TypeError, AttributeError) as error:
            raise AcgenError(f"the session that was saved cannot be read ({error})") from error

    def prune(self, in_use: Iterable[str] = ()) -> None:
        """Remove what is too old, and the oldest of what is too much, but none that is in use."""
        found = []
        for folder in self.folder.iterdir():
            if _NAME.fullmatch(folder.name) and folder.is_dir():
                files = [file.stat() for file in folder.iterdir()]
                found.append((max((f.st_mtime for f in files), default=0.0), sum(f.st_size for f in files), folder))
        total = 0
        for changed, size, folder in sorted(found, reverse=True):
            total += size
            if (total > self._all_bytes or time.time() - changed > self._age) and folder.name not in in_use:
                shutil.rmtree(folder, ignore_errors=True)
                total -= size

    def _of(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise AcgenError(f"a session is named by 64 hexadecimal digits, got {name[:80]!r}")
        return self.folder / name


def _apart(raw: Mapping[str, Mapping[str, tuple[str, bytes]]]) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Files behind targets as names of files of the session, and those by their names."""
    files: dict[str, bytes] = {}
    listed: dict[str, Any] = {}
    for target, kinds in raw.items():
        listed[target] = {}
        for kind, (name, data) in kinds.items():
            file = f"raw-{hashlib.sha256(data).hexdigest()}.bin"
            files[file] = data
            listed[target][kind] = (name, file)
    return listed, files


def _content(saved: Saved, raw: Mapping[str, Any]) -> dict[str, Any]:
    snapshot = saved.snapshot
    frames = thinned(snapshot.trajectory, FRAME_BYTES)
    return {
        "format": FORMAT,
        "snapshot": replace(snapshot, finished=(), frame=None, trajectory=frames, misfits=(), load=None),
        "misfits": tuple(np.array(pairs, dtype=float).reshape(-1, 2) for pairs in snapshot.misfits),
        "choices": {name: value for name, value in saved.choices.items() if name != "uploaded"} | {"raw": raw},
        "targets": dict(saved.targets),
    }


def _saved(content: dict[str, Any], finished: tuple[Finished, ...]) -> Saved:
    snapshot: Snapshot = content["snapshot"]
    status = Status(snapshot.status)
    frames, log = snapshot.trajectory, snapshot.log
    if status.active:
        last = frames[-1] if frames else None
        frames = (*snapshot.beside, *frames)  # to go on from
        where = "" if last is None else f" after step {last.frame.step} of candidate {last.candidate + 1}"
        log = (*log, LogEntry.now(f"The server had ended{where}: brought back as it was saved"))
    ordered = sorted(finished, key=lambda item: item.key)
    snapshot = replace(
        snapshot,
        status=Status.STOPPED if status.active else status,
        place=0,
        trajectory=frames,
        beside=(),
        frame=frames[-1].frame if frames else None,
        misfits=tuple(tuple((int(step), float(misfit)) for step, misfit in pairs) for pairs in content["misfits"]),
        finished=tuple(item for item in ordered if not isinstance(item, Uploaded)),
        log=log,
    )
    uploaded = tuple(item for item in ordered if isinstance(item, Uploaded))
    return Saved(snapshot, content["choices"] | {"uploaded": uploaded}, content["targets"], status.active)


def _newest(finished: tuple[Finished, ...]) -> list[Finished]:
    """As many candidates, from the last, as a session may keep on disk."""
    kept, total = [], 0
    for item in reversed(finished):
        total += item.candidate.site_spectra.nbytes
        if total > SESSION_BYTES:
            break
        kept.append(item)
    return kept


def _file_of(item: Finished) -> str:
    return f"candidate-{item.run:04d}-{item.candidate.index:04d}.acgen"


def _packed(content: dict[str, Any]) -> bytes:
    text, arrays = codec.dump(content, _CLASSES)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as pack:
        pack.writestr(_TEXT, text)
        pack.writestr(_ARRAYS, arrays, zipfile.ZIP_STORED)
    return packed.getvalue()


def _unpacked(data: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(data)) as pack:
        content = codec.load(pack.read(_TEXT), pack.read(_ARRAYS), _CLASSES)
    if content.get("format") != FORMAT:
        raise AcgenError("another version of acgen has saved it")
    return content


def _write(file: Path, data: bytes) -> None:
    """All of it or nothing, even if the machine fails."""
    fresh = file.with_suffix(".new")
    with fresh.open("wb") as output:
        output.write(data)
        output.flush()
        os.fsync(output.fileno())
    fresh.replace(file)
