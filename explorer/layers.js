"use strict";
// One pass through the generator, a stage at a time.

// A stage is what one set of weights does, with the norm, activation and reshaping behind it.
function stages(network, z, label) {
  const found = [{ shape: [z.length + label.length], values: Float32Array.of(...z, ...label) }];
  for (const { layer, values } of trace(network, z, label)) {
    if (layer.kernelShape) found.push({ maker: layer });
    Object.assign(found.at(-1), { shape: layer.shape, values });
  }
  return found;
}

// A title and a few sentences on a stage, made from its numbers.
function stageWords({ shape, values, maker }, before, isLast) {
  const [height, width, channels] = shape;
  if (!maker) {
    return [
      "The input",
      `${height} numbers side by side: z, drawn at random, and last the label, which is 1 at the ` +
        "chosen digit and 0 elsewhere. Orange is above zero, blue below. All that follows is " +
        "fixed arithmetic: the same input gives the same digit for ever.",
    ];
  }
  const off = number(values.filter((value) => value === 0).length);
  const zeros = `${off} of ${number(values.length)} numbers are 0 this time: ReLU cut them off.`;
  if (maker.kind === "dense" && shape.length === 1) {
    return [
      `Dense: ${height} numbers`,
      `Each is a weighted sum of all ${number(before.values.length)} numbers before it: here z ` +
        `and label are stirred together. The darker, the larger; white is 0. ${zeros}`,
    ];
  }
  if (maker.kind === "dense") {
    return [
      `Dense, read as ${channels} pictures of ${height}×${width}`,
      `${number(values.length)} weighted sums. From here on a number has a place: left or right, ` +
        `above or below. Each small picture is called a feature map. ${zeros}`,
    ];
  }
  const stamp =
    `Every pixel stamps a pattern of ${maker.kernelShape[1]}×${maker.kernelShape[2]} pixels, ` +
    `${maker.stride} pixels on from its neighbour's. Overlapping stamps add up, and the sides ` +
    `grow ${maker.stride} times.`;
  if (!isLast) {
    return [
      `Transposed convolution: ${channels} pictures of ${height}×${width}`,
      `${stamp} Look for maps that are dark where the digit will be, and for others that are ` +
        `dark around it. ${zeros}`,
    ];
  }
  return [
    `Transposed convolution: the picture, ${height}×${width}`,
    `${stamp} The stamps of all ${before.shape[2]} maps fall on one sheet. Last, tanh brings each ` +
      "pixel between −1 (empty) and 1 (ink).",
  ];
}

function layersTool(network) {
  const ask = redrawing(find("layers"), redraw);
  const announce = announcer("layers-says");
  const menu = digitMenu("layers-digit", 2, ask, network.classes);
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

  function redraw() {
    const z = sampleLatent(1, network.latentDim, seed + 1000 * settings.seed)[0];
    const label = oneHot(menu.digit, network.classes);
    const all = stages(network, times(z, settings.temperature), label);
    const stage = all[position];
    const isLast = position === all.length - 1;
    const [title, words] = stageWords(stage, all[position - 1], isLast);
    const canvas = find("layers-picture");
    canvas.className = stage.maker ? "digit" : "numbers";
    if (isLast) putDigits(canvas, [stage.values], network.shape);
    else if (!stage.maker) putNumbers(canvas, stage.values);
    else if (stage.shape.length === 1) putMaps(canvas, stage.values, [1, 1, stage.values.length]);
    else putMaps(canvas, stage.values, stage.shape);
    canvas.setAttribute("aria-label", title);
    find("layers-title").textContent = title;
    find("layers-words").textContent = words;
    find("layers-count").textContent = `${position + 1} of ${all.length}`;
    previous.setAttribute("aria-disabled", position === 0);
    next.setAttribute("aria-disabled", isLast);
    announce(`Step ${position + 1} of ${all.length}. ${title}`);
  }
}
