// `node scripts/bench-tendency.mjs [rounds]`, after `npm run build`: whole calls of `analyseTendency` on few samples,
// beside the VAT in them, with an engine of one worker. Processor time of a call, worker included, median of the
// rounds; prints the table of docs/decisions/0009.
import { cpus, loadavg } from 'node:os';
import { createEngine } from '../packages/analysis/dist/index.js';
import { analyseTendency } from '../packages/analysis/dist/methods/tendency/index.js';
import { points } from '../packages/core-wasm/dist/bench/data.js';
import { loadKernels, vatFromPoints } from '../packages/core-wasm/dist/src/index.js';

const rounds = Number(process.argv[2] ?? 5);
const kernels = await loadKernels();
const engine = createEngine({ threads: 1 });
const now = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

/** Milliseconds of a call: so many in a row that a round lasts 50 ms. */
async function time(run) {
  let calls = 1;
  const times = [];
  for (let round = -1; round < rounds; round++) {
    const start = now();
    for (let i = 0; i < calls; i++) await run();
    const took = now() - start;
    if (round >= 0) times.push(took / calls);
    else if (took < 50) {
      calls = Math.ceil(calls * Math.min(20, 60 / Math.max(took, 0.1)));
      if (took < 20) round--;
    }
  }
  return median(times);
}

console.log(`${cpus()[0].model}, Node ${process.versions.node}, load ${loadavg()[0].toFixed(1)}\n`);
console.log('| samples × units | VAT alone | tendency | without stability | without its image too |');
console.log('| --- | ---: | ---: | ---: | ---: |');
for (const d of [10, 84])
  for (const n of [10, 100, 400, 1000]) {
    const outputs = points(n, d);
    const input = {
      snapshot: { id: 'a', epoch: 1, step: null },
      layer: 'x',
      outputs,
      labels: Int32Array.from({ length: n }, (_, i) => i % 10),
      predictions: null,
      logLikelihood: null,
    };
    const options = { metric: 'euclidean', marks: [], vatSide: 512, seed: 1 };
    const cells = [
      await time(() => vatFromPoints(kernels, outputs, { metric: 'euclidean' })),
      await time(() => analyseTendency(engine, input, options)),
      await time(() => analyseTendency(engine, input, { ...options, stabilitySubsets: 0 })),
      await time(() => analyseTendency(engine, input, { ...options, stabilitySubsets: 0, vatSide: 0 })),
    ];
    console.log(`| ${n} × ${d} | ${cells.map((ms) => `${ms.toPrecision(3)} ms`).join(' | ')} |`);
  }
await engine.close?.();
