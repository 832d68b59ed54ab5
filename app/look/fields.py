"""Number fields: what Enter has taken can be typed over at once."""

from __future__ import annotations

from panel.custom import JSComponent


class NumberFields(JSComponent):
    """Draws nothing; lets go of a field and takes it again after Enter, because its widget hears no more until then."""

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
