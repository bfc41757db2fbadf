"use strict";
// Choose a digit: twenty-five styles of it, and one style for all digits.

function drawTool(network) {
  const ask = redrawing(find("draw"), redraw);
  reserve("draw-styles", network.shape, 5, 5);
  reserve("draw-digits", network.shape, network.classes);
  const choices = find("draw-digit");
  for (let digit = 0; digit < network.classes; digit++) {
    const label = document.createElement("label");
    const input = `<input type="radio" name="draw-digit" value="${digit}">`;
    label.innerHTML = `${input}<span>${digit}</span>`;
    choices.append(label);
  }
  choices.querySelector("[value='3']").checked = true;
  choices.addEventListener("change", ask);

  function redraw() {
    const digit = Number(choices.querySelector(":checked").value);
    const vectors = sampleLatent(25, network.latentDim, settings.seed);
    const label = oneHot(digit, network.classes);
    const styles = vectors.map((z) => draw(network, z, label));
    putDigits(find("draw-styles"), styles, network.shape, 5);
    find("draw-styles").setAttribute("aria-label", `25 pictures of the digit ${digit}`);
    const digits = Array.from({ length: network.classes }, (_, i) =>
      draw(network, vectors[0], oneHot(i, network.classes)),
    );
    putDigits(find("draw-digits"), digits, network.shape);
  }
}
