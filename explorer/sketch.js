"use strict";
// Draw a digit; the page finds the nearest drawing of the generator, and walks on from there.

const SKETCH_SIDE = 280; // of the pad, in canvas pixels
const SKETCH_PEN = 0.085; // of the pad's side
const SKETCH_STEP = 1 / 28; // of an arrow key
// Until somebody draws, there is a 2.
const SKETCH_EXAMPLE = [
  [0.3, 0.32],
  [0.36, 0.22],
  [0.5, 0.17],
  [0.63, 0.24],
  [0.64, 0.38],
  [0.52, 0.56],
  [0.28, 0.8],
  [0.73, 0.78],
];

function sketchTool(network, walkFrom) {
  const section = find("sketch");
  const [pad, cursor] = ["sketch-pad", "sketch-cursor"].map(find);
  const announce = announcer("sketch-says");
  const bank = [];
  let [strokes, example] = [[SKETCH_EXAMPLE], true];
  let [picture, found, stop] = [null, null, () => {}];
  const pen = { at: [0.3, 0.2], down: false };
  const menu = digitMenu("sketch-digit", 2, () => search(menu.digit), network.classes);
  const ask = redrawing(section, () => (found || !strokes.length ? show() : search()));
  resize(find("sketch-strokes"), SKETCH_SIDE, SKETCH_SIDE);
  reserve("sketch-found", network.shape);
  reserve("sketch-digits", network.shape, network.classes);
  showStrokes();

  function showStrokes() {
    const context = find("sketch-strokes").getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, SKETCH_SIDE, SKETCH_SIDE);
    context.scale(SKETCH_SIDE, SKETCH_SIDE);
    putStrokes(context, strokes, SKETCH_PEN);
    [cursor.style.left, cursor.style.top] = pen.at.map((value) => `${100 * value}%`);
    cursor.classList.toggle("down", pen.down);
    for (const name of ["undo", "clear", "same", "random"])
      find(`sketch-${name}`).setAttribute("aria-disabled", !strokes.length);
  }

  // A few steps in each frame: you see the drawing find its shape.
  function search(digit) {
    stop();
    found = null;
    if (!strokes.length) return ask();
    picture = pictureOf(strokes, network.shape);
    find("sketch-found").setAttribute("aria-busy", true);
    stop = inFrames(finding(digit), (best) => {
      if (!best) return;
      found = best;
      ask();
    });
  }

  function* finding(digit) {
    yield* drawCandidates(network, bank);
    const start = nearest(bank, picture, digit);
    menu.digit = start.digit;
    yield* goDownhill(network, start, picture);
    find("sketch-found").setAttribute("aria-busy", false);
    ask();
  }

  function show() {
    const words = find("sketch-words");
    if (!found) {
      reserve("sketch-found", network.shape);
      reserve("sketch-digits", network.shape, network.classes);
      words.textContent = "The pad is empty.";
      return;
    }
    const { z, digit } = found;
    const digits = Array.from({ length: network.classes }, (_, i) =>
      draw(network, z, oneHot(i, network.classes)),
    );
    putDigits(find("sketch-found"), [digits[digit]], network.shape);
    putDigits(find("sketch-digits"), digits, network.shape);
    const error = distance(digits[digit], picture);
    const others = bank.map(({ drawing }) => distance(drawing, picture));
    const usual = others.reduce((sum, one) => sum + one) / others.length;
    const near = error < 0.06 ? "hardly differs from" : error < 0.15 ? "is like" : "is not quite";
    find("sketch-found").setAttribute("aria-label", `The nearest drawing found, a ${digit}`);
    words.textContent =
      `This ${digit} ${near} yours. Mean squared error: ${error.toFixed(2)}; ` +
      `a random drawing’s: ${usual.toFixed(2)}.`;
    if (find("sketch-found").getAttribute("aria-busy") === "false") announce(words.textContent);
  }

  function begin(point) {
    stop();
    if (example) strokes = [];
    example = false;
    strokes.push([point]);
    showStrokes();
  }

  function go(point) {
    strokes.at(-1).push(point);
    showStrokes();
  }

  function placeOf(event) {
    const box = pad.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  pad.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button) return;
    pad.setPointerCapture(event.pointerId);
    begin(placeOf(event));
  });
  pad.addEventListener("pointermove", (event) => {
    if (pad.hasPointerCapture(event.pointerId)) go(placeOf(event));
  });
  pad.addEventListener("lostpointercapture", () => search());
  pad.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const move = moves[event.key];
    if (!move && event.key !== " ") return;
    event.preventDefault(); // else the page scrolls
    if (move) {
      pen.at = pen.at.map((value, i) => Math.min(1, Math.max(0, value + move[i] * SKETCH_STEP)));
      pen.down ? go([...pen.at]) : showStrokes();
      return;
    }
    pen.down = !pen.down;
    announce(pen.down ? "Pen down" : "Pen up");
    pen.down ? begin([...pen.at]) : search();
    showStrokes();
  });

  for (const [name, left] of [
    ["undo", () => strokes.slice(0, -1)],
    ["clear", () => []],
  ]) {
    find(`sketch-${name}`).addEventListener("click", () => {
      [strokes, example, pen.down] = [left(), false, false];
      showStrokes();
      search();
    });
  }
  for (const name of ["same", "random"]) {
    find(`sketch-${name}`).addEventListener("click", () => {
      if (!found) return;
      const further = 1 + Math.floor(Math.random() * (network.classes - 1));
      const digit = (found.digit + further) % network.classes;
      walkFrom(found, { z: name === "same" ? found.z : undefined, digit });
    });
  }
}
