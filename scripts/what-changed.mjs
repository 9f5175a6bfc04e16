// Differences, paths and features of LeNet-5 on whole MNIST over several seeds, mean ± sd: `node scripts/what-changed.mjs MNIST RUNS
// [--seeds 1-3] [--threads N]`. MNIST: a folder of its IDX files. RUNS: a folder where trainings and their figures are kept and taken up
// again (RUNS/seed-1, RUNS/seed-1.json, …: ten epochs, each kept; four minutes of processor a seed). Figures are taken on the 10 000
// test pictures, those of features on the first 5 000. Needs a build.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  createEngine,
  differenceOfRun,
  differenceOfRuns,
  featuresOfRun,
  memoryStore,
  openRun,
  pathOfRun,
  setDefaultThreads,
  toolInfo,
} from '@epochscope/analysis';
import { differenceSide, minimaxPath } from '@epochscope/analysis/methods';

const { values: given, positionals } = parseArgs({
  allowPositionals: true,
  options: { seeds: { type: 'string', default: '1-3' }, threads: { type: 'string', default: '1' } },
});
const [mnist, runs] = positionals;
if (!runs) {
  process.stderr.write('what-changed: expected a folder of MNIST and one for runs\n');
  process.exit(2);
}
const [firstSeed, lastSeed = firstSeed] = given.seeds.split('-').map(Number);
const SEEDS = Array.from({ length: lastSeed - firstSeed + 1 }, (_, i) => firstSeed + i);
const EPOCHS = ['init', '1', '2', '5', '10'];
/** Digits whose first pictures are taken apart by leaving one sample out. */
const PAIRS = [
  [4, 9],
  [3, 5],
  [5, 8],
];
const main = join(import.meta.dirname, '..', 'packages', 'cli', 'dist', 'main.js');
setDefaultThreads(Number(given.threads));

/** Trains unless it has been done, in a process of its own. */
async function trained(seed) {
  const folder = join(runs, `seed-${seed}`);
  const opened = existsSync(join(folder, 'run.json')) ? await openRun(folder) : null;
  if (opened?.manifest.complete) return opened;
  const { status } = spawnSync(
    process.execPath,
    [
      ...[main, 'train', '--data', mnist, '--epochs', '10', '--snapshots', 'init,1,2,3,4,5,6,7,8,9,10'],
      ...[
        '--samples',
        '10000',
        '--seed',
        String(seed),
        '--threads',
        given.threads,
        '-o',
        folder,
        '--overwrite',
      ],
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  if (status) throw new Error(`training of seed ${seed} ended with ${status}`);
  return openRun(folder);
}

/** Figures by name, one a seed. */
const figures = new Map();
let ofSeed = {};
const note = (name, value) => {
  figures.set(name, [...(figures.get(name) ?? []), value]);
  ofSeed[name] = value;
};
const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;
const sd = (list) =>
  list.length < 2
    ? null
    : Math.sqrt(list.reduce((sum, value) => sum + (value - mean(list)) ** 2, 0) / (list.length - 1));
function shown(name, digits) {
  const list = (figures.get(name) ?? []).filter((value) => value !== null);
  if (!list.length) return '–';
  const spread = sd(list);
  return `${mean(list).toFixed(digits)}${spread === null ? '' : ` ± ${spread.toFixed(digits)}`}`;
}
const table = (head, rows) =>
  console.log(
    [head, head.map(() => '---'), ...rows]
      .map((row) => `| ${row.join(' | ')} |`)
      .join('\n')
      .concat('\n'),
  );

const engine = createEngine();
const opened = [];
for (const seed of SEEDS) {
  const run = await trained(seed);
  opened.push(run);
  const file = join(runs, `seed-${seed}.json`);
  if (existsSync(file)) {
    for (const [name, value] of Object.entries(JSON.parse(readFileSync(file, 'utf8')))) note(name, value);
    continue;
  }
  ofSeed = {};
  const how = { engine, parts: { store: memoryStore('parts'), folder: 'parts' } };

  for (const layer of ['R3', 'R4', 'S5'])
    for (const from of EPOCHS.slice(0, -1)) {
      const { distance, oneWay, cka } = await differenceOfRun(run, { layer, from, to: '10' }, how);
      note(`${layer} ${from} distance`, distance.value);
      note(`${layer} ${from} before`, oneWay[0]);
      note(`${layer} ${from} after`, oneWay[1]);
      note(`${layer} ${from} cka`, cka.value);
    }

  // The first test picture of each digit against that of each other, the same in every seed.
  const labels = await run.labels();
  const first = Array.from({ length: 10 }, (_, digit) => labels.indexOf(digit));
  for (const epoch of EPOCHS) {
    const snapshot = run.snapshot(epoch);
    const outputs = await run.outputs(snapshot.id, 'R4');
    const input = { snapshot, layer: 'R4', outputs };
    const side = await differenceSide(engine, input, run.name, { metric: 'euclidean', seed: 1 });
    const tree = await engine.vat(outputs, { metric: 'euclidean' });
    const paths = first.flatMap((a, i) => first.slice(i + 1).map((b) => minimaxPath(tree, a, b)));
    note(`path ${epoch} weakest`, mean(paths.map(({ bottleneck }) => bottleneck)) / side.scale.value);
    note(`path ${epoch} links`, mean(paths.map(({ links }) => links.length)));
    const between = ({ samples, weakest }) => labels[samples[weakest]] !== labels[samples[weakest + 1]];
    note(`path ${epoch} between`, mean(paths.map((path) => Number(between(path)))));
  }
  for (const [a, b] of PAIRS) {
    const { path, bridges } = await pathOfRun(
      run,
      { layer: 'R4', snapshot: '10', from: first[a], to: first[b], bridges: 1 },
      how,
    );
    note(`bridge ${a} ${b}`, 100 * ((bridges[0]?.bottleneck ?? path.bottleneck) / path.bottleneck - 1));
  }

  const { panels } = await featuresOfRun(run, { snapshots: EPOCHS, samples: 5000, probes: 2 }, how);
  for (const { layer, snapshot, correlation, rootCorrelation, settled } of panels) {
    const epoch = snapshot.epoch === 0 ? 'init' : String(snapshot.epoch);
    note(`${layer} ${epoch} raw`, correlation.value);
    note(`${layer} ${epoch} root`, rootCorrelation.value);
    note(`${layer} ${epoch} settled`, settled.value);
  }
  writeFileSync(file, JSON.stringify(ofSeed));
  process.stderr.write(`seed ${seed}\n`);
}
for (const [i, run] of opened.entries())
  for (const other of opened.slice(i + 1))
    for (const layer of ['R3', 'R4', 'S5']) {
      const { distance, cka } = await differenceOfRuns([run, other], { layer }, { engine });
      note(`seeds ${layer} distance`, distance.value);
      note(`seeds ${layer} cka`, cka.value);
    }
await engine.close();

console.log('Distance to epoch 10, and linear CKA with it\n');
table(
  [
    'layer',
    ...EPOCHS.slice(0, -1).map((epoch) => (epoch === 'init' ? 'before training' : `epoch ${epoch}`)),
    'another seed',
  ],
  ['R3', 'R4', 'S5'].flatMap((layer) => [
    [
      `${layer}, distance`,
      ...EPOCHS.slice(0, -1).map((from) => shown(`${layer} ${from} distance`, 0)),
      shown(`seeds ${layer} distance`, 0),
    ],
    [
      `${layer}, CKA`,
      ...EPOCHS.slice(0, -1).map((from) => shown(`${layer} ${from} cka`, 3)),
      shown(`seeds ${layer} cka`, 3),
    ],
  ]),
);
console.log('What each keeps apart that the other joins: then, at epoch 10\n');
table(
  ['layer', ...EPOCHS.slice(0, -1)],
  ['R3', 'R4', 'S5'].map((layer) => [
    layer,
    ...EPOCHS.slice(0, -1).map(
      (from) => `${shown(`${layer} ${from} before`, 0)}, ${shown(`${layer} ${from} after`, 0)}`,
    ),
  ]),
);
console.log('Paths in R4 between the first test pictures of two digits, all 45 pairs\n');
table(
  ['', ...EPOCHS],
  [
    ['weakest link, in scales', ...EPOCHS.map((epoch) => shown(`path ${epoch} weakest`, 3))],
    ['links', ...EPOCHS.map((epoch) => shown(`path ${epoch} links`, 0))],
    [
      'share of weakest links between two digits',
      ...EPOCHS.map((epoch) => shown(`path ${epoch} between`, 2)),
    ],
  ],
);
console.log('How much longer the weakest link is at epoch 10 without one sample, in per cent\n');
table(
  PAIRS.map(([a, b]) => `${a} and ${b}`),
  [PAIRS.map(([a, b]) => shown(`bridge ${a} ${b}`, 1))],
);
console.log('Correlation of WᵀW with the root of the AGOP, with the AGOP, and settled\n');
table(
  ['layer', ...EPOCHS],
  ['C1', 'C2', 'F3', 'F4', 'F5'].flatMap((layer) =>
    ['root', 'raw', 'settled'].map((kind) => [
      `${layer}, ${kind}`,
      ...EPOCHS.map((epoch) => shown(`${layer} ${epoch} ${kind}`, 3)),
    ]),
  ),
);
console.log(
  `Seeds ${given.seeds}; ${os.cpus()[0].model.trim()}, Node ${process.versions.node}, Epochscope ${toolInfo.version}`,
);
