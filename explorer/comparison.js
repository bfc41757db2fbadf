"use strict";
// The same pass with another digit, or with another z: what changes, and how much, at each stage.

// 0 for the same numbers, 1 for numbers that have nothing in common.
function shareChanged(before, after) {
  let [changed, all] = [0, 1e-6];
  before.forEach((value, i) => {
    changed += Math.abs(value - after[i]);
    all += Math.abs(value) + Math.abs(after[i]);
  });
  return changed / all;
}

// Of a drawing the ink counts; its numbers are -1 where there is none.
function amounts(stage, network) {
  return isDrawing(stage, network) ? stage.values.map((value) => (value + 1) / 2) : stage.values;
}

function putChange(canvas, before, after, network) {
  const change = minus(amounts(after, network), amounts(before, network));
  const full = isDrawing(before, network) ? 1 : fullColour(before);
  if (before.shape.length === 1) putNumbers(canvas, change, numberColumns(before), full);
  else putMaps(canvas, change, before.shape, TWO_COLOURS, full, stageRoom());
}

function layersComparison(network, ask) {
  const menu = digitMenu("layers-other", 7, ask, network.classes);
  let seed = 42;
  find("layers-other-style").addEventListener("click", () => {
    seed += 1;
    ask();
  });
  const percent = (share) => `${Math.round(100 * share)} %`;

  // Shows both comparisons of a pass; returns how much changes at this stage, in words.
  return ({ all, position, z, digit, pass }) => {
    const other = sampleLatent(1, network.latentDim, seed + 1000 * settings.seed + 500)[0];
    const shares = { digit: pass(z, menu.digit), style: pass(other, digit) };
    for (const [name, others] of Object.entries(shares)) {
      putChange(find(`layers-${name}-change`), all[position], others[position], network);
      shares[name] = all.map((stage, i) =>
        shareChanged(amounts(stage, network), amounts(others[i], network)),
      );
      find(`layers-${name}-words`).textContent = `${percent(shares[name][position])} changed`;
    }
    putShares(all, position, shares);
    const [byDigit, byStyle] = [shares.digit, shares.style].map((line) => percent(line[position]));
    return `The other digit changes ${byDigit}, the other style ${byStyle}.`;
  };

  function putShares(all, position, { digit, style }) {
    const cell = (share) =>
      `<td><span>${percent(share)}</span><i style="width:${100 * share}%"></i></td>`;
    find("layers-shares").innerHTML = all
      .map((stage, i) => {
        const now = i === position ? ' aria-current="step"' : "";
        const title = stageTitle(stage, network);
        return `<tr${now}><th scope="row">${i + 1}. ${title}</th>${cell(digit[i])}${cell(style[i])}</tr>`;
      })
      .join("");
  }
}
