"use strict";
// From numbers to canvases. Digits are drawn as transparent black, whose opacity is the pixel's
// value: the style sheet lays paper beneath and, on dark screens, turns black into white.

const number = (value) => value.toLocaleString("en").replace("-", "−");

// One picture, values in [-1, 1], into a canvas context at (x, y).
function putDigit(context, values, [height, width], x = 0, y = 0) {
  const picture = context.createImageData(width, height);
  values.forEach((value, i) => (picture.data[4 * i + 3] = (value + 1) * 127.5));
  context.putImageData(picture, x, y);
}

// Pictures side by side, row by row.
function putDigits(canvas, pictures, [height, width], columns = pictures.length) {
  resize(canvas, columns * width, Math.ceil(pictures.length / columns) * height);
  const context = canvas.getContext("2d");
  pictures.forEach((values, i) => {
    putDigit(
      context,
      values,
      [height, width],
      (i % columns) * width,
      Math.floor(i / columns) * height,
    );
  });
}

// Setting a canvas's size also wipes it.
function resize(canvas, width, height) {
  canvas.width = width;
  canvas.height = height;
}

// Numbers as coloured cells: one colour above zero, another below, paler the nearer to zero.
function putNumbers(canvas, values, columns = 10) {
  resize(canvas, columns, Math.ceil(values.length / columns));
  const context = canvas.getContext("2d");
  values.forEach((value, i) => {
    context.fillStyle = value > 0 ? "#d9730d" : "#2f7fd1";
    context.globalAlpha = Math.min(1, Math.abs(value) / 2.5);
    context.fillRect(i % columns, Math.floor(i / columns), 1, 1);
  });
}

// Feature maps: each channel of a layer as a small picture, the layer's largest value full black.
function putMaps(canvas, values, [height, width, channels]) {
  let columns = Math.ceil(Math.sqrt(channels));
  while (channels % columns) columns++; // no row is left half empty
  const largest = values.reduce((a, b) => Math.max(a, b), 1e-6);
  const maps = Array.from({ length: channels }, (_, channel) =>
    Float32Array.from(
      { length: height * width },
      (_, i) => (2 * values[i * channels + channel]) / largest - 1,
    ),
  );
  const gap = 1; // a grey line between neighbours
  resize(canvas, columns * (width + gap) - gap, (channels / columns) * (height + gap) - gap);
  const context = canvas.getContext("2d");
  context.fillStyle = "rgb(0 0 0 / 30%)";
  context.fillRect(0, 0, canvas.width, canvas.height);
  maps.forEach((map, i) => {
    const [x, y] = [(i % columns) * (width + gap), Math.floor(i / columns) * (height + gap)];
    putDigit(
      context,
      map.map((value) => Math.max(-1, value)),
      [height, width],
      x,
      y,
    );
  });
}
