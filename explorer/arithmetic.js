"use strict";
// a - b + c with latent vectors. One vector says little about one property, for it says everything
// about the digit at once; an average of many keeps what they have in common.

const ARITHMETIC_SAMPLES = 200;
const ARITHMETIC_ROW = [-1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1];

// What can be measured in a picture, from its brightness (0 to 1); and the words for it.
const PROPERTIES = {
  slant: {
    measure: (light, side) => {
      const { xy, yy } = moments(light, side);
      return (-180 / Math.PI) * Math.atan(xy / yy);
    },
    unit: "°",
    ends: ["slanting most to the right", "slanting least"],
  },
  thickness: {
    measure: (light) => (100 * light.reduce((sum, value) => sum + value)) / light.length,
    unit: "\u00a0%\u00a0ink",
    ends: ["with the most ink", "with the least"],
  },
  width: {
    measure: (light, side) => 4 * Math.sqrt(moments(light, side).xx),
    unit: "\u00a0pixels",
    ends: ["widest", "narrowest"],
  },
};

// How far, on average, the ink lies from its centre: across, down, and both together.
function moments(light, side) {
  let [sum, x, y] = [1e-6, 0, 0];
  light.forEach((value, i) => {
    sum += value;
    x += value * (i % side);
    y += value * Math.floor(i / side);
  });
  let [xx, xy, yy] = [0, 0, 1e-6];
  light.forEach((value, i) => {
    const [dx, dy] = [(i % side) - x / sum, Math.floor(i / side) - y / sum];
    xx += (value * dx * dx) / sum;
    xy += (value * dx * dy) / sum;
    yy += (value * dy * dy) / sum;
  });
  return { xx, xy, yy };
}

function arithmeticTool(network) {
  const side = network.shape[1];
  const ask = redrawing(find("arithmetic"), redraw);
  const announce = announcer("arithmetic-says");
  const learn = digitMenu("arithmetic-learn", 3, ask, network.classes);
  const apply = digitMenu("arithmetic-apply", 5, ask, network.classes);
  const property = find("arithmetic-property");
  for (const name of Object.keys(PROPERTIES)) property.add(new Option(name));
  property.addEventListener("change", ask);
  const count = slider("arithmetic-count", ask);
  const strength = slider("arithmetic-strength", ask, (value) => value.toFixed(2));
  let ranked = { key: "" };
  for (const name of ["c", "a", "b", "result"]) {
    reserve(`arithmetic-${name}`, network.shape);
    putNumbers(find(`arithmetic-${name}-z`), new Float32Array(network.latentDim));
    describe(name, "");
  }
  reserve("arithmetic-row", network.shape, ARITHMETIC_ROW.length);

  function measured(values) {
    const light = values.map((value) => (value + 1) / 2);
    return PROPERTIES[property.value].measure(light, side);
  }

  // Many samples of one digit, sorted by the property. Kept until the question changes.
  function rank() {
    const key = [learn.digit, property.value, settings.seed].join();
    if (ranked.key === key) return ranked.vectors;
    const label = oneHot(learn.digit, network.classes);
    const samples = sampleLatent(ARITHMETIC_SAMPLES, network.latentDim, 31 * settings.seed)
      .map((z) => ({ z, value: measured(generate(network, z, label)) }))
      .sort((one, other) => other.value - one.value);
    ranked = { key, vectors: samples.map(({ z }) => z) };
    return ranked.vectors;
  }

  function redraw() {
    const vectors = rank();
    const a = mean(vectors.slice(0, count.value));
    const b = mean(vectors.slice(-count.value));
    const c = sampleLatent(1, network.latentDim, 5 + 1000 * settings.seed)[0];
    const moved = (factor) => rescale(plus(c, times(minus(a, b), factor)), length(c));
    const label = oneHot(learn.digit, network.classes);
    const other = oneHot(apply.digit, network.classes);
    show("c", c, other);
    show("a", a, label);
    show("b", b, label);
    const result = show("result", moved(strength.value), other);
    putDigits(
      find("arithmetic-row"),
      ARITHMETIC_ROW.map((factor) => draw(network, moved(factor), other)),
      network.shape,
    );
    announce(`Result: ${result}`);
  }

  // A digit and, below it, the numbers of its latent vector and what is measured in it.
  function show(name, z, label) {
    const values = draw(network, z, label);
    putDigits(find(`arithmetic-${name}`), [values], network.shape);
    putNumbers(find(`arithmetic-${name}-z`), times(z, settings.temperature));
    const found = number(Math.round(measured(values)) || 0) + PROPERTIES[property.value].unit;
    describe(name, found);
    return found;
  }

  function describe(name, found) {
    const [most, least] = PROPERTIES[property.value].ends;
    const sign = strength.value < 0 ? "−" : "+";
    const words = {
      c: "c, drawn at random",
      a: `a, mean of the ${count.value} ${most}`,
      b: `b, mean of the ${count.value} ${least}`,
      result: `c ${sign} ${Math.abs(strength.value).toFixed(2)} (a\u00a0−\u00a0b)`,
    };
    find(`arithmetic-${name}-words`).textContent = `${property.value} ${found}\n${words[name]}`;
  }
}
