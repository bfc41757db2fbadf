"use strict";
// Puts the page together.

const content = JSON.parse(find("content").textContent);
const network = readNetwork(content.network);
sharedControls();
for (const tool of [drawTool, mapTool, cornersTool, arithmeticTool, layersTool]) tool(network);
sketchTool(network, walkTool(network));
trainingTool(content.training);
showCard(content.card);

// For tests, and for readers who open the browser's console:
//     dcgan.draw(dcgan.sampleLatent(1, 100, 5)[0], 7)
window.dcgan = {
  network,
  sampleLatent,
  // `label` is a digit, or one share for each digit.
  draw: (z, label) =>
    generate(network, z, typeof label === "number" ? oneHot(label, network.classes) : label),
};
