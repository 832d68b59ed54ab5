// What lies over the picture and is never hidden by an atom: rings around picked atoms with the lines between them,
// the axes of the cell, and the name of the atom under the pointer. Comes before `ngl.js`.
const RING = 11; // least radius of a ring, in pixels
const AXIS = 26; // length of an axis, in pixels, and its distance from the corner
const AXES = [["a", "#d0342c"], ["b", "#1a8f5a"], ["c", "#3b6fd4"]];

class Overlay {
  constructor(container) {
    this.svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    this.svg.style.cssText = "position:absolute;inset:0;width:100%;height:100%;pointer-events:none;font:12px Roboto,sans-serif";
    this.svg.setAttribute("aria-hidden", "true");
    container.append(this.svg);
    this.label = null; // { x, y, text }, of the pointer
  }

  // Draws marks, shape [{ x, y, radius }], lines between them with their lengths in Å, and axes as directions.
  draw(marks, lengths, axes) {
    const height = this.svg.clientHeight;
    const lines = marks.slice(1).map((to, i) => {
      const from = marks[i];
      const [x, y] = [(from.x + to.x) / 2, (from.y + to.y) / 2];
      return `<line x1="${from.x}" y1="${from.y}" x2="${to.x}" y2="${to.y}" stroke="currentColor" stroke-width="2" stroke-dasharray="5 4"/>
        ${this.text(x + 6, y - 6, `${lengths[i].toFixed(2)} Å`)}`;
    });
    const rings = marks.map(({ x, y, radius }) => [["#fff", 5], ["#111", 2]].map(([colour, width]) =>
      `<circle cx="${x}" cy="${y}" r="${Math.max(RING, 1.4 * radius)}" fill="none" stroke="${colour}" stroke-width="${width}"/>`).join(""));
    const arrows = axes.map(([u, v], i) => {
      const [name, colour] = AXES[i];
      const [x, y] = [AXIS + 8, height - AXIS - 8];
      return `<line x1="${x}" y1="${y}" x2="${x + AXIS * u}" y2="${y - AXIS * v}" stroke="${colour}" stroke-width="2.5" stroke-linecap="round"/>
        ${this.text(x + 1.25 * AXIS * u - 3, y - 1.25 * AXIS * v + 4, name)}`;
    });
    const label = this.label ? this.text(this.label.x + 12, this.label.y - 8, this.label.text) : "";
    this.svg.innerHTML = [...lines, ...rings, ...arrows, label].join("");
  }

  text(x, y, words) {
    return `<text x="${x}" y="${y}" fill="currentColor" stroke="var(--behind)" stroke-width="4" paint-order="stroke">${words}</text>`;
  }

  background(colour) {
    const [r, g, b] = [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
    this.svg.style.color = r + g + b > 380 ? "#1a1a1a" : "#f2f2f2";
    this.svg.style.setProperty("--behind", colour);
  }
}
