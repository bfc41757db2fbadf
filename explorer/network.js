"use strict";
// The generator's pass from numbers to a picture, written out: no library, about a hundred lines.
//
// Pictures are flat arrays: row by row, in a row pixel by pixel, in a pixel channel by channel.
// The weights come from Keras and nothing is trained here, so each layer is a plain function.

// Numbers travel as base64 text; weights in half precision, which needs half the space.
function unpack({ shape, type, numbers }) {
  const bytes = Uint8Array.from(atob(numbers), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const values = new Float32Array(shape.reduce((product, side) => product * side, 1));
  for (let i = 0; i < values.length; i++) {
    values[i] =
      type === "float16" ? half(view.getUint16(2 * i, true)) : view.getFloat32(4 * i, true);
  }
  return values;
}

// Half precision: one bit of sign, five of exponent, ten of fraction.
function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

// Most of the time goes into sums of weighted rows: of a matrix, or of a stamp's pattern.
//
// After a ReLU half of the inputs are 0 and their rows need not be added: returns where the rows
// of the others start, and their weights. Filled up to a multiple of four with rows of weight 0.
function rowsToAdd(inputs, rowLength) {
  const [starts, weights] = [[], []];
  for (let i = 0; i < inputs.length; i++) {
    if (inputs[i] === 0) continue;
    starts.push(i * rowLength);
    weights.push(inputs[i]);
  }
  while (starts.length % 4) {
    starts.push(0);
    weights.push(0);
  }
  return { starts, weights };
}

// Four rows at a time, so that each sum is fetched and put back once, not four times: twice as
// fast.
function addRows(sum, at, numbers, { starts, weights }, offset, count) {
  for (let row = 0; row < starts.length; row += 4) {
    const a = starts[row] + offset;
    const b = starts[row + 1] + offset;
    const c = starts[row + 2] + offset;
    const d = starts[row + 3] + offset;
    const p = weights[row];
    const q = weights[row + 1];
    const r = weights[row + 2];
    const s = weights[row + 3];
    for (let j = 0; j < count; j++) {
      sum[at + j] +=
        p * numbers[a + j] + q * numbers[b + j] + r * numbers[c + j] + s * numbers[d + j];
    }
  }
}

const LAYERS = {
  // Each output is a weighted sum of all inputs.
  dense({ kernel, shape }) {
    const units = shape[0];
    return (x) => {
      const y = new Float32Array(units);
      addRows(y, 0, kernel, rowsToAdd(x, units), 0, units);
      return y;
    };
  },

  // A transposed convolution: every pixel stamps a pattern on a larger picture, `stride` pixels on
  // from its neighbour's; stamps overlap and add up. A pixel's pattern is the sum of one pattern
  // for each of its channels, weighted by the channel's value.
  stamp({ kernel, kernelShape, stride, shape }) {
    const [channels, side, , filters] = kernelShape;
    const [height, width] = shape;
    const overhang = Math.max(side - stride, 0);
    const wide = width + overhang;
    const line = side * filters; // one line of the stamp: its pixels lie one after another
    return (x) => {
      const sheet = new Float32Array((height + overhang) * wide * filters);
      for (let pixel = 0; pixel < x.length / channels; pixel++) {
        const top = Math.floor(pixel / (width / stride)) * stride;
        const left = (pixel % (width / stride)) * stride;
        const here = x.subarray(pixel * channels, (pixel + 1) * channels);
        const patterns = rowsToAdd(here, side * line);
        for (let i = 0; i < side; i++) {
          addRows(sheet, ((top + i) * wide + left) * filters, kernel, patterns, i * line, line);
        }
      }
      return crop(sheet, wide, filters, height, width, overhang >> 1);
    };
  },

  // What is left of batch normalisation once training is over: two constants for each channel.
  scaleAndShift({ scale, shift }) {
    const channels = scale.length;
    return (x) => {
      const y = new Float32Array(x.length);
      for (let i = 0; i < x.length; i += channels) {
        for (let j = 0; j < channels; j++) y[i + j] = x[i + j] * scale[j] + shift[j];
      }
      return y;
    };
  },

  relu({ slope }) {
    return (x) => {
      const y = new Float32Array(x.length);
      for (let i = 0; i < x.length; i++) y[i] = x[i] < 0 ? slope * x[i] : x[i];
      return y;
    };
  },

  rescale({ factor }) {
    return (x) => x.map((value) => value * factor);
  },

  tanh() {
    return (x) => x.map(Math.tanh);
  },

  // The same numbers, from now on read as small pictures.
  reshape() {
    return (x) => x;
  },
};

// Padding "same": the stamps' overhang is cut off, so that sides grow exactly `stride` times.
function crop(sheet, wide, filters, height, width, edge) {
  const y = new Float32Array(height * width * filters);
  for (let row = 0; row < height; row++) {
    const from = ((row + edge) * wide + edge) * filters;
    y.set(sheet.subarray(from, from + width * filters), row * width * filters);
  }
  return y;
}

function readNetwork({ latentDim, classes, layers }) {
  const ready = layers.map((layer) => {
    const unpacked = { ...layer, kernelShape: layer.kernel?.shape };
    for (const name of ["kernel", "scale", "shift"]) {
      if (layer[name]) unpacked[name] = unpack(layer[name]);
    }
    return { ...unpacked, forward: LAYERS[layer.kind](unpacked) };
  });
  return { latentDim, classes, layers: ready, shape: ready.at(-1).shape };
}

// From z (standard normal numbers) and a label vector to a picture with values in [-1, 1].
function generate(network, z, label) {
  return network.layers.reduce((x, layer) => layer.forward(x), Float32Array.of(...z, ...label));
}

// The same, but keeps what stands between the layers.
function trace(network, z, label) {
  let values = Float32Array.of(...z, ...label);
  return network.layers.map((layer) => {
    values = layer.forward(values);
    return { layer, values };
  });
}
