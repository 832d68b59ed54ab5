"""The shipped networks, loaded once for all sessions of a server or widgets of a notebook; they are never changed."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

from acgen.networks.models import load_models

shared_models = functools.cache(load_models)


@dataclass(frozen=True)
class Loaded:
    """The networks that make a run, by the SHA-256 of their files."""

    sha256: Mapping[str, str]
