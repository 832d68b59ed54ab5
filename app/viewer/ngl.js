// Installed once on nglview's NGLView (`this`): draws frames of a fixed set of atoms in a periodic cell.
// A message of Python calls `acgenShow(frame)`; `acgen_drawn` answers when the frame is on the screen.
const view = this;
const decode = (text, Type) => new Type(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
const pad = (value, width) => String(value).padStart(width);

let waiting = null; // the newest frame that is not drawn yet; an older one is dropped
let drawing = false;
let shape = null; // what is loaded was made for: atoms and cell
let scene = null; // buffers of the graphics card, and the frame that they show

const BALL = 0.34; // radii in Å
const STICK = 0.17;
const MARK = 0.55;

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

// Adds primitives whose number stays the same: only what they look like changes from frame to frame.
function primitives(kind, attributes) {
  view.addBuffer(kind, attributes);
  return view.stage.compList[view.stage.compList.length - 1].reprList[0].repr.bufferList[0];
}

// All that is drawn beside the cell, of no size yet, at one point.
function buffers(atoms, room, point) {
  const many = (count, each) => new Float32Array(each * count);
  const at = (count) => Float32Array.from({ length: 3 * count }, (_, i) => point[i % 3]);
  const made = {
    room,
    balls: primitives("sphere", { position: at(atoms), color: many(atoms, 3), radius: many(atoms, 1) }),
    mark: primitives("sphere", { position: at(1), color: many(1, 3), radius: many(1, 1) }),
    sticks: primitives("cylinder", {
      position1: at(room), position2: at(room), color: many(room, 3), color2: many(room, 3), radius: many(room, 1),
    }),
  };
  made.mark.setParameters({ opacity: 0.45 });
  return made;
}

function load(frame, atoms, bonds) {
  const first = scene === null;
  [...view.stage.compList].filter((part) => !kept.includes(part)).forEach((part) => view.stage.removeComponent(part));
  view.addShape("cell", cellEdges(frame.cell, frame.edge));
  const room = Math.max(2 * atoms, Math.ceil(1.3 * bonds)); // a carbon atom has at most four bonds, most have three
  scene = buffers(atoms, room, [0, 1, 2].map((d) => (frame.cell[0][d] + frame.cell[1][d] + frame.cell[2][d]) / 2));
  if (first) {
    view.stage.viewerControls.rotate(new view.stage.viewer.rotationGroup.quaternion.constructor(0.17, -0.24, 0.04, 0.954).normalize());
  }
  fit(0);
}

// The whole cell, with room for its corners.
function fit(milliseconds) {
  view.stage.animationControls.zoomMove(view.stage.getCenter(), 1.35 * view.stage.getZoom(), milliseconds);
}

const rgb = (colour) => [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16) / 255);

function place(frame, positions, pairs) {
  const palette = frame.palette.map(rgb);
  const colour = decode(frame.colour, Uint8Array);
  const color = new Float32Array(positions.length);
  colour.forEach((value, i) => color.set(palette[value], 3 * i));
  scene.balls.setAttributes({ position: positions, color, radius: new Float32Array(colour.length).fill(BALL) });

  const ends = { position1: 3, position2: 3, color: 3, color2: 3, radius: 1 };
  const sticks = Object.fromEntries(Object.entries(ends).map(([name, each]) => [name, new Float32Array(each * scene.room)]));
  for (let i = 0; i < pairs.length / 2; i++) {
    const [from, to] = [3 * pairs[2 * i], 3 * pairs[2 * i + 1]];
    for (let k = 0; k < 3; k++) {
      sticks.position1[3 * i + k] = positions[from + k];
      sticks.position2[3 * i + k] = positions[to + k];
      sticks.color[3 * i + k] = color[from + k];
      sticks.color2[3 * i + k] = color[to + k];
    }
    sticks.radius[i] = STICK;
  }
  scene.sticks.setAttributes(sticks);

  const marked = frame.marked === null ? [0, 0, 0] : positions.slice(3 * frame.marked, 3 * frame.marked + 3);
  scene.mark.setAttributes({
    position: Float32Array.from(marked), color: Float32Array.from(rgb(frame.mark)), radius: Float32Array.of(frame.marked === null ? 0 : MARK),
  });
  scene.positions = positions;
  view.stage.viewer.requestRender();
}

// Tells which atom is under the pointer, the nearest to the eye; coordinates of the canvas from its lower left.
function pick(x, y) {
  if (scene === null) return;
  const { viewer, viewerControls } = view.stage;
  const point = viewer.translationGroup.position.clone();
  let found = null;
  let depth = Infinity;
  for (let i = 0; i < scene.positions.length / 3; i++) {
    point.fromArray(scene.positions, 3 * i).add(viewer.translationGroup.position).applyMatrix4(viewer.rotationGroup.matrix);
    const radius = Math.max(5, BALL / viewerControls.getCanvasScaleFactor(point.z));
    point.project(viewer.camera);
    const distance = Math.hypot(((point.x + 1) * viewer.width) / 2 - x, ((point.y + 1) * viewer.height) / 2 - y);
    if (distance <= radius && point.z < depth) [found, depth] = [i, point.z];
  }
  view.send({ type: "acgen_picked", atom: found });
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
    const pairs = decode(frame.bonds, Int32Array);
    if (frame.shape !== shape || pairs.length / 2 > scene.room) {
      load(frame, positions.length / 3, pairs.length / 2);
      shape = frame.shape;
    }
    place(frame, positions, pairs);
    await new Promise(requestAnimationFrame); // NGL draws
    requestAnimationFrame(() => view.send({ type: "acgen_drawn", id: frame.id })); // and the browser has shown it
    const took = performance.now() - begin;
    pace = pace === 0 ? took : 0.8 * pace + 0.2 * took;
    if (pace > 30) resolution(false);
    await sleep(Math.min(0.1 * took, 100)); // leaves the browser time for clicks
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
view.stage.pickingBehavior.dispose(); // it would draw everything again to find what is under the pointer
const mouse = view.stage.mouseObserver;
mouse.signals.clicked.add(pick);
// NGL listens at the document, where what happens inside a shadow root seems to happen to its host.
if (view.el.getRootNode() instanceof ShadowRoot) {
  const listeners = {
    mousedown: mouse._onMousedown, wheel: mouse._onMousewheel, contextmenu: mouse._onContextmenu,
    touchstart: mouse._onTouchstart, touchmove: mouse._onTouchmove, touchend: mouse._onTouchend,
  };
  for (const [kind, listener] of Object.entries(listeners)) mouse.domElement.addEventListener(kind, listener, { passive: false });
}
// Points at the corner of the cell that nobody sees: while they stay, so do the shaders, which take long to compile.
buffers(1, 1, [0, 0, 0]);
const kept = [...view.stage.compList];
view.send({ type: "acgen_ready" });
