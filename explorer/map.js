"use strict";
// A plane of digits. Every point of it is an input of the generator: near a digit's place the label
// is that digit, in between a blend; and the latent vector turns as the point moves.

// Our choice: rows of three, four and three, digits that look alike beside each other.
const MAP_ROWS = [
  [1, 7, 9],
  [2, 3, 8, 4],
  [5, 6, 0],
];
const MAP_PLACES = MAP_ROWS.flatMap((row, i) =>
  row.map((digit, j) => ({ digit, x: (j + 0.5) / row.length, y: (i + 0.5) / MAP_ROWS.length })),
);
const MAP_TILES = 15; // in a row of the background
const MAP_COARSE = 3; // so many of them, each way, are one large digit at first
const MAP_MILLISECONDS = 10; // for the background in each frame
const MAP_REACH = 0.13; // of a digit's place; the larger, the softer the borders
const MAP_TURN = 0.5; // how far z turns from the middle to the edge, in radians
const MAP_STEP = 1 / 60; // of an arrow key

// The label at a point: shares that add up to 1 and fall with the distance to each digit's place.
function labelAt(x, y, classes) {
  const label = new Float32Array(classes);
  for (const place of MAP_PLACES) {
    const distance = Math.hypot(x - place.x, y - place.y);
    label[place.digit] = Math.exp(-((distance / MAP_REACH) ** 2));
  }
  const sum = label.reduce((a, b) => a + b);
  return times(label, 1 / sum);
}

// z at a point: from a middle vector, turned towards one direction by x and towards another by y.
// The three are at right angles, so that z keeps its length all over the plane.
function latentAt(x, y, [middle, right, down]) {
  const [turn, tilt] = [(2 * x - 1) * MAP_TURN, (2 * y - 1) * MAP_TURN];
  const level = plus(times(middle, Math.cos(turn)), times(right, Math.sin(turn)));
  return plus(times(level, Math.cos(tilt)), times(down, Math.sin(tilt)));
}

function rightAngled(vectors) {
  const done = [];
  for (const vector of vectors) {
    const rest = done.reduce((v, u) => minus(v, times(u, dot(v, u) / dot(u, u))), vector);
    done.push(rescale(rest));
  }
  return done;
}

// The tiles in the order in which they are drawn: few large ones, then all, row by row.
function* coarseToFine() {
  for (const size of [MAP_COARSE, 1]) {
    for (let row = 0; row < MAP_TILES; row += size) {
      for (let column = 0; column < MAP_TILES; column += size) yield { row, column, size };
    }
  }
}

function mapTool(network) {
  const section = find("map");
  const [area, tiles, big, cursor] = ["map-area", "map-tiles", "map-big", "map-cursor"].map(find);
  const announce = announcer("map-says");
  const side = network.shape[0];
  const point = { x: 0.85, y: 0.36 };
  const oneTile = new OffscreenCanvas(side, side);
  let [painting, stale] = [null, false];
  const askPoint = redrawing(section, drawPoint);
  redrawing(section, drawTiles);
  resize(tiles, MAP_TILES * side, MAP_TILES * side);

  const directions = () => rightAngled(sampleLatent(3, network.latentDim, 7 * settings.seed));
  const drawAt = (x, y, axes) =>
    draw(network, latentAt(x, y, axes), labelAt(x, y, network.classes));

  function drawPoint() {
    const { x, y } = point;
    putDigits(big, [drawAt(x, y, directions())], network.shape);
    [cursor.style.left, cursor.style.top] = [`${100 * x}%`, `${100 * y}%`];
    const shares = [...labelAt(x, y, network.classes)];
    find("map-label")
      .querySelectorAll("i")
      .forEach((bar, i) => (bar.style.height = `${100 * shares[i]}%`));
    const words = shares
      .map((share, digit) => ({ share: Math.round(100 * share), digit }))
      .filter(({ share }) => share >= 5)
      .sort((a, b) => b.share - a.share)
      .map(({ share, digit }) => `${digit}\u00a0(${share}\u00a0%)`)
      .join(", ");
    find("map-words").textContent = `Label here: ${words}`;
    announce(`Label: ${words}`);
  }

  // The background takes hundreds of passes, a few in each frame, so that the page stays quick.
  // Whoever drags the temperature sees all of it follow, coarsely; when it rests, it becomes fine.
  function drawTiles() {
    stale = true;
    tiles.setAttribute("aria-busy", true);
    if (!painting) paintTiles();
  }

  function paintTiles() {
    const until = performance.now() + MAP_MILLISECONDS;
    while (performance.now() < until) {
      if (stale && !painting?.coarse) {
        stale = false;
        painting = { axes: directions(), tiles: coarseToFine(), coarse: true };
      }
      const { value: tile, done } = painting.tiles.next();
      if (done) {
        painting = null;
        tiles.setAttribute("aria-busy", false);
        return;
      }
      painting.coarse = tile.size > 1;
      const [x, y] = [tile.column, tile.row].map((i) => (i + tile.size / 2) / MAP_TILES);
      putTile(tile, drawAt(x, y, painting.axes));
    }
    requestAnimationFrame(paintTiles);
  }

  function putTile({ row, column, size }, values) {
    const place = [column * side, row * side, size * side, size * side];
    putDigit(oneTile.getContext("2d"), values, network.shape);
    const context = tiles.getContext("2d");
    context.clearRect(...place);
    context.drawImage(oneTile, ...place);
  }

  function go(x, y) {
    point.x = Math.min(1, Math.max(0, x));
    point.y = Math.min(1, Math.max(0, y));
    askPoint();
  }

  function follow(event) {
    const box = area.getBoundingClientRect();
    go((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
  }

  area.addEventListener("pointerdown", (event) => {
    area.setPointerCapture(event.pointerId);
    follow(event);
  });
  area.addEventListener("pointermove", (event) => {
    if (area.hasPointerCapture(event.pointerId)) follow(event);
  });
  area.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault(); // else the page scrolls
    go(point.x + move[0] * MAP_STEP, point.y + move[1] * MAP_STEP);
  });
  for (let digit = 0; digit < network.classes; digit++) {
    find("map-label").insertAdjacentHTML("beforeend", `<span><b><i></i></b>${digit}</span>`);
  }
  drawPoint(); // at once: its words take up room
}
