"use strict";
// A real training, seen again: frames of the same fixed noise, and what was measured meanwhile.

function trainingTool(training) {
  const { frames, losses, quality, floor, samples } = training;
  const ask = redrawing(find("training"), redraw);
  const announce = announcer("training-says");
  const pictures = frames.map(({ picture }) => {
    const image = new Image();
    image.onload = () => image === pictures[time.value] && redraw(); // at once: it takes up room
    image.src = picture;
    return image;
  });
  const last = frames.at(-1).step;
  find("training-samples").textContent =
    `Measured with ${number(samples)} drawings; with more, both distances are smaller.`;
  const charts = [
    { svg: find("training-losses"), lines: [losses.d_loss, losses.g_loss], steps: losses.step },
    {
      svg: find("training-quality"),
      lines: [quality.frechet_distance],
      steps: quality.step,
      floor,
      logarithmic: true,
    },
  ];
  find("training-time").max = frames.length - 1;
  const step = () => frames[Math.round(time.value)].step;
  const time = slider(
    "training-time",
    ask,
    (value) => `step ${number(frames[Math.round(value)].step)}`,
  );
  playButton("training-play", time, 8);
  new ResizeObserver(ask).observe(find("training-losses"));

  function redraw() {
    putFrame(find("training-frame"), pictures[Math.round(time.value)]);
    for (const chart of charts) putChart(chart, last, step());
    const [d, g] = [losses.d_loss, losses.g_loss].map((line) => at(losses.step, line, step()));
    const distance = at(quality.step, quality.frechet_distance, step());
    find("training-loss-words").textContent = d
      ? `Here: discriminator ${d.value.toFixed(2)}, generator ${g.value.toFixed(2)}.`
      : "None is measured yet.";
    const { value, when } = distance;
    const words = value < 100 ? value.toFixed(1) : number(Math.round(value));
    find("training-quality-words").textContent =
      `At step ${number(when)} it is ${words} (real against real: ${floor.toFixed(1)}).`;
    announce(`Step ${step()}: distance to real digits ${words}`);
  }

  // The last value measured up to a step, and when that was; undefined before the first.
  function at(steps, values, wanted) {
    const i = steps.findLastIndex((one) => one <= wanted);
    return i < 0 ? undefined : { value: values[i], when: steps[i] };
  }
}

// A frame holds white on black; here brightness becomes opacity, as for all digits on this page.
function putFrame(canvas, image) {
  if (!image.complete) return;
  resize(canvas, image.naturalWidth, image.naturalHeight);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  const picture = context.getImageData(0, 0, canvas.width, canvas.height);
  for (let i = 0; i < picture.data.length; i += 4) {
    picture.data[i + 3] = picture.data[i];
    picture.data.fill(0, i, i + 3);
  }
  context.putImageData(picture, 0, 0);
}
