"""Number fields: what people type is taken, and what cannot be is answered with what can."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import param
from panel.custom import JSComponent


class NumberFields(JSComponent):
    """Draws nothing but answers; reads what is typed into number fields before their widgets do.

    A decimal comma and powers of ten are taken, and nothing where a number may be missing. What is no number, not whole
    or out of bounds goes back, and the field says why. After Enter it can be typed over at once.
    """

    limits = param.Dict(default={}, doc="What each field takes, by a class of its widget; see `limits_of`.")

    _esm = Path(__file__).with_name("fields.js")


def limits_of(*choices: param.Parameterized) -> dict[str, dict[str, Any]]:
    """What the field of each bounded number takes, by the class `acgen-NAME` of its widget."""
    return {
        f"acgen-{name}": {
            "label": each.label,
            "ends": each.bounds,
            "whole": isinstance(each, param.Integer),
            "empty": each.allow_None,
        }
        for one in choices
        for name, each in one.param.objects("existing").items()
        if isinstance(each, param.Number) and each.bounds is not None and None not in each.bounds
    }
