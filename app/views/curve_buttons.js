// A legend of buttons; what is pressed is seen.
export function render({ model }) {
  const box = document.createElement("div");
  box.className = "legend";

  function turn(key) {
    const hidden = model.hidden;
    model.hidden = hidden.includes(key) ? hidden.filter((each) => each !== key) : [...hidden, key];
  }

  function draw() {
    box.replaceChildren(...model.entries.map(({ key, name, colour, kind }) => {
      const button = document.createElement("button");
      const seen = !model.hidden.includes(key);
      button.setAttribute("aria-pressed", seen);
      button.title = seen ? `Hide ${name}` : `Show ${name}`;
      const mark = document.createElement("span");
      mark.className = `swatch ${kind}`;
      mark.style.setProperty("--colour", colour);
      button.append(mark, name);
      button.addEventListener("click", () => turn(key));
      return button;
    }));
  }

  model.on("entries", draw);
  model.on("hidden", draw);
  draw();
  return box;
}
