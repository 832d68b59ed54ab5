"""The child process of `app.preparation.files`: tries to read one file from standard input within bounds.

Ends with 0 if the file can be read, with 3 and the reason on standard output if not, and in any other way if it took
too much time or memory.
"""

from __future__ import annotations

import signal
import sys

from acgen.memory import limit_memory
from acgen.spectra.io.read import list_contents
from acgen.spectra.spectrum import SpectrumError

#: Memory for reading, bytes, on top of what Python takes.
MAX_MEMORY = 500_000_000


def main() -> int:
    """Read what comes in; the only argument is how many seconds of a processor that may take."""
    data = sys.stdin.buffer.read()
    _limit(float(sys.argv[1]))
    try:
        list_contents(data)
    except SpectrumError as error:
        sys.stdout.buffer.write(str(error).encode("utf-8", errors="replace"))
        return 3
    return 0


def _limit(seconds: float) -> None:
    """Bound time and memory, where the system can; the parent bounds the time in any case."""
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_PROF, seconds)
    limit_memory(MAX_MEMORY)


if __name__ == "__main__":
    sys.exit(main())
