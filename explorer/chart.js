"use strict";
// Curves over the steps of a training, with a line at `now`. The upward axis begins at 0; on a
// logarithmic one, at 1. Drawn to the measure of its place, so that letters keep their size.

const CHART_HEIGHT = 150;
const CHART_EDGE = { left: 44, right: 10, top: 8, bottom: 24 };

function putChart({ svg, lines, steps, floor, logarithmic }, last, now) {
  const { left, right, top, bottom } = CHART_EDGE;
  const [end, base] = [svg.clientWidth - right, CHART_HEIGHT - bottom];
  const scale = logarithmic ? Math.log10 : (value) => value;
  const high = Math.max(...lines.flat());
  const x = (step) => left + ((end - left) * step) / last;
  const y = (value) => base - ((base - top) * scale(value)) / scale(high);

  const parts = [];
  for (const tick of ticksUpTo(high, logarithmic)) {
    parts.push(svgPath("rule", [`${left},${y(tick)}`, `${end},${y(tick)}`]));
    parts.push(svgText(left - 6, y(tick) + 4, "end", tick));
  }
  parts.push(svgText(x(0), CHART_HEIGHT - 6, "start", 0));
  parts.push(svgText(x(last / 2), CHART_HEIGHT - 6, "middle", last / 2));
  parts.push(svgText(x(last), CHART_HEIGHT - 6, "end", last));
  if (floor) parts.push(svgPath("floor", [`${left},${y(floor)}`, `${end},${y(floor)}`]));
  lines.forEach((values, i) => {
    const points = values.map((value, j) => `${x(steps[j])},${y(value)}`);
    parts.push(svgPath(`line line-${i}`, points));
  });
  parts.push(svgPath("now", [`${x(now)},${top}`, `${x(now)},${base}`]));
  svg.setAttribute("viewBox", `0 0 ${svg.clientWidth} ${CHART_HEIGHT}`);
  svg.innerHTML = parts.join("");
}

function ticksUpTo(high, logarithmic) {
  const ticks = [0, 1, 2, 3, 4, 5, 6].map((tick) => (logarithmic ? 10 ** tick : tick));
  return ticks.filter((tick) => tick <= high);
}

function svgPath(name, points) {
  return `<path class="${name}" d="M${points.join("L")}"/>`;
}

function svgText(x, y, anchor, value) {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}">${number(value)}</text>`;
}
