// Installed once on nglview's NGLView (`this`): draws frames of a fixed set of atoms in a periodic cell.
// A message of Python calls `acgenShow(frame)`; `acgen_drawn` answers when the frame is on the screen.
const view = this;
const decode = (text, Type) => new Type(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
const pad = (value, width) => String(value).padStart(width);

let waiting = null; // the newest frame that is not drawn yet; an older one is dropped
let drawing = false;
let shape = null; // what the loaded structure was made for: atoms and cell
let component = null;

// One atom, one residue: NGL then guesses no bonds of its own.
function pdb(positions) {
  const lines = [];
  for (let i = 0; i < positions.length / 3; i++) {
    const xyz = [0, 1, 2].map((k) => pad(positions[3 * i + k].toFixed(3), 8)).join("");
    lines.push(`HETATM${pad((i + 1) % 100000, 5)}  C   CAR A${pad((i + 1) % 10000, 4)}    ${xyz}  1.00  0.00           C`);
  }
  return lines.join("\n") + "\nEND\n";
}

function cellEdges(cell, colour) {
  const corner = (i, j, k) => [0, 1, 2].map((d) => i * cell[0][d] + j * cell[1][d] + k * cell[2][d]);
  const edges = [];
  for (const i of [0, 1]) {
    for (const j of [0, 1]) {
      edges.push([corner(0, i, j), corner(1, i, j)], [corner(i, 0, j), corner(i, 1, j)], [corner(i, j, 0), corner(i, j, 1)]);
    }
  }
  const radius = 0.004 * Math.cbrt(Math.hypot(...cell[0]) * Math.hypot(...cell[1]) * Math.hypot(...cell[2]));
  return edges.map(([start, end]) => ["cylinder", start, end, colour, radius]);
}

async function load(frame, positions) {
  const first = component === null;
  view.stage.removeAllComponents();
  const file = new Blob([pdb(positions)], { type: "text/plain" });
  component = await view.stage.loadFile(file, { ext: "pdb", defaultRepresentation: false });
  component.addRepresentation("ball+stick", {
    colorScheme: "bfactor", colorScale: frame.colours, colorDomain: [0, frame.colours.length - 1], colorMode: "rgb",
    radiusSize: 0.17, radiusType: "size", aspectRatio: 2.0, multipleBond: "off", quality: "medium",
  });
  view.addShape("cell", cellEdges(frame.cell, frame.edge));
  if (first) {
    view.stage.viewerControls.rotate(new view.stage.viewer.rotationGroup.quaternion.constructor(0.17, -0.24, 0.04, 0.954).normalize());
  }
  fit(0);
}

// The whole cell, with room for its corners.
function fit(milliseconds) {
  view.stage.animationControls.zoomMove(view.stage.getCenter(), 1.35 * view.stage.getZoom(), milliseconds);
}

function place(frame, positions) {
  const structure = component.structure;
  structure.updatePosition(positions, false);
  structure.atomStore.bfactor.set(decode(frame.cn, Float32Array));
  const pairs = decode(frame.bonds, Int32Array);
  const store = structure.bondStore;
  const count = pairs.length / 2;
  if (store.length < count) store.resize(count);
  for (let i = 0; i < count; i++) {
    store.atomIndex1[i] = pairs[2 * i];
    store.atomIndex2[i] = pairs[2 * i + 1];
    store.bondOrder[i] = 1;
  }
  store.count = count;
  structure.finalizeBonds();
  structure.refreshPosition(); // lets the views of the structure take the new bonds
  component.rebuildRepresentations();
}

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const renderer = view.stage.viewer.renderer;
let pace = 0; // milliseconds that a frame takes, smoothed
let idle = null;

// A slow machine draws a stream of frames at half the resolution, and the last one as it should be.
function resolution(full) {
  const ratio = full ? window.devicePixelRatio : 0.5 * window.devicePixelRatio;
  if (renderer.getPixelRatio() === ratio) return;
  renderer.setPixelRatio(ratio);
  view.stage.viewer.requestRender();
}

async function draw() {
  drawing = true;
  clearTimeout(idle);
  while (waiting !== null) {
    const frame = waiting;
    waiting = null;
    const begin = performance.now();
    const positions = decode(frame.positions, Float32Array);
    if (frame.shape !== shape) {
      await load(frame, positions);
      shape = frame.shape;
    }
    place(frame, positions);
    await new Promise(requestAnimationFrame); // NGL draws
    await new Promise(requestAnimationFrame); // and the browser has shown it
    view.send({ type: "acgen_drawn", id: frame.id });
    const took = performance.now() - begin;
    pace = pace === 0 ? took : 0.8 * pace + 0.2 * took;
    if (pace > 100) resolution(false);
    await sleep(Math.min(0.3 * took, 200)); // leaves the browser time for clicks
  }
  drawing = false;
  idle = setTimeout(resolution, Math.max(700, 5 * pace), true);
}

view.acgenShow = (frame) => {
  waiting = frame;
  if (!drawing) draw();
};
view.acgenBackground = (colour) => view.stage.setParameters({ backgroundColor: colour });
view.acgenReset = () => fit(300);
view.acgenSpin = (on) => view.stage.setSpin(on ? [0, 1, 0] : null, on ? 0.005 : null);
view.acgenFullScreen = () => view.stage.toggleFullscreen(view.el.parentElement);
view.acgenPicture = async (name) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await view.stage.makeImage({ factor: 2, antialias: true }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
};

// nglview gives its canvas a fixed size and its own buttons: fill the place that the page gives instead.
view.mouseOverDisplay = () => {};
view.$pickingInfo.hide();
view.el.style.cssText += "width:100%;height:100%;margin:0;overflow:hidden;";
view.$container.resizable("destroy");
Object.assign(view.stage.viewer.container.style, { width: "100%", height: "100%" });
new ResizeObserver(() => view.stage.handleResize()).observe(view.el);
// Without sampleLevel -1 NGL draws eight times over whenever half a second passed since the last frame.
view.stage.setParameters({ sampleLevel: -1, clipDist: 1, fogNear: 55, fogFar: 120, tooltip: false, ambientIntensity: 0.35 });
view.send({ type: "acgen_ready" });
