"""The child process of `acgen.spectra.feff_run`: one site, stage by stage, within processor time and memory."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path

from acgen.memory import limit_memory

#: The stages of FEFF that a XANES spectrum needs; the rest of the 18 have nothing to do.
STAGES = ("RDINP", "ATOMIC", "POT", "SCREEN", "XSPH", "FMS", "MKGTR", "PATH", "GENFMT", "FF2X")


def main() -> int:
    """Run the `feff.inp` of a folder; 3 if FEFF fails, with the reason in `error.txt`. FEFF prints what it likes."""
    import feff10

    folder, seconds, memory = Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    threading.Thread(target=end_with_parent, daemon=True).start()
    limit_memory(memory)
    try:
        given = feff10.FeffInput.from_file_strict(str(folder / "feff.inp"))
        for name in STAGES:
            limit_seconds(seconds - used_seconds())
            stages = [getattr(feff10.Stage, name)]
            feff10.FeffPipeline(feff10.FeffConfig(str(folder), given, stages=stages)).run()
    except feff10.FeffError as error:
        spent = used_seconds()
        late = f"took more than {seconds:g} s of processor time" if spent > seconds - 2 else ""
        (folder / "error.txt").write_text(late or f"failed: {' '.join(str(error).split())[:300]}", encoding="utf-8")
        return 3
    (folder / "done.json").write_text(json.dumps({"seconds": round(used_seconds(), 2)}), encoding="utf-8")
    return 0


def end_with_parent() -> None:
    """Wait until the parent closes the standard input, as its end does however it comes, and end all stages."""
    os.read(0, 1)
    if os.name == "posix":
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def used_seconds() -> float:
    """Processor time of the stages so far, which does not count while they are stopped or wait."""
    try:
        import resource
    except ImportError:  # not a Unix
        return 0.0
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def limit_seconds(seconds: float) -> None:
    """Let this process, and each that it starts, take at most so much processor time; elsewhere, do nothing."""
    try:
        import resource
    except ImportError:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (max(1, int(seconds)), hard))


if __name__ == "__main__":
    sys.exit(main())
