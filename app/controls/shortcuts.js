// Tells which of the page's keys was pressed, unless it belongs to what has the focus.

const WRITES = "input:not([type=checkbox]):not([type=range]), textarea, select, [contenteditable=true]";
const USES = "button, a[href], input, summary, [role=slider], [role=combobox], [role=menuitem], [role=tab], [role=option]";

function open(root) {
  if (root.querySelector("[role=dialog], [role=menu], [role=listbox]")) return true;
  return [...root.querySelectorAll("*")].some((element) => element.shadowRoot && open(element.shadowRoot));
}

const keyOf = (event) => ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && !event.shiftKey ? "undo" : event.key);

export function render({model}) {
  function pressed(event) {
    const key = keyOf(event), [target] = event.composedPath();
    if (event.defaultPrevented || event.altKey || !model.keys.includes(key)) return;
    if (key !== "undo" && (event.ctrlKey || event.metaKey)) return;
    if (target.matches?.(WRITES) || (key !== "?" && key !== "undo" && target.matches?.(USES))) return;
    if (open(document)) return;
    event.preventDefault(); // the page would scroll
    model.send_msg(key);
  }
  document.addEventListener("keydown", pressed);
  model.on("remove", () => document.removeEventListener("keydown", pressed));
  return document.createElement("div");
}
