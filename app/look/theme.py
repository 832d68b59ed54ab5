"""The theme of the page's toolkit: colours, and what its parts do by default."""

from __future__ import annotations

TEXT = ":root { --design-background-text-color: currentcolor; }"
"""Lets words and icons in Panel's own rows and columns have the colour of what is around them: black otherwise, in the
dark too."""

PARTS = {
    "MuiToolbar": {"defaultProps": {"variant": "dense"}},
    "MuiAppBar": {"styleOverrides": {"root": {"backgroundColor": "#1f3a5f", "color": "#ffffff"}}},
    # As wide as its text, however narrow the button; it lies over other buttons, which have to work all the same.
    "MuiTooltip": {
        "defaultProps": {"disableInteractive": True},
        "styleOverrides": {"tooltip": {"width": "max-content", "maxWidth": "260px"}},
    },
    # The title is the heading of the page; what keeps its place free elsewhere is none.
    "MuiTypography": {"defaultProps": {"variantMapping": {"h3": "h1", "h5": "div", "body2": "p"}}},
    # Minus and plus of a number: dark grey otherwise, in the dark too.
    "MuiInputAdornment": {
        "styleOverrides": {"root": {"& .MuiIconButton-root:not(.Mui-disabled)": {"color": "inherit"}}}
    },
    "MuiLinearProgress": {"defaultProps": {"aria-label": "Work of the page"}},
}
THEME = {
    "light": {"palette": {"primary": {"main": "#1f3a5f"}, "secondary": {"main": "#d55e00"}}, "components": PARTS},
    "dark": {"palette": {"primary": {"main": "#8ab4e8"}, "secondary": {"main": "#ff8a3d"}}, "components": PARTS},
}
