"""The shipped networks, loaded once for all sessions of a server or widgets of a notebook; they are never changed."""

from __future__ import annotations

import functools

from acgen.networks.models import load_models

shared_models = functools.cache(load_models)
