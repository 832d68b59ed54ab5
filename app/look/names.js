// What the toolkits of the page leave without a name or with a wrong role, found in every shadow root once in a while.

const EVERY_MS = 1500;

function name(element, text) {
  if (text && !element.getAttribute("aria-label")) element.setAttribute("aria-label", text);
}

function role(element, wanted) {
  if (!element.hasAttribute("role")) element.setAttribute("role", wanted);
}

// An icon with a tooltip says the tooltip; a switch of an icon has it on its frame only.
function described(root) {
  for (const span of root.querySelectorAll("span[aria-label]")) {
    const input = span.querySelector("input");
    role(span, input ? "group" : "img");
    if (input) name(input, span.getAttribute("aria-label"));
  }
}

// The field beside a slider, and the buttons of a number.
function fields(root) {
  const slider = root.querySelector("input[type=range]");
  if (slider) {
    const label = root.querySelector("label, .MuiFormLabel-root")?.textContent.replace(/:\s*$/, "").trim();
    for (const input of root.querySelectorAll("input[type=text]")) name(input, slider.getAttribute("aria-label") || label);
  }
  const buttons = root.querySelectorAll(".MuiInputBase-root button:not([aria-label]):not([title])");
  if (buttons.length === 2) [...buttons].forEach((button, i) => name(button, ["Less", "More"][i]));
}

// A row group that takes the focus is none; its rows hold boxes that do.
function tables(root) {
  for (const holder of root.querySelectorAll(".tabulator-tableholder[tabindex]")) holder.removeAttribute("tabindex");
  for (const box of root.querySelectorAll(".tabulator-row input[type=checkbox]")) {
    name(box, `Compare ${box.closest(".tabulator-row").querySelector("[tabulator-field=name]")?.textContent ?? ""}`);
  }
  for (const box of root.querySelectorAll(".tabulator-header input[type=checkbox]")) name(box, "Compare all");
}

function plots() {
  for (const view of Bokeh.index.query((found) => found.model.type === "Figure")) {
    const [x, y] = [view.model.below, view.model.left].map((axes) => axes[0]?.axis_label);
    if (!view.el.isConnected || !x) continue;
    role(view.el, "figure");
    name(view.el, `Plot: ${y} over ${x}`);
  }
}

function* roots(root) {
  yield root;
  for (const element of root.querySelectorAll("*")) {
    if (element.shadowRoot) yield* roots(element.shadowRoot);
  }
}

function all() {
  for (const root of roots(document)) [described, fields, tables].forEach((part) => part(root));
  plots();
}

let timer = null;

export function render() {
  timer ??= setInterval(() => document.hidden || requestIdleCallback(all, {timeout: EVERY_MS}), EVERY_MS);
  return document.createElement("div");
}
