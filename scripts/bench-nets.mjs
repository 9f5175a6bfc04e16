// `node scripts/bench-nets.mjs [rounds] [PYTHON]`, after `npm run build`: LeNet-5 beside PyTorch, in turn in one run
// on one thread each. Training at batch 100 with Adam, capture of every layer, Jacobian products with 100 vectors at
// one image. Processor time, fastest of the rounds; prints the table of docs/benchmarks-nets.md. PYTHON (default python3) needs torch.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import {
  buildModel,
  captureOutputs,
  GraphRunner,
  graphOfModel,
  prepareTf,
  train,
} from '../packages/analysis/dist/models.js';
import { root } from './prepare.mjs';

const rounds = Number(process.argv[2] ?? 5);
const COUNTS = { training: 6000, capture: 6000, jvp: 2000, vjp: 2000 };

const PRODUCTS = new Set(['jvp', 'vjp']);

const tf = await prepareTf();
const net = buildModel(tf, { name: 'lenet5', inputShape: [28, 28, 1], classes: 10, seed: 1 });
const images = Uint8Array.from({ length: 6000 * 784 }, (_, i) => Math.imul(i + 1, 2654435761) >>> 24);
const labels = Int32Array.from({ length: 6000 }, (_, i) => i % 10);
const empty = { count: 0, images: new Uint8Array(0), labels: new Int32Array(0) };
const none = { init: false, epochs: [1] };
const options = {
  epochs: 1,
  batchSize: 100,
  optimizer: 'adam',
  learningRate: 1e-3,
  seed: 1,
  noise: 0,
  snapshots: none,
};
const runner = new GraphRunner(tf, graphOfModel(net.model));
const at = runner.at(Float32Array.from(images.subarray(0, 784), (byte) => byte / 255));
const vectors = (size) =>
  Float32Array.from({ length: 100 * size }, (_, i) => (Math.imul(i + 7, 2246822519) >>> 8) / 2 ** 24);
const [v, u] = [vectors(784), vectors(10)];
const ours = {
  training: (count) =>
    train(
      tf,
      net,
      { source: 'random', shape: [28, 28, 1], classes: 10, train: { count, images, labels }, test: empty },
      options,
    ),
  capture: (count) =>
    captureOutputs(tf, net, {
      data: images.subarray(0, count * 784),
      shape: [count, 28, 28, 1],
      dtype: 'uint8',
    }),
  jvp: (count) => {
    for (let i = 0; i < count; i += 100) at.jvp(v, 100, 'input', runner.last);
  },
  vjp: (count) => {
    for (let i = 0; i < count; i += 100) at.vjp(u, 100, 'input', runner.last);
  },
};

const python = spawn(process.argv[3] ?? 'python3', [join(root, 'packages/core-wasm/bench/lenet.py')], {
  stdio: ['pipe', 'pipe', 'inherit'],
});
const lines = createInterface(python.stdout)[Symbol.asyncIterator]();
const answer = async () => (await lines.next()).value;
const version = await answer();
if (!version)
  throw new Error('bench-nets: the Python given has no torch; see the first lines of scripts/bench-nets.mjs');
const peer = async (work, count) => {
  python.stdin.write(`${work} ${count}\n`);
  return Number(await answer());
};
const own = async (work, count) => {
  const before = process.cpuUsage();
  await ours[work](count);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
};

console.log(
  `${cpus()[0].model}, Node ${process.versions.node}, torch ${version}, one thread each, ${rounds} rounds, load average ${loadavg()[0].toFixed(1)}, ${new Date().toISOString().slice(0, 10)}\n`,
);
console.log('| work | a second | PyTorch | our time over its |\n| --- | ---: | ---: | ---: |');
for (const [work, count] of Object.entries(COUNTS)) {
  const best = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  // The first round, not counted, lets both compile.
  for (let round = 0; round <= rounds; round++) {
    const times = [await own(work, count), await peer(work, count)];
    if (round)
      times.forEach((time, i) => {
        best[i] = Math.min(best[i], time);
      });
  }
  const rate = (seconds) => `${Math.round(count / seconds)} ${PRODUCTS.has(work) ? 'products' : 'images'}`;
  console.log(`| ${work} | ${rate(best[0])} | ${rate(best[1])} | ${(best[0] / best[1]).toFixed(2)} |`);
}
python.stdin.end();
await once(python, 'exit');
