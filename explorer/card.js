"use strict";
// What this network is.

function showCard(card) {
  const rows = {
    Network:
      `generator “${card.name}” of a conditional DCGAN (a GAN with convolutions that is told ` +
      `which digit), ${number(card.parameters)} parameters (weights ${card.hash})`,
    Data: `${card.data.name}, ${number(card.data.images)} images`,
    Training:
      `${number(card.steps)} steps of ${card.batchSize} images, seed ${card.seed} ` +
      "(the number that all its random numbers follow from), " +
      `${number(Math.round(card.seconds))} seconds`,
    Command: card.command,
    Score:
      `Fréchet distance ${card.distance.toFixed(1)} to real digits, over ` +
      `${number(card.samples)} samples (real against real: ${card.floor.toFixed(1)}; ` +
      `evaluator ${card.evaluator}). The chart above compares fewer, so both are larger there.`,
    Limits: card.limits,
  };
  for (const [name, text] of Object.entries(rows)) {
    const [term, words] = [document.createElement("dt"), document.createElement("dd")];
    [term.textContent, words.textContent] = [name, text];
    find("card-rows").append(term, words);
  }
  find("parameters").textContent = number(card.parameters);
}
