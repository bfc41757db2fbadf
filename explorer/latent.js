"use strict";
// Points in latent space and the ways between them: the tools of notebook 05, in JavaScript.

// A stream of uniform random numbers from a seed, so that a picture can be found again:
// the algorithm known as mulberry32.
function uniforms(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

// Standard normal numbers, two from each pair of uniform ones (Box and Muller, 1958).
function normals(count, next) {
  const values = new Float32Array(count);
  for (let i = 0; i < count; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - next()));
    const angle = 2 * Math.PI * next();
    values[i] = radius * Math.cos(angle);
    if (i + 1 < count) values[i + 1] = radius * Math.sin(angle);
  }
  return values;
}

function sampleLatent(count, latentDim, seed) {
  const next = uniforms(seed);
  return Array.from({ length: count }, () => normals(latentDim, next));
}

function oneHot(digit, classes) {
  return Float32Array.from({ length: classes }, (_, i) => Number(i === digit));
}

const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
const length = (a) => Math.sqrt(dot(a, a));
const times = (a, factor) => a.map((value) => value * factor);
const plus = (a, b) => a.map((value, i) => value + b[i]);
const minus = (a, b) => a.map((value, i) => value - b[i]);
const mean = (vectors) => times(vectors.reduce(plus), 1 / vectors.length);

// Gives a vector a length without turning it. Standard normal ones are about sqrt(latentDim) long,
// and the generator knows no others: an average of several is too short for it, a sum too long.
function rescale(z, wanted = Math.sqrt(z.length)) {
  return times(z, wanted / length(z));
}

function mix(start, end, fraction) {
  return plus(times(start, 1 - fraction), times(end, fraction));
}

// Walks along the arc from one latent vector to another; `fraction` goes from 0 to 1. The straight
// line would cut the corner: its middle is shorter than anything the generator was trained on.
function interpolate(start, end, fraction) {
  const cosine = dot(start, end) / (length(start) * length(end));
  const angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
  if (Math.sin(angle) < 1e-6) return mix(start, end, fraction);
  const [a, b] = [Math.sin((1 - fraction) * angle), Math.sin(fraction * angle)];
  return plus(times(start, a / Math.sin(angle)), times(end, b / Math.sin(angle)));
}
