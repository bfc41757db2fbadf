"use strict";
// The way back through the generator: from a slope at the picture to a slope at z, layer by layer.
// The weights stay as they are; what is sought is the z of a picture that is given.

// One weighted sum of `numbers` for each row of a matrix, four rows at a time as in `addRows`.
function rowSums(sums, at, numbers, rows, count) {
  const width = numbers.length;
  for (let row = 0; row < count; row += 4) {
    const a = row * width;
    const b = Math.min(row + 1, count - 1) * width;
    const c = Math.min(row + 2, count - 1) * width;
    const d = Math.min(row + 3, count - 1) * width;
    let p = 0;
    let q = 0;
    let r = 0;
    let s = 0;
    for (let j = 0; j < width; j++) {
      const value = numbers[j];
      p += value * rows[a + j];
      q += value * rows[b + j];
      r += value * rows[c + j];
      s += value * rows[d + j];
    }
    sums[at + row] = p;
    if (row + 1 < count) sums[at + row + 1] = q;
    if (row + 2 < count) sums[at + row + 2] = r;
    if (row + 3 < count) sums[at + row + 3] = s;
  }
}

// For each layer: from the slope of its outputs y to that of its inputs x.
const BACKWARD = {
  dense({ kernel, kernelShape }, slope) {
    const back = new Float32Array(kernelShape[0]);
    rowSums(back, 0, slope, kernel, back.length);
    return back;
  },

  // A pixel answers for all that lies under its stamp.
  stamp({ kernel, kernelShape, stride, shape }, slope, x) {
    const [channels, side, , filters] = kernelShape;
    const [height, width] = shape;
    const edge = Math.max(side - stride, 0) >> 1;
    const back = new Float32Array(x.length);
    const under = new Float32Array(side * side * filters);
    for (let pixel = 0; pixel < x.length / channels; pixel++) {
      const top = Math.floor(pixel / (width / stride)) * stride - edge;
      const left = (pixel % (width / stride)) * stride - edge;
      const [from, to] = [Math.max(left, 0), Math.min(left + side, width)];
      under.fill(0);
      for (let row = Math.max(top, 0); row < Math.min(top + side, height); row++) {
        const line = slope.subarray((row * width + from) * filters, (row * width + to) * filters);
        under.set(line, ((row - top) * side + from - left) * filters);
      }
      rowSums(back, pixel * channels, under, kernel, channels);
    }
    return back;
  },

  scaleAndShift: ({ scale }, slope) => slope.map((value, i) => value * scale[i % scale.length]),
  relu: ({ slope: leak }, slope, x) => slope.map((value, i) => (x[i] < 0 ? leak * value : value)),
  rescale: ({ factor }, slope) => times(slope, factor),
  tanh: (_, slope, x, y) => slope.map((value, i) => value * (1 - y[i] ** 2)),
  reshape: (_, slope) => slope,
};

// The mean squared error.
function distance(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return sum / a.length;
}

// How far a drawing is from a picture, and the slope of that in z and label.
function errorAndSlope(network, z, label, picture) {
  const passed = [{ values: Float32Array.of(...z, ...label) }, ...trace(network, z, label)];
  const drawing = passed.at(-1).values;
  let slope = times(minus(drawing, picture), 2 / picture.length);
  for (let i = passed.length - 1; i > 0; i--) {
    const { layer, values } = passed[i];
    slope = BACKWARD[layer.kind](layer, slope, passed[i - 1].values, values);
  }
  return { error: distance(drawing, picture), slope };
}
