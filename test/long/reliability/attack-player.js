// The process of the hostile clients, so that they neither wait for the test nor delay its measurements: see
// attackers.ts. It counts their outcomes.
const { setTimeout: sleep } = require('node:timers/promises');
const { ATTACKS } = require('./attacks.js');

const [, , setup] = process.argv;
const { target, attacks, forever } = JSON.parse(setup);

let goesOn = true;
const outcomes = {};

function count(name, outcome) {
  const counts = (outcomes[name] ??= {});
  counts[outcome] = (counts[outcome] ?? 0) + 1;
}

async function liveOnce(name, n) {
  count(name, await ATTACKS[name].attack(target, { share: 1, n }));
}

async function liveOn(name, first) {
  const { attack, soak } = ATTACKS[name];
  // Not all at the same moment.
  await sleep((first / soak.clients) * soak.pauseMs);
  for (let n = first; goesOn; n += 1) {
    count(name, await attack(target, { share: 1, ...soak, n }));
    await sleep(soak.pauseMs);
  }
}

function clientsOf(name) {
  const { alone, soak } = ATTACKS[name];
  const live = forever ? liveOn : liveOnce;
  return Array.from({ length: forever ? soak.clients : alone }, (_, n) => live(name, n));
}

/** The parent process may have ended. */
function report() {
  process.send(outcomes, () => undefined);
}

process.on('message', async (order) => {
  if (order === 'stop') {
    report();
    goesOn = false;
    return;
  }
  const names = attacks.length > 0 ? attacks : Object.keys(ATTACKS);
  await Promise.all(names.flatMap(clientsOf));
  if (goesOn) report();
});
process.on('disconnect', () => process.exit(0));
process.send('ready');
