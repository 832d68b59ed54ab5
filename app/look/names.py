"""Names and roles for whoever hears the page: what its toolkits leave without one."""

from __future__ import annotations

from pathlib import Path

from panel.custom import JSComponent


class Names(JSComponent):
    """Draws nothing; gives number fields, icons, switches, plots and tables their names, whenever some are new."""

    _esm = Path(__file__).with_name("names.js")
