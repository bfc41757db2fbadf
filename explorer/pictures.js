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

// A place for so many pictures before there are any: what follows must not move when they come,
// or links to it would miss.
function reserve(id, [height, width], columns = 1, rows = 1) {
  resize(find(id), columns * width, rows * height);
}

// Setting a canvas's size also wipes it.
function resize(canvas, width, height) {
  canvas.width = width;
  canvas.height = height;
}

// How a share of the largest number is coloured: as red, green, blue and opacity.
const INK = (share) => [0, 0, 0, share];
const TWO_COLOURS = (share) => (share > 0 ? [217, 115, 13, share] : [47, 127, 209, -share]);

// Numbers as coloured cells: one colour above zero, another below, paler the nearer to zero.
function putNumbers(canvas, values, columns = 10, full = 2.5) {
  resize(canvas, columns, Math.ceil(values.length / columns));
  canvas.getContext("2d").drawImage(coloured(values, columns, TWO_COLOURS, full), 0, 0);
}

// A small picture with a pixel for each number; `full` and what is beyond it is opaque.
function coloured(values, width, colour, full) {
  const small = new OffscreenCanvas(width, Math.ceil(values.length / width));
  const context = small.getContext("2d");
  const picture = context.createImageData(small.width, small.height);
  values.forEach((value, i) => {
    const [red, green, blue, opacity] = colour(value / full);
    picture.data.set([red, green, blue, 255 * opacity], 4 * i);
  });
  context.putImageData(picture, 0, 0);
  return small;
}

const MAP_ZOOM = 4; // canvas pixels for each pixel of a feature map
const MAP_GAP = 2; // between neighbours: a grey line, thinner than any pixel of a map
const MAP_PIXEL = 3; // on the screen, at least

// Feature maps: each channel of a layer as a small picture, in `room` so many pixels wide.
function putMaps(canvas, values, [height, width, channels], colour, full, room) {
  const columns = squareColumns(channels, room / (width * MAP_PIXEL));
  const [stepX, stepY] = [width, height].map((side) => side * MAP_ZOOM + MAP_GAP);
  resize(canvas, columns * stepX - MAP_GAP, (channels / columns) * stepY - MAP_GAP);
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.fillStyle = "rgb(128 128 128 / 60%)";
  context.fillRect(0, 0, canvas.width, canvas.height);
  for (let channel = 0; channel < channels; channel++) {
    const map = values.filter((_, i) => i % channels === channel);
    const place = [(channel % columns) * stepX, Math.floor(channel / columns) * stepY];
    const size = [width * MAP_ZOOM, height * MAP_ZOOM];
    context.clearRect(...place, ...size);
    context.drawImage(coloured(map, width, colour, full), ...place, ...size);
  }
}

// Columns of a grid that leaves no place empty and is nearly square, but has no more than `most`.
function squareColumns(count, most = count) {
  let columns = Math.ceil(Math.sqrt(count));
  while (count % columns) columns++;
  while (columns > 1 && (columns > most || count % columns)) columns--;
  return columns;
}
