"use strict";
// From a picture back to z and label: the nearest of many random drawings, then downhill.

const SEARCH_CANDIDATES = 600;
const SEARCH_STEPS = 60; // of Adam
const SEARCH_RATE = 0.2; // at the start; it falls to 0

// Fills `bank` with drawings to compare with. Yields after each: there are hundreds.
function* drawCandidates(network, bank) {
  const vectors = sampleLatent(SEARCH_CANDIDATES, network.latentDim, 77);
  while (bank.length < vectors.length) {
    const [z, digit] = [vectors[bank.length], bank.length % network.classes];
    bank.push({ z, digit, drawing: generate(network, z, oneHot(digit, network.classes)) });
    yield;
  }
}

// The candidate nearest to a picture, among those of one digit if it is given.
function nearest(bank, picture, digit) {
  return bank
    .filter((one) => digit === undefined || one.digit === digit)
    .map((one) => ({ ...one, error: distance(one.drawing, picture) }))
    .reduce((best, one) => (one.error < best.error ? one : best));
}

// Yields ever better { z, digit, error }. Adam (Kingma and Ba, 2015) takes the steps; after each, z
// gets back the length that the generator was trained with. The digit stays.
function* goDownhill(network, start, picture) {
  const label = oneHot(start.digit, network.classes);
  let [best, z] = [start, start.z];
  const [first, second] = [new Float32Array(z.length), new Float32Array(z.length)];
  for (let step = 1; step <= SEARCH_STEPS; step++) {
    const { error, slope } = errorAndSlope(network, z, label, picture);
    if (error < best.error) best = { z, digit: start.digit, error };
    const rate = (SEARCH_RATE * (1 + Math.cos((Math.PI * step) / SEARCH_STEPS))) / 2;
    const move = z.map((_, i) => {
      first[i] += 0.1 * (slope[i] - first[i]);
      second[i] += 0.01 * (slope[i] ** 2 - second[i]);
      const spread = Math.sqrt(second[i] / (1 - 0.99 ** step)) + 1e-8;
      return (rate * first[i]) / (1 - 0.9 ** step) / spread;
    });
    z = rescale(minus(z, move));
    yield best;
  }
}

// Strokes as a picture like those of MNIST: scaled to a box of 20 pixels, its mass in the middle.
// A stroke is a list of points [x, y], on any scale.
function pictureOf(strokes, [height, width]) {
  const points = strokes.flat();
  const [low, high] = [Math.min, Math.max].map((end) =>
    [0, 1].map((axis) => end(...points.map((point) => point[axis]))),
  );
  const size = Math.max(high[0] - low[0], high[1] - low[1], 0.15); // a dot stays a dot
  const pen = width / 11;
  const scale = (width * (20 / 28) - pen) / size;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const inkAround = (x, y) => {
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    context.setTransform(scale, 0, 0, scale, width / 2 - scale * x, height / 2 - scale * y);
    putStrokes(context, strokes, pen / scale);
    const { data } = context.getImageData(0, 0, width, height);
    return Float32Array.from({ length: width * height }, (_, i) => data[4 * i + 3] / 255);
  };
  const middle = [0, 1].map((axis) => (low[axis] + high[axis]) / 2);
  const mass = massCentre(inkAround(...middle), width);
  const centred = inkAround(
    middle[0] + (mass[0] - width / 2) / scale,
    middle[1] + (mass[1] - height / 2) / scale,
  );
  return centred.map((ink) => 2 * ink - 1);
}

function massCentre(ink, width) {
  let [sum, x, y] = [1e-6, 0, 0];
  ink.forEach((value, i) => {
    sum += value;
    x += value * ((i % width) + 0.5);
    y += value * (Math.floor(i / width) + 0.5);
  });
  return [x / sum, y / sum];
}

function putStrokes(context, strokes, pen) {
  Object.assign(context, { lineWidth: pen, lineCap: "round", lineJoin: "round" });
  for (const [start, ...others] of strokes) {
    context.beginPath();
    context.moveTo(...start);
    for (const point of others.length ? others : [start]) context.lineTo(...point);
    context.stroke();
  }
}
