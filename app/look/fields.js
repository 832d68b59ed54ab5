// Reads number fields before their widgets do, which know neither "2,5" nor "1e3" and say nothing.

const SHOWN_MS = 8000;
let limits = {};
const before = new WeakMap(); // what a field held before it was typed into

function limitsOf(event) {
  for (const part of event.composedPath()) {
    for (const name of part.classList ?? []) {
      if (name in limits) return limits[name];
    }
  }
}

function fieldOf(event) {
  const field = event.composedPath()[0];
  return field.matches?.("input[type=text]") ? field : null;
}

// The number that a text means, or why it means none.
function read(text, {label, ends: [low, high], whole, empty}) {
  if (empty && text.trim() === "") return {value: ""};
  const wanted = `${label}: ${low} to ${high}${whole ? ", a whole number" : ""}`;
  let typed = text.trim().replace("−", "-");
  if (/^-?[1-9]\d{0,2}(,\d{3})+$/.test(typed)) {
    const thousands = whole || typed.split(",").length > 2;
    const number = typed.replaceAll(",", "");
    if (!thousands) {
      return {why: `${label}: “${typed}” may be ${number} or ${typed.replace(",", ".")}; write one of them`};
    }
    typed = number;
  }
  const value = Number(typed.replace(/^([^,.]*),([^,.]*)$/, "$1.$2"));
  if (typed === "" || !Number.isFinite(value)) return {why: `${wanted}; “${text.slice(0, 20)}” is no number`};
  if (value < low || value > high || (whole && !Number.isInteger(value))) return {why: `${wanted}, not ${typed}`};
  return {value};
}

function write(field, text) {
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(field, text);
  field.dispatchEvent(new InputEvent("input", {bubbles: true, composed: true}));
}

// Decimals without a power of ten, which the widgets do not know.
const plain = (value) => (/e/.test(value) ? value.toFixed(12).replace(/\.?0+$/, "") : String(value));

let answer = null;
function say(field, why) {
  answer?.remove();
  const {left, bottom} = field.getBoundingClientRect();
  answer = document.createElement("div");
  answer.setAttribute("role", "alert");
  answer.textContent = why;
  answer.style.cssText = `position: fixed; z-index: 2000; top: ${bottom + 4}px; max-width: 300px; padding: 6px 10px;
    border-radius: 4px; background: #a32020; color: #fff; font: 13px/1.35 Roboto, sans-serif; pointer-events: none;
    box-shadow: 0 2px 8px rgba(0, 0, 0, 0.35);`;
  document.body.append(answer);
  answer.style.left = `${Math.max(8, Math.min(left, window.innerWidth - answer.offsetWidth - 8))}px`;
  setTimeout((shown) => shown.remove(), SHOWN_MS, answer);
}

function commit(field, known) {
  if (!before.has(field)) return;
  const {value, why} = read(field.value, known);
  if (why) {
    say(field, why);
    write(field, before.get(field));
  } else if (field.value !== plain(value)) {
    write(field, plain(value));
  }
  before.delete(field);
}

// Enter ends the focus of a number's widget, which then takes no more input until it has the focus anew.
function again(field) {
  setTimeout(() => {
    if (field.getRootNode().activeElement !== field) return;
    field.blur();
    field.focus();
    field.select();
  });
}

function typed(event) {
  const field = fieldOf(event), known = limitsOf(event);
  if (!field || !known || before.has(field) || event.inputType === "insertLineBreak") return; // Enter
  answer?.remove();
  before.set(field, field.value);
  // At the field itself: leaving it for a neighbour in the same widget is not seen outside.
  field.addEventListener("focusout", () => commit(field, known), {once: true});
}

function pressed(event) {
  const field = fieldOf(event);
  if (!field) return;
  if (event.key === "Enter") {
    const known = limitsOf(event);
    if (known) commit(field, known);
    again(field);
  } else if (event.key.startsWith("Arrow") || event.key.startsWith("Page")) {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") before.delete(field); // the number is another one
  }
}

export function render({model}) {
  limits = model.limits;
  // The same function is added only once.
  document.addEventListener("beforeinput", typed, true);
  document.addEventListener("keydown", pressed, true);
  return document.createElement("div");
}
