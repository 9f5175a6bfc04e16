// How often `info --check` finds a fault, and how often it finds one where there is none: trains series of the bundled digits, puts faults
// in at random and counts. Prints a table for docs/guides/public-series.md.
//
//   node scripts/series-check-rates.mjs [--trials 200] [--keep FOLDER]
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const args = process.argv.slice(2);
const option = (name, otherwise) => (args.includes(name) ? args[args.indexOf(name) + 1] : otherwise);
const trials = Number(option('--trials', 200));
const packages = resolve(import.meta.dirname, '../packages');
const { openRun } = await import(join(packages, 'analysis/dist/index.js'));
const { checkSeries, random } = await import(join(packages, 'analysis/dist/methods.js'));

const SERIES = [
  ['mlp', 1],
  ['mlp', 2],
  ['mlp', 3],
  ['lenet5', 1],
  ['lenet5', 2],
];
const EPOCHS = 16;
const kept = option('--keep', null);
const folder = kept ? resolve(kept) : mkdtempSync(join(tmpdir(), 'epochscope-rates-'));

/** Weights of a training's snapshots, without the untrained one. */
async function trained(model, seed) {
  const run = join(folder, `${model}-${seed}`);
  if (!existsSync(join(run, 'run.json')))
    execFileSync(
      process.execPath,
      [
        join(packages, 'cli/dist/main.js'),
        ...[
          'train',
          '--model',
          model,
          '--epochs',
          String(EPOCHS),
          '--snapshots',
          'every:1epoch',
          '--seed',
          String(seed),
          '-o',
          run,
        ],
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
  const { manifest, weights } = await openRun(run);
  const snapshots = [];
  for (const { id } of manifest.snapshots.slice(-EPOCHS)) snapshots.push(await weights(id));
  return snapshots;
}

const series = [];
for (const [model, seed] of SERIES) series.push({ model, snapshots: await trained(model, seed) });

const ids = Array.from({ length: EPOCHS }, (_, i) => `s${i}`);
const check = (snapshots, seed) =>
  checkSeries(
    ids.slice(0, snapshots.length),
    [...snapshots[0]].map(([name, { data }]) => ({ name, size: data.length })),
    async (name, indices) =>
      Float32Array.from(snapshots.flatMap((one) => Array.from(indices, (i) => one.get(name).data[i]))),
    { seed },
  );

/** Whether a fault is laid to one of these snapshots. */
const blames = ({ findings }, ...wanted) =>
  findings.some(
    (finding) =>
      finding.grade === 'fault' &&
      (finding.snapshots ?? [finding.snapshot]).some((id) => wanted.some((i) => id === ids[i])),
  );
const inner = (draw) => 1 + draw.below(EPOCHS - 2);
const two = (draw, apart) => {
  for (;;) {
    const [a, b] = [inner(draw), inner(draw)].sort((x, y) => x - y);
    if (b - a >= apart) return [a, b];
  }
};
const replaced = (snapshots, at, by) => snapshots.with(at, by);
/** Some tensors of another snapshot in place of its own. */
const mixed = (own, other, takes) =>
  new Map([...own].map(([name, tensor], i) => [name, takes(i, own.size) ? other.get(name) : tensor]));

/** Name → from a sound series (and another of the same net) one with a fault, and which snapshots it is laid to. */
const FAULTS = {
  'copy of another, not its neighbour': (own, _, draw) => {
    const [a, b] = two(draw, 2);
    return draw.below(2) ? [replaced(own, b, own[a]), a, b] : [replaced(own, a, own[b]), a, b];
  },
  'copy of its neighbour': (own, _, draw) => {
    const a = inner(draw);
    return [replaced(own, a, own[a - 1]), a - 1, a, a + 1];
  },
  'copy of the last': (own, _, draw) => {
    const a = 1 + draw.below(EPOCHS - 3);
    return [replaced(own, a, own[EPOCHS - 1]), a, EPOCHS - 1];
  },
  'two swapped': (own, _, draw) => {
    const [a, b] = two(draw, 2);
    return [own.with(a, own[b]).with(b, own[a]), a, b];
  },
  'neighbours swapped': (own, _, draw) => {
    const a = 1 + draw.below(EPOCHS - 3);
    return [own.with(a, own[a + 1]).with(a + 1, own[a]), a - 1, a, a + 1, a + 2];
  },
  'out of place: moved by two or more': (own, _, draw) => {
    const [a, b] = two(draw, 2);
    const left = own.toSpliced(a, 1);
    return [left.toSpliced(b, 0, own[a]), b, a, b - 1, b + 1];
  },
  'of another training': (own, other, draw) => {
    const a = inner(draw);
    return [replaced(own, a, other[a]), a];
  },
  'half of its tensors of the last': (own, _, draw) => {
    const a = 1 + draw.below(EPOCHS - 3);
    return [
      replaced(
        own,
        a,
        mixed(own[a], own[EPOCHS - 1], (i, n) => i < n / 2),
      ),
      a,
      EPOCHS - 1,
    ];
  },
  'one tensor of another training': (own, other, draw) => {
    const a = inner(draw);
    const which = draw.below(own[a].size);
    return [
      replaced(
        own,
        a,
        mixed(own[a], other[a], (i) => i === which),
      ),
      a,
    ];
  },
};

const percent = (share) => `${(100 * share).toFixed(share === 1 || share === 0 ? 0 : 1)} %`;
console.log(
  `${SERIES.map(([model, seed]) => `${model} (seed ${seed})`).join(', ')}; ${EPOCHS} snapshots, ${trials} trials a series\n`,
);
console.log(
  '| fault | found | in the series where it is found least | laid to the right snapshot |\n|---|---|---|---|',
);
for (const [k, [name, put]] of Object.entries(FAULTS).entries()) {
  const found = [];
  let named = 0;
  for (const [s, { model, snapshots }] of series.entries()) {
    const other = series.find((one, i) => i !== s && one.model === model).snapshots;
    let hits = 0;
    for (let t = 0; t < trials; t++) {
      const [faulty, ...blamed] = put(snapshots, other, random(1 + k, s, t));
      const told = await check(faulty, t);
      if (told.findings.some(({ grade }) => grade === 'fault')) hits++;
      if (blames(told, ...blamed)) named++;
    }
    found.push(hits / trials);
  }
  console.log(
    `| ${name} | ${percent(found.reduce((a, b) => a + b) / found.length)} | ${percent(Math.min(...found))} | ${percent(named / (found.length * trials))} |`,
  );
}

// Sound series, whole and with snapshots left out, each time by other weights.
let [alarms, looked, gone] = [0, 0, 0];
let highest = 0;
for (const [s, { snapshots }] of series.entries())
  for (let t = 0; t < trials; t++) {
    const draw = random(99, s, t);
    const own = t % 2 ? snapshots : snapshots.filter(() => draw.below(4) > 0);
    if (own.length < 4) continue;
    const { findings, excess } = await check(own, t);
    looked++;
    if (own.length < snapshots.length) gone++;
    if (findings.some(({ grade }) => grade === 'fault')) alarms++;
    highest = Math.max(highest, ...excess.map((e) => e ?? 0));
  }
console.log(
  `\nfalse alarms: ${alarms} of ${looked} sound series (${gone} of them with snapshots left out); largest excess ${highest.toFixed(2)}`,
);
if (!kept) rmSync(folder, { recursive: true });
