// Figures of docs/decisions/0003: both rules on ten kinds of data, and a million samples.
//   node packages/analysis/scripts/blocks/measure.mjs TREES.jsonl [RUN …]   the comparison; runs hold outputs of R3, R4, S5
//   /path/to/python packages/analysis/scripts/blocks/peers.py TREES.jsonl   hdbscan and scikit-learn on the same trees
//   node packages/analysis/scripts/blocks/measure.mjs --time                seconds up to a million samples
import { createWriteStream, readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { createEngine } from '@epochscope/analysis';
import {
  adjustedRandIndex,
  assignFree,
  blockLabels,
  blockStability,
  findBlocks,
  random,
} from '@epochscope/analysis/methods';
import { ExcessOfMass, linkageTree } from '../../dist/methods/tendency/linkage-tree.js';
import { plateauBlocks } from './plateau.mjs';
import { sets } from './sets.mjs';

const SAMPLES = 1000;
const SEEDS = 3;

/** Iris of the tests' goldens: float64 .npy of 150 × 4. */
function iris() {
  const bytes = readFileSync(new URL('../../../../tests/goldens/iris.npy', import.meta.url));
  const start = 10 + bytes.readUInt16LE(8);
  const data = Float32Array.from({ length: 600 }, (_, i) => bytes.readDoubleLE(start + 8 * i));
  return {
    x: { data, shape: [150, 4] },
    labels: Uint32Array.from({ length: 150 }, (_, i) => Math.floor(i / 50)),
  };
}

async function compare(file, runs) {
  const engine = createEngine();
  const trees = createWriteStream(file);
  const rows = new Map();
  for await (const { name, truth, seed, x, labels } of sets({
    n: SAMPLES,
    seeds: SEEDS,
    iris: iris(),
    runs,
  })) {
    const n = x.shape[0];
    const vat = await engine.vat(x, { metric: 'euclidean' });
    const blocks = findBlocks(vat.weights, n);
    const inBlocks = blockLabels(blocks, vat.order);
    const stability = await blockStability(
      engine,
      { outputs: x, labels: null, predictions: null, logLikelihood: null },
      blocks,
      vat.order,
      { metric: 'euclidean', subsets: 20, seed: 1 },
    );
    const old = plateauBlocks(vat.weights, blocks.smallest);
    const oldBySample = new Int32Array(n);
    vat.order.forEach((sample, p) => {
      oldBySample[sample] = old[p];
    });
    const ari = (found) => adjustedRandIndex(found, labels).value;
    const chosen = [...inBlocks.keys()].filter((i) => inBlocks[i] >= 0);
    const of = (list) => chosen.map((i) => list[i]);
    const ungated = new ExcessOfMass(linkageTree(vat.weights)).at(blocks.smallest).nodes.length;
    const oldCount = Math.max(...old) + 1;
    const row = rows.get(name) ?? {
      name,
      truth,
      ours: [],
      none: [],
      ariIn: [],
      ari: [],
      stability: [],
      ungated: [],
      old: [],
      oldAri: [],
    };
    rows.set(name, row);
    row.ours.push(blocks.count);
    row.ungated.push(ungated >= 2 ? ungated : 0);
    row.none.push(blocks.shareInNone);
    row.ariIn.push(blocks.count && truth ? adjustedRandIndex(of(inBlocks), of(labels)).value : null);
    row.ari.push(blocks.count && truth ? ari(assignFree(vat, inBlocks)) : null);
    row.stability.push(stability.value);
    row.old.push(oldCount);
    row.oldAri.push(truth ? ari(oldBySample) : null);
    trees.write(
      `${JSON.stringify({ name, seed, truth, smallest: blocks.smallest, ungated, weights: [...vat.weights], labels: Array.from(vat.order, (sample) => labels[sample]) })}\n`,
    );
    process.stderr.write(`${name} ${seed}: ${blocks.count} (${ungated}), before ${oldCount}\n`);
  }
  trees.end();
  await engine.close();
  const list = (values) => values.map((v) => (v === null ? '–' : v.toFixed(2))).join(', ');
  console.log(
    `| data | is | blocks | in none | ARI in blocks | ARI of all | stability | rule before: blocks | its ARI |\n|${' --- |'.repeat(9)}`,
  );
  for (const r of rows.values())
    console.log(
      `| ${[r.name, r.truth, r.ours.join(', '), r.none.map((v) => `${Math.round(100 * v)} %`).join(', '), list(r.ariIn), list(r.ari), list(r.stability), r.old.join(', '), list(r.oldAri)].join(' | ')} |`,
    );
  console.log(`\n${SAMPLES} samples (iris 150), seeds 1 … ${SEEDS}; ${machine()}.`);
}

const machine = () =>
  `${cpus().length} × ${cpus()[0].model.trim()}, Node ${process.versions.node}, load ${loadavg()[0].toFixed(1)}`;

/** Weights of ten blocks with noise between, blocks within blocks: what the rule meets, without the hour that a tree of a million takes. */
function weightsOf(n) {
  const source = random(1, n);
  return Float32Array.from({ length: n - 1 }, (_, p) => {
    const edge = (p + 1) % (n / 10) < n / 200 ? 4 : (p + 1) % (n / 100) === 0 ? 2 : 1;
    return edge * (0.5 + source.uniform());
  });
}

function time() {
  console.log(
    '| samples | the rule | all smallest sizes | rows | the rule: ns a sample and log₂ n | all sizes |\n|' +
      ' --- |'.repeat(6),
  );
  for (const n of [10_000, 30_000, 100_000, 300_000, 1_000_000]) {
    const weights = weightsOf(n);
    const best = (run) => {
      let [least, result] = [Number.POSITIVE_INFINITY, null];
      for (let i = 0; i < 3; i++) {
        const begun = process.cpuUsage();
        result = run();
        const { user, system } = process.cpuUsage(begun);
        least = Math.min(least, (user + system) / 1000);
      }
      return [least / 1000, result];
    };
    const [rule, blocks] = best(() => findBlocks(weights, n, { bySize: false }));
    const [all, every] = best(() => findBlocks(weights, n));
    const unit = (seconds) => ((1e9 * seconds) / (n * Math.log2(n))).toFixed(1);
    console.log(
      `| ${n} | ${rule.toFixed(3)} s (${blocks.count} blocks) | ${all.toFixed(3)} s | ${every.bySize.smallest.length} | ${unit(rule)} | ${unit(all)} |`,
    );
  }
  console.log(`\nProcessor time, best of three; ${machine()}.`);
}

const [first, ...runs] = process.argv.slice(2);
if (first === '--time') time();
else if (first) await compare(first, runs);
else {
  console.error('usage: measure.mjs TREES.jsonl [RUN …] | --time');
  process.exitCode = 2;
}
