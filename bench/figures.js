'use strict';

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** Waits until a server has used no CPU time for a while; at most ten seconds. */
async function settle(server) {
  let before = -1;
  for (let turn = 0; turn < 20 && server.cpu() !== before; turn += 1) {
    before = server.cpu();
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

module.exports = { median, settle };
