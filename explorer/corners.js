"use strict";
// Four inputs at the corners of a square, and what lies between them.

const CORNER_SIDE = 5;

// Goes down both sides, then along each row, as `latent_grid` of the library does.
function between([topLeft, topRight, bottomLeft, bottomRight], across, down, way) {
  return way(way(topLeft, bottomLeft, down), way(topRight, bottomRight, down), across);
}

function cornersTool(network) {
  const ask = redrawing(find("corners"), redraw);
  reserve("corners-grid", network.shape, CORNER_SIDE, CORNER_SIDE);
  const menus = [0, 6, 7, 2].map((digit, i) =>
    digitMenu(`corner-${i}`, digit, ask, network.classes),
  );
  let seed = 21;
  find("corners-styles").addEventListener("click", () => {
    seed += 1;
    ask();
  });

  function redraw() {
    const latents = sampleLatent(4, network.latentDim, seed + 1000 * settings.seed);
    const labels = menus.map(({ digit }) => oneHot(digit, network.classes));
    const pictures = [];
    for (let i = 0; i < CORNER_SIDE ** 2; i++) {
      const across = (i % CORNER_SIDE) / (CORNER_SIDE - 1);
      const down = Math.floor(i / CORNER_SIDE) / (CORNER_SIDE - 1);
      const z = between(latents, across, down, interpolate);
      pictures.push(draw(network, z, between(labels, across, down, mix)));
    }
    putDigits(find("corners-grid"), pictures, network.shape, CORNER_SIDE);
    const digits = menus.map(({ digit }) => digit).join(", ");
    find("corners-grid").setAttribute("aria-label", `A grid between the digits ${digits}`);
  }
}
