"use strict";
// One pass through the generator, a stage at a time.

// A stage is what one set of weights does, with the norm, activation and reshaping behind it.
function stages(network, z, label) {
  const input = { shape: [z.length + label.length], values: Float32Array.of(...z, ...label) };
  const found = [{ ...input, layers: [] }];
  for (const { layer, values } of trace(network, z, label)) {
    if (layer.kernelShape) found.push({ layers: [] });
    const stage = found.at(-1);
    stage.layers.push({ layer, values });
    Object.assign(stage, { shape: layer.shape, values });
  }
  return found;
}

const isDrawing = (stage, network) => stage.shape.join() === network.shape.join();

function stageTitle(stage, network) {
  const [height, width, channels] = stage.shape;
  if (isDrawing(stage, network)) return `The drawing, ${height}×${width}`;
  if (!stage.layers.length) return `The input: ${height} numbers`;
  if (!width) return `${height} numbers`;
  return `${channels} pictures of ${height}×${width}`;
}

// The name of each layer, as Keras has it, and a sentence that says what it does.
const LAYER_WORDS = {
  dense: (layer) => [
    "Dense",
    `${number(layer.kernelShape[1])} weighted sums, each of all ${number(layer.kernelShape[0])} ` +
      "numbers of the step before.",
  ],
  stamp: ({ kernelShape: [, height, width], stride }) => [
    "Conv2DTranspose",
    `a transposed convolution. Every pixel stamps a pattern of ${height}×${width} pixels, ` +
      `${stride} on from its neighbour's. Stamps overlap and add up; the sides grow ${stride} times.`,
  ],
  scaleAndShift: ({ shape }) => [
    "BatchNorm",
    `multiplies each ${shape.length > 1 ? "picture" : "number"} by one constant and adds another. ` +
      "In training it keeps their sizes alike; now the constants are fixed.",
  ],
  relu: ({ slope }, values) =>
    slope
      ? ["LeakyReLU", `multiplies what is below 0 by ${slope} and leaves the rest.`]
      : [
          "ReLU",
          "sets what is below 0 to 0 and leaves the rest. " +
            `Here ${number(values.filter((value) => value === 0).length)} of ` +
            `${number(values.length)} are 0.`,
        ],
  rescale: ({ factor }) => ["Rescaling", `multiplies each pixel by ${factor}.`],
  tanh: () => ["tanh", "squeezes each pixel between −1 (empty) and 1 (ink)."],
  reshape: ({ shape: [height, width, channels] }) => [
    "Reshape",
    `reads the same numbers as ${channels} pictures of ${height}×${width}, called feature maps. ` +
      "From here on a number has a place: left or right, above or below.",
  ],
};

const INPUT_WORDS = [
  ["z", "the random numbers, here in rows of ten."],
  ["Label", "the last ten numbers, one for each digit: 1 for the chosen one, 0 for the others."],
];

function stageWords(stage) {
  if (!stage.layers.length) return INPUT_WORDS;
  return stage.layers.map(({ layer, values }) => LAYER_WORDS[layer.kind](layer, values));
}

// How the colours of a stage's picture are to be read.
function stageKey(stage, network) {
  if (isDrawing(stage, network)) return "The stronger, the more ink.";
  if (stage.shape.length === 1) return "Orange is above 0, blue below, blank is 0.";
  return "The stronger, the larger; blank is 0. Some are strong where the ink will be, others around it.";
}

// The picture of a stage, or of how it changes, has as many columns here as there.
const stageRoom = () => find("layers-picture").clientWidth;

function putStage(canvas, stage, network) {
  const flat = stage.shape.length === 1;
  canvas.className = flat ? "numbers" : "digit";
  if (isDrawing(stage, network)) putDigits(canvas, [stage.values], network.shape);
  else if (flat) putNumbers(canvas, stage.values, numberColumns(stage), fullColour(stage));
  else putMaps(canvas, stage.values, stage.shape, INK, fullColour(stage), stageRoom());
}

// The numbers of the input in rows of ten, so that the label has a row of its own.
const numberColumns = ({ layers, values }) => (layers.length ? squareColumns(values.length) : 10);

// The number that is drawn at full strength. Of z, few are beyond 2.5.
function fullColour({ layers, values }) {
  if (!layers.length) return 2.5;
  return values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-6);
}

function layersTool(network) {
  const ask = redrawing(find("layers"), redraw);
  const announce = announcer("layers-says");
  const menu = digitMenu("layers-digit", 2, ask, network.classes);
  const comparison = layersComparison(network, ask);
  const [previous, next] = [find("layers-previous"), find("layers-next")];
  let position = 0;
  let seed = 41;
  find("layers-style").addEventListener("click", () => {
    seed += 1;
    ask();
  });
  // Not `disabled` at the ends: a button that is switched off would lose the keyboard's focus.
  for (const [button, by] of [
    [previous, -1],
    [next, 1],
  ]) {
    button.addEventListener("click", () => {
      if (button.getAttribute("aria-disabled") === "true") return;
      position += by;
      ask();
    });
  }
  redraw(); // at once: its words and pictures take up room, which links to this section count on

  function redraw() {
    const z = sampleLatent(1, network.latentDim, seed + 1000 * settings.seed)[0];
    const pass = (z, digit) =>
      stages(network, times(z, settings.temperature), oneHot(digit, network.classes));
    const all = pass(z, menu.digit);
    const stage = all[position];
    const title = stageTitle(stage, network);
    putStage(find("layers-picture"), stage, network);
    find("layers-picture").setAttribute("aria-label", title);
    find("layers-title").textContent = title;
    find("layers-key").textContent = stageKey(stage, network);
    putDefinitions(find("layers-words"), stageWords(stage));
    find("layers-count").textContent = `${position + 1} of ${all.length}`;
    previous.setAttribute("aria-disabled", position === 0);
    next.setAttribute("aria-disabled", position === all.length - 1);
    const changes = comparison({ all, position, z, digit: menu.digit, pass });
    announce(`Step ${position + 1} of ${all.length}. ${title}. ${changes}`);
  }
}

function putDefinitions(list, definitions) {
  list.replaceChildren(
    ...definitions.map(([name, words]) => {
      const [item, term] = [document.createElement("li"), document.createElement("dfn")];
      term.textContent = name;
      item.append(term, `: ${words}`);
      return item;
    }),
  );
}
