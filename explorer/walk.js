"use strict";
// From one digit to another: along an arc in z, in a straight line in the label.

const WALK_STILLS = 9;

function walkTool(network) {
  const askBig = redrawing(find("walk"), drawBig);
  const askStills = redrawing(find("walk"), drawStills);
  const ask = () => {
    askBig();
    askStills();
  };
  reserve("walk-big", network.shape);
  reserve("walk-stills", network.shape, WALK_STILLS);
  const announce = announcer("walk-says");
  const start = { menu: digitMenu("walk-start", 4, ask, network.classes), seed: 11 };
  const end = { menu: digitMenu("walk-end", 9, ask, network.classes), seed: 12 };
  const way = slider("walk-way", askBig, (value) => `${Math.round(value)} %`);
  const play = playButton("walk-play", way, 4);
  for (const [name, one] of [
    ["start", start],
    ["end", end],
  ]) {
    find(`walk-${name}-style`).addEventListener("click", () => {
      one.seed += 100;
      one.z = undefined;
      ask();
    });
  }

  const latent = ({ z, seed }) =>
    z ?? sampleLatent(1, network.latentDim, seed + 1000 * settings.seed)[0];
  const label = ({ menu }) => oneHot(menu.digit, network.classes);

  function at(fraction) {
    const z = interpolate(latent(start), latent(end), fraction);
    return draw(network, z, mix(label(start), label(end), fraction));
  }

  function drawStills() {
    const stills = Array.from({ length: WALK_STILLS }, (_, i) => at(i / (WALK_STILLS - 1)));
    putDigits(find("walk-stills"), stills, network.shape);
  }

  function drawBig() {
    putDigits(find("walk-big"), [at(way.value / 100)], network.shape);
    const ends = `from ${start.menu.digit} to ${end.menu.digit}`;
    find("walk-big").setAttribute("aria-label", `Digit on the way ${ends}`);
    announce(`${Math.round(way.value)} percent of the way ${ends}`);
  }

  // Walks between two ends { z, digit } that another tool has found; without z, in a new style.
  return (...ends) => {
    [start, end].forEach((one, i) => {
      one.z = ends[i].z;
      one.seed += 100;
      one.menu.digit = ends[i].digit;
    });
    ask();
    find("walk").scrollIntoView();
    find("walk-play").focus({ preventScroll: true });
    play();
  };
}
