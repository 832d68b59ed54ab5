// Atoms, bonds and their images in a periodic cell, as numbers for the graphics card. Comes before `ngl.js`.
const decode = (text, Type) => new Type(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
const rgb = (colour) => [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16) / 255);
const cross = (u, v) => [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
const dot = (u, v) => u[0] * v[0] + u[1] * v[1] + u[2] * v[2];

const BALL = 0.34; // radii in Å
const STICK = 0.17;

const times = (cell, [i, j, k]) => [0, 1, 2].map((d) => i * cell[0][d] + j * cell[1][d] + k * cell[2][d]);

// Places of the cells that are drawn, the first at [0, 0, 0].
function cellsOf([a, b, c]) {
  const found = [];
  for (let i = 0; i < a; i++) for (let j = 0; j < b; j++) for (let k = 0; k < c; k++) found.push([i, j, k]);
  return found;
}

function cellEdges(cell, repeat, colour) {
  const edges = [];
  const lengths = cell.map((vector) => Math.hypot(...vector));
  const radius = 0.004 * Math.cbrt(lengths[0] * lengths[1] * lengths[2]);
  for (const [i, j, k] of cellsOf(repeat)) {
    const corner = (u, v, w) => times(cell, [i + u, j + v, k + w]);
    for (const u of [0, 1]) {
      for (const v of [0, 1]) {
        edges.push([corner(0, u, v), corner(1, u, v)], [corner(u, 0, v), corner(u, 1, v)], [corner(u, v, 0), corner(u, v, 1)]);
      }
    }
  }
  return edges.map(([start, end]) => ["cylinder", start, end, colour, radius]);
}

// The vector in Å from one atom to the nearest image of another.
function nearest(positions, cell, from, to) {
  let best = null;
  for (const i of [-1, 0, 1]) for (const j of [-1, 0, 1]) for (const k of [-1, 0, 1]) {
    const shift = times(cell, [i, j, k]);
    const vector = [0, 1, 2].map((d) => positions[3 * to + d] - positions[3 * from + d] + shift[d]);
    if (best === null || Math.hypot(...vector) < Math.hypot(...best)) best = vector;
  }
  return best;
}

function read(frame) {
  const [positions, pairs, images] = [decode(frame.positions, Float32Array), decode(frame.bonds, Int32Array), decode(frame.images, Int8Array)];
  const coordination = new Uint8Array(positions.length / 3);
  for (const atom of pairs) coordination[atom]++;
  return { frame, positions, pairs, images, coordination, colour: decode(frame.colour, Uint8Array) };
}

// Balls of all cells; those outside of the slab have no size.
function balls({ frame, positions, colour }, { repeat, slab: [low, high] }) {
  const { cell } = frame;
  const palette = Float32Array.from(frame.palette.flatMap(rgb));
  const cells = cellsOf(repeat);
  const count = colour.length;
  const normal = cross(cell[0], cell[1]);
  const [u, v, w] = normal.map((value) => value / (dot(normal, cell[2]) * repeat[2])); // along the third vector, 0 to 1
  const total = count * cells.length;
  const made = { position: new Float32Array(3 * total), color: new Float32Array(3 * total), radius: new Float32Array(total).fill(BALL) };
  const { position, color, radius } = made;
  for (let n = 0, at = 0; n < cells.length; n++) {
    const [x, y, z] = times(cell, cells[n]);
    for (let i = 0; i < count; i++, at++) {
      const [from, to, tint] = [3 * i, 3 * at, 3 * colour[i]];
      position[to] = positions[from] + x;
      position[to + 1] = positions[from + 1] + y;
      position[to + 2] = positions[from + 2] + z;
      color[to] = palette[tint];
      color[to + 1] = palette[tint + 1];
      color[to + 2] = palette[tint + 2];
    }
  }
  if (low > 0 || high < 1) {
    for (let at = 0; at < total; at++) {
      const along = u * position[3 * at] + v * position[3 * at + 1] + w * position[3 * at + 2];
      if (along < low || along > high) radius[at] = 0;
    }
  }
  return made;
}

// How many sticks there can be: one that leaves what is drawn is two stubs.
function sticksOf({ pairs, images }, { repeat }) {
  let leaving = 0;
  for (let i = 0; i < images.length; i += 3) if (images[i] || images[i + 1] || images[i + 2]) leaving++;
  return (pairs.length / 2 + leaving) * cellsOf(repeat).length;
}

// A stick for every bond between two atoms that are drawn. One that leaves all cells ends half way, on both sides,
// in the colour of the cell's edges.
function sticks({ frame, positions, pairs, images }, { repeat }, { position, color, radius }, room) {
  const ends = { position1: 3, position2: 3, color: 3, color2: 3, radius: 1 };
  const made = Object.fromEntries(Object.entries(ends).map(([name, each]) => [name, new Float32Array(each * room)]));
  const count = positions.length / 3;
  const index = ([i, j, k]) => ((i * repeat[1] + j) * repeat[2] + k) * count;
  const drawn = (place) => place.every((at, d) => at >= 0 && at < repeat[d]);
  let next = 0;

  const { position1, position2, color: color1, color2 } = made;

  function stub(at, vector, half) {
    if (radius[at] === 0) return;
    for (let d = 0, to = 3 * next, from = 3 * at; d < 3; d++, to++, from++) {
      position1[to] = position[from];
      position2[to] = position[from] + half * vector[d];
      color1[to] = color[from];
      color2[to] = frame.edge[d];
    }
    made.radius[next++] = STICK;
  }

  function stick(one, other) {
    if (radius[one] === 0 || radius[other] === 0) return;
    for (let d = 0, to = 3 * next, from = 3 * one, end = 3 * other; d < 3; d++, to++, from++, end++) {
      position1[to] = position[from];
      position2[to] = position[end];
      color1[to] = color[from];
      color2[to] = color[end];
    }
    made.radius[next++] = STICK;
  }

  const cells = cellsOf(repeat);
  for (let bond = 0; bond < pairs.length / 2; bond++) {
    const [from, to] = [pairs[2 * bond], pairs[2 * bond + 1]];
    if (!(images[3 * bond] || images[3 * bond + 1] || images[3 * bond + 2])) {
      for (let n = 0; n < cells.length; n++) stick(n * count + from, n * count + to);
      continue;
    }
    const image = [...images.subarray(3 * bond, 3 * bond + 3)];
    const shift = times(frame.cell, image);
    const vector = [0, 1, 2].map((d) => positions[3 * to + d] + shift[d] - positions[3 * from + d]);
    for (const place of cells) {
      const there = place.map((at, d) => at + image[d]);
      if (drawn(there)) stick(index(place) + from, index(there) + to);
      else stub(index(place) + from, vector, 0.5);
      if (!drawn(place.map((at, d) => at - image[d]))) stub(index(place) + to, vector, -0.5);
    }
  }
  return made;
}
