"""Finding the files that ship with the package: weights, targets, reference structures."""

from __future__ import annotations

from pathlib import Path

from acgen.errors import AcgenError

_PACKAGE = Path(__file__).resolve().parent
#: Where assets may lie: inside an installed wheel, or beside the package in a checkout.
FOLDERS = (_PACKAGE / "_assets", _PACKAGE.parent / "assets")


def asset(name: str) -> Path:
    """Path of a shipped file or folder.

    Parameters
    ----------
    name
        Path relative to the assets folder, for example ``"targets.csv"``.

    Raises
    ------
    AcgenError
        If no assets folder has it.
    """
    for folder in FOLDERS:
        if (folder / name).exists():
            return folder / name
    looked = " or ".join(str(folder) for folder in FOLDERS)
    raise AcgenError(f"the shipped file {name!r} was not found in {looked}: reinstall acgen")
