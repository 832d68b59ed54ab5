"""Number fields: what Enter has taken can be typed over at once."""

from __future__ import annotations

from panel.custom import JSComponent


class NumberFields(JSComponent):
    """Draws nothing; gives a number field the focus anew after Enter, without which its widget takes no more input."""

    _esm = """
    function again(event) {
      const field = event.composedPath()[0];
      if (event.key !== "Enter" || !field.matches?.("input[type=text]")) return;
      setTimeout(() => {
        if (field.getRootNode().activeElement !== field) return;
        field.blur();
        field.focus();
        field.select();
      });
    }

    export function render() {
      document.addEventListener("keydown", again); // the same function is added only once
      return document.createElement("div");
    }
    """
