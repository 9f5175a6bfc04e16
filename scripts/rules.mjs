// Rules judged by their lead over validation loss: `node scripts/rules.mjs [--seeds 2-6] [--json file]`. Small nets of two hidden layers on bundled
// digits, 24 snapshots of 20 steps; from the twelfth on a fault grows a little at each. Seeded; needs a build. Limits were
// chosen by looking at seed 1 alone.
import { writeFileSync } from 'node:fs';
import os from 'node:os';
import { parseArgs } from 'node:util';
import {
  createInlineEngine,
  createRun,
  memoryStore,
  openRun,
  recordFit,
  watchRun,
} from '@epochscope/analysis';
import { random } from '@epochscope/analysis/methods';
import { bundledMnist, prepareTf } from '@epochscope/analysis/models';

const { values: given } = parseArgs({
  options: { seeds: { type: 'string', default: '2-6' }, json: { type: 'string' } },
});
const [firstSeed, lastSeed = firstSeed] = given.seeds.split('-').map(Number);
const SEEDS = Array.from({ length: lastSeed - firstSeed + 1 }, (_, i) => firstSeed + i);
const [SNAPSHOTS, STEPS, BATCH, TRAIN, HELD] = [24, 20, 50, 3000, 500];
/** Snapshots before the fault begins. */
const SOUND = 12;
/** The baseline is the first. */
const RULES = [
  'testLoss rose for 3 snapshots',
  'testLoss rose for 2 snapshots',
  'testLoss rose by 0.1',
  'block count of h2 fell',
  'share in no block of h2 over 0.5 for 5 snapshots',
  'difference to the last snapshot of h2 over 3.3',
  'dead units of h2 over 0.15',
];
/** What is wrong, `grown` from 0 to 1 over the second half. */
const FAULTS = {
  none: () => {},
  'learning rate too high': (at) => {
    at.model.optimizer.learningRate = 0.002 * 40 ** at.grown;
  },
  'label noise': (at) => {
    at.noise = 0.8 * at.grown;
  },
  'a dead layer': (at) => {
    const [kernel, bias] = at.model.getLayer('h2').getWeights();
    const values = bias.dataSync().slice();
    for (let u = 0; u < values.length * at.grown; u++) values[u] = -20;
    at.model.getLayer('h2').setWeights([kernel, at.tf.tensor1d(values)]);
  },
  'data shift': (at) => {
    at.shift = at.grown;
  },
};

const tf = await prepareTf();
const digits = await bundledMnist();
const engine = createInlineEngine();
const size = 784;
const pixels = (from, count, side) =>
  Float32Array.from(side.images.subarray(from * size, (from + count) * size), (v) => v / 255);

/** Trains with a fault, records, and gives each rule's figures and alarms. */
async function trained(fault, seed) {
  const source = random(seed, 77);
  const layer = (units, name, last) =>
    tf.layers.dense({
      units,
      name,
      activation: last ? 'softmax' : 'relu',
      kernelInitializer: tf.initializers.glorotUniform({ seed: 10 * seed + name.length + units }),
      ...(name === 'h1' ? { inputShape: [size] } : {}),
    });
  const model = tf.sequential({ layers: [layer(64, 'h1'), layer(32, 'h2'), layer(10, 'out', true)] });
  model.compile({ optimizer: tf.train.adam(0.002), loss: 'categoricalCrossentropy' });
  const one = (labels) => tf.oneHot(tf.tensor1d(Int32Array.from(labels), 'int32'), 10);
  const held = { x: pixels(0, HELD, digits.test), labels: digits.test.labels.slice(0, HELD) };
  const store = memoryStore('run');
  const callbacks = recordFit(tf, model, (init) => createRun(store, init), {
    samples: {
      inputs: { data: held.x, shape: [HELD, size], dtype: 'float32' },
      labels: Uint32Array.from(held.labels),
    },
  });
  await callbacks.onTrainBegin();
  const [x, y] = [tf.tensor2d(held.x, [HELD, size]), one(held.labels)];
  const at = { tf, model, grown: 0, noise: 0, shift: 0 };
  for (let s = 0; s < SNAPSHOTS; s++) {
    at.grown = Math.max(0, (s + 1 - SOUND) / (SNAPSHOTS - SOUND));
    fault(at);
    for (let step = 0; step < STEPS; step++) {
      const rows = Array.from({ length: BATCH }, () => source.below(TRAIN));
      const batch = new Float32Array(BATCH * size);
      rows.forEach((row, i) => {
        pixels(row, 1, digits.train).forEach((v, p) => {
          // The shift: pictures fade into their negatives.
          batch[i * size + p] = v + at.shift * (1 - 2 * v);
        });
      });
      const labels = rows.map((row) =>
        source.uniform() < at.noise ? source.below(10) : digits.train.labels[row],
      );
      const [bx, by] = [tf.tensor2d(batch, [BATCH, size]), one(labels)];
      await model.trainOnBatch(bx, by);
      tf.dispose([bx, by]);
    }
    const loss = tf.tidy(() => model.evaluate(x, y, { batchSize: HELD }).dataSync()[0]);
    await callbacks.onEpochEnd(s, { testLoss: Math.min(loss, 1e6) });
  }
  await callbacks.onTrainEnd();
  tf.dispose([x, y]);
  model.dispose();
  return watchRun(await openRun(store), { rules: RULES, samples: null, after: 6 }, { engine });
}

const found = [];
for (const [name, fault] of Object.entries(FAULTS))
  for (const seed of SEEDS) {
    const { rules } = await trained(fault, seed);
    found.push({
      fault: name,
      seed,
      // Place 0 is before training, so that `SOUND` is the first snapshot with a fault.
      rules: rules.map(({ text, holds, values }) => ({
        text,
        holds,
        values: values.map(({ value }) => value),
      })),
    });
    process.stderr.write(`${name}, seed ${seed}\n`);
  }

const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;
const firstAfter = (holds) => holds.find((s) => s >= SOUND) ?? null;
const figure = (value) => (value > 0 ? `+${value.toFixed(1)}` : value.toFixed(1));
console.log(`| rule | false alarms a run | ${Object.keys(FAULTS).slice(1).join(' | ')} |`);
console.log(`| --- | --- |${' --- |'.repeat(Object.keys(FAULTS).length - 1)}`);
RULES.forEach((text, r) => {
  // Where it begins to hold although nothing is wrong: in sound runs, and before the fault in the others.
  const begins = ({ rules }, until) =>
    rules[r].holds.filter((s) => s < until && !rules[r].holds.includes(s - 1)).length;
  const falseAlarms = mean(
    found.filter(({ fault }) => fault === 'none').map((run) => begins(run, SNAPSHOTS + 1)),
  );
  const cells = Object.keys(FAULTS)
    .slice(1)
    .map((name) => {
      const own = found.filter(({ fault }) => fault === name);
      const leads = own.flatMap(({ rules }) => {
        const [base, first] = [firstAfter(rules[0].holds), firstAfter(rules[r].holds)];
        // A baseline that never fires stands at the end.
        return first === null ? [] : [(base ?? SNAPSHOTS + 1) - first];
      });
      return `${leads.length} of ${own.length}${leads.length ? `, ${figure(mean(leads))}` : ''}`;
    });
  console.log(`| ${text} | ${falseAlarms.toFixed(1)} | ${cells.join(' | ')} |`);
});
console.log(`\nSeeds ${given.seeds}; ${os.cpus()[0].model.trim()}, Node ${process.version}`);
if (given.json) writeFileSync(given.json, JSON.stringify(found));
