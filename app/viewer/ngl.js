// Installed once on nglview's NGLView (`this`): draws frames of a fixed set of atoms in a periodic cell.
// A message of Python calls `acgenShow(frame)`; `acgen_drawn` answers when the frame is on the screen.
const view = this;
const { viewer } = view.stage;

let waiting = null; // the newest frame that is not drawn yet; an older one is dropped
let drawing = false;
let shape = null; // what is loaded was made for: atoms, cell and images
let scene = null; // buffers of the graphics card, and what they show
let last = null; // the newest frame that was drawn, read
// `turn` is a quaternion; `near` is how far the eye is, in units of where all corners can just be seen.
const how = {
  orthographic: false, axes: true, repeat: [1, 1, 1], slab: [0, 1], turn: [0.17, -0.24, 0.04, 0.954], near: 1,
};
const overlay = new Overlay(viewer.container);

// Adds primitives whose number stays the same: only what they look like changes from frame to frame.
function primitives(kind, attributes) {
  view.addBuffer(kind, attributes);
  return view.stage.compList[view.stage.compList.length - 1].reprList[0].repr.bufferList[0];
}

// All that is drawn beside the cell, of no size yet, at one point.
function buffers(atoms, room, point) {
  const many = (count, each) => new Float32Array(each * count);
  const at = (count) => Float32Array.from({ length: 3 * count }, (_, i) => point[i % 3]);
  return {
    room,
    balls: primitives("sphere", { position: at(atoms), color: many(atoms, 3), radius: many(atoms, 1) }),
    sticks: primitives("cylinder", {
      position1: at(room), position2: at(room), color: many(room, 3), color2: many(room, 3), radius: many(room, 1),
    }),
  };
}

const centre = (cell) => times(cell, how.repeat.map((count) => count / 2));

function load({ frame, positions, pairs }, needed) {
  if (scene === null) turn();
  [...view.stage.compList].filter((part) => !kept.includes(part)).forEach((part) => view.stage.removeComponent(part));
  view.addShape("cell", cellEdges(frame.cell, how.repeat, frame.edge));
  const atoms = (positions.length / 3) * cellsOf(how.repeat).length;
  scene = buffers(atoms, Math.max(2 * atoms, Math.ceil(1.3 * needed)), centre(frame.cell)); // most atoms have three bonds
  scene.cell = frame.cell;
  fit(0);
}

// Turn the cell as `how` says.
function turn() {
  view.stage.viewerControls.rotate(new viewer.rotationGroup.quaternion.constructor(...how.turn).normalize());
}

// How far away all corners of what is drawn can just be seen, as it is turned now.
function farEnough() {
  const [middle, vector] = [centre(scene.cell), viewer.translationGroup.position.clone()];
  const up = Math.tan((viewer.perspectiveCamera.fov * Math.PI) / 360) * 0.94;
  const across = (up * viewer.width) / viewer.height;
  let distance = 1;
  for (const ends of cellsOf([2, 2, 2])) {
    const corner = times(scene.cell, ends.map((end, d) => end * how.repeat[d]));
    const { x, y, z } = vector.set(...corner.map((at, d) => at - middle[d])).applyQuaternion(viewer.rotationGroup.quaternion);
    const needed = Math.max((Math.abs(x) + BALL) / across, (Math.abs(y) + BALL) / up) - (how.orthographic ? 0 : z);
    distance = Math.max(distance, needed);
  }
  return distance;
}

function fit(milliseconds) {
  if (scene === null) return;
  const middle = viewer.translationGroup.position.clone().set(...centre(scene.cell));
  view.stage.animationControls.zoomMove(middle, -how.near * farEnough(), milliseconds);
}

// Tell how it is turned and how near it is now, so that another page can show it alike.
function tell() {
  if (scene === null) return;
  how.near = viewer.cameraDistance / farEnough();
  how.turn = viewer.rotationGroup.quaternion.toArray();
  view.send({ type: "acgen_turned", turn: how.turn, near: how.near });
}

let told = null;
function tellSoon() {
  clearTimeout(told);
  told = setTimeout(tell, 200);
}

function place(read) {
  const shown = balls(read, how);
  scene.balls.setAttributes(shown);
  scene.sticks.setAttributes(sticks(read, how, shown, scene.room));
  scene.shown = shown;
  scene.read = read;
  viewer.requestRender();
}

const point = viewer.translationGroup.position.clone();

// Where a place in Å is on the canvas, in pixels from its upper left, and how far from the eye.
function project(x, y, z) {
  point.set(x, y, z).add(viewer.translationGroup.position).applyMatrix4(viewer.rotationGroup.matrix);
  const radius = BALL / view.stage.viewerControls.getCanvasScaleFactor(point.z);
  point.project(viewer.camera);
  return { x: ((point.x + 1) * viewer.width) / 2, y: ((1 - point.y) * viewer.height) / 2, z: point.z, radius };
}

// The atom under the pointer, the nearest to the eye, or null; pixels from the upper left.
function atomAt(x, y) {
  if (!scene?.shown) return null;
  const { position, radius } = scene.shown;
  let found = null;
  let depth = Infinity;
  for (let i = 0; i < radius.length; i++) {
    if (radius[i] === 0) continue;
    const at = project(position[3 * i], position[3 * i + 1], position[3 * i + 2]);
    if (Math.hypot(at.x - x, at.y - y) <= Math.max(5, at.radius) && at.z < depth) [found, depth] = [i, at.z];
  }
  return found === null ? null : found % (scene.read.positions.length / 3);
}

let pressed = null; // where the mouse went down; null where a finger did

// A click of the mouse that is no drag; with Shift or Ctrl it adds to what is picked.
function clicked(event) {
  const { left, top } = viewer.container.getBoundingClientRect();
  if (pressed === null || Math.hypot(event.clientX - pressed[0], event.clientY - pressed[1]) > 4) return;
  view.send({ type: "acgen_picked", atom: atomAt(event.clientX - left, event.clientY - top), more: event.shiftKey || event.ctrlKey });
}

function tapped(x, y) {
  if (pressed === null) view.send({ type: "acgen_picked", atom: atomAt(x, viewer.height - y), more: false });
}

// Marks, axes and the label follow the picture.
function annotate() {
  if (!scene?.read) return;
  const { frame, positions } = scene.read;
  const marks = [];
  const lengths = [];
  let at = null;
  frame.marked.forEach((atom, i) => {
    if (i === 0) {
      at = [0, 1, 2].map((d) => positions[3 * atom + d]);
    } else {
      const vector = nearest(positions, frame.cell, frame.marked[i - 1], atom);
      lengths.push(Math.hypot(...vector));
      at = at.map((value, d) => value + vector[d]);
    }
    marks.push(project(...at));
  });
  overlay.draw(marks, lengths, how.axes ? axesOf(frame.cell) : []);
}

// Directions of the cell's vectors on the canvas, to the right and up.
function axesOf(cell) {
  const onto = (vector) => point.set(...vector).applyMatrix4(viewer.rotationGroup.matrix).applyMatrix4(viewer.camera.matrixWorldInverse).clone();
  const origin = onto([0, 0, 0]);
  return cell.map((vector) => {
    const end = onto(vector.map((value) => value / Math.hypot(...vector)));
    return [end.x - origin.x, end.y - origin.y];
  });
}

let pause = null;
function hover(event) {
  clearTimeout(pause);
  if (overlay.label) {
    overlay.label = null;
    annotate();
  }
  if (event.buttons || event.type === "mouseleave") return;
  const { left, top } = viewer.container.getBoundingClientRect();
  const [x, y] = [event.clientX - left, event.clientY - top];
  pause = setTimeout(() => {
    const atom = atomAt(x, y);
    if (atom === null) return;
    const [begin] = scene.read.frame.marked;
    const away = begin === undefined || begin === atom ? null : nearest(scene.read.positions, scene.cell, begin, atom);
    const distance = away ? ` · ${Math.hypot(...away).toFixed(2)} Å from atom ${begin + 1}` : "";
    overlay.label = { x, y, text: `Atom ${atom + 1} · CN ${scene.read.coordination[atom]}${distance}` };
    annotate();
  }, 80);
}

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const { renderer } = viewer;
let pace = 0; // milliseconds that a frame takes, smoothed
let idle = null;

// A slow machine draws a stream of frames at half the resolution, and the last one as it should be.
function resolution(full) {
  const ratio = full ? window.devicePixelRatio : 0.5 * window.devicePixelRatio;
  if (renderer.getPixelRatio() === ratio) return;
  renderer.setPixelRatio(ratio);
  viewer.requestRender();
}

async function draw() {
  drawing = true;
  clearTimeout(idle);
  while (waiting !== null) {
    const frame = waiting;
    waiting = null;
    const begin = performance.now();
    last = read(frame);
    const needed = sticksOf(last, how);
    const wanted = `${frame.shape} ${how.repeat}`;
    if (wanted !== shape || needed > scene.room) {
      if (shape !== null && wanted !== shape) how.near = 1;
      load(last, needed);
      shape = wanted;
    }
    place(last);
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
view.acgenLook = (wanted) => {
  const turned = wanted.orthographic !== undefined && wanted.orthographic !== how.orthographic;
  Object.assign(how, wanted);
  if (turned) view.stage.setParameters({ cameraType: how.orthographic ? "orthographic" : "perspective" });
  if (wanted.turn !== undefined) turn();
  if (turned || wanted.turn !== undefined) fit(0);
  if (last !== null && waiting === null) view.acgenShow(last.frame);
};
view.acgenBackground = (colour) => {
  view.stage.setParameters({ backgroundColor: colour });
  overlay.background(colour);
};
view.acgenReset = () => {
  how.near = 1;
  fit(300);
  setTimeout(tell, 400);
};
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
new ResizeObserver(() => {
  view.stage.handleResize();
  fit(0);
}).observe(view.el);
// Without sampleLevel -1 NGL draws eight times over whenever half a second passed since the last frame.
view.stage.setParameters({ sampleLevel: -1, clipDist: 1, fogNear: 55, fogFar: 120, tooltip: false, ambientIntensity: 0.35 });
view.stage.pickingBehavior.dispose(); // it would draw everything again to find what is under the pointer
const mouse = view.stage.mouseObserver;
mouse.signals.clicked.add(tapped);
for (const kind of ["dragged", "scrolled"]) mouse.signals[kind].add(tellSoon);
mouse.domElement.addEventListener("touchstart", () => { pressed = null; }, { passive: true });
mouse.domElement.addEventListener("mousedown", (event) => { pressed = [event.clientX, event.clientY]; });
mouse.domElement.addEventListener("click", clicked);
for (const kind of ["mousemove", "mouseleave"]) mouse.domElement.addEventListener(kind, hover);
viewer.signals.rendered.add(annotate);
view.el.setAttribute("role", "img");
view.el.setAttribute("aria-label", "The structure in three dimensions; its bonds, coordination and spectrum are in the plots and tables");
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
