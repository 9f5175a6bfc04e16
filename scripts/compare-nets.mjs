// Whether nets give the same bits here as in another checkout, and how many samples a second of processor time: both built
// (npx turbo run build).
//
//   node scripts/compare-nets.mjs OTHER [--rounds 5]
//
// Nets of ours with seeded weights, and the ONNX files of tests/fixtures. Processes of the two take turns; of each net the fastest counts.
// Exit 1 where bits differ, or a net has lost more than 5 %.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Processor time that a net is run for. */
const MICROSECONDS = 400_000;
const own = resolve(import.meta.dirname, '..');
const args = process.argv.slice(2);

if (args[0] === '--child') {
  process.stdout.write(JSON.stringify(await measured(args[1])));
  process.exit(0);
}
const rounds = Number(args.includes('--rounds') ? args[args.indexOf('--rounds') + 1] : 5);
if (!args[0] || !(rounds >= 1)) {
  process.stderr.write('compare-nets: expected a checkout that is built, and --rounds n\n');
  process.exit(2);
}
const sides = { here: own, there: resolve(args[0]) };
const results = { here: [], there: [] };
for (let round = 0; round < rounds; round++)
  for (const [side, root] of Object.entries(sides)) {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [fileURLToPath(import.meta.url), '--child', root],
      { encoding: 'utf8', maxBuffer: 1e8 },
    );
    if (status !== 0) throw new Error(`${root}: ${stderr}`);
    results[side].push(JSON.parse(stdout));
  }
let [same, slow] = [0, 0];
const different = [];
for (const [name, { bits, speed }] of Object.entries(results.here[0])) {
  const there = results.there[0][name];
  if (!bits || !there?.bits) {
    console.log(`${name}: ${bits ? 'runs here alone' : 'does not run'}`);
    continue;
  }
  if (bits === there.bits) same++;
  else different.push(name);
  if (!speed) continue;
  const best = (side) => Math.max(...results[side].map((round) => round[name].speed));
  const ratio = best('here') / best('there');
  if (ratio < 0.95) slow++;
  console.log(
    `${name}: ${best('here').toFixed(0)} samples a second here, ${best('there').toFixed(0)} there: ${ratio.toFixed(3)}`,
  );
}
console.log(`${same} nets give the same bits${different.length ? `, others: ${different.join(', ')}` : ''}`);
process.exitCode = different.length || slow ? 1 : 0;

/** Of each net a hash of its outputs, null where it does not run, and samples a second of processor time of some. */
async function measured(root) {
  const dist = join(root, 'packages/analysis/dist');
  const { buildModel, GraphRunner, graphOfModel, graphOfOnnx, prepareTf } = await import(
    join(dist, 'models.js')
  );
  const { readOnnx, bytesSource } = await import(join(dist, 'formats.js'));
  const tf = await prepareTf();
  const found = {};
  const measure = (graph, samples) => {
    const size = graph.inputShape.reduce((a, b) => a * b, 1);
    const ids = graph.nodes.some(({ kind, inputs }) => kind === 'embedding' && inputs[0] === 'input');
    const x = seeded(size * Math.max(samples, 2), ids);
    const runner = new GraphRunner(tf, graph);
    try {
      const bits = hash(runner.run(x.subarray(0, 2 * size), 2));
      if (!samples) return { bits };
      // Until the compiler is done with it.
      for (const begun = process.cpuUsage(); process.cpuUsage(begun).user < MICROSECONDS / 2; )
        runner.run(x, samples);
      const before = process.cpuUsage();
      for (let done = samples; ; done += samples) {
        runner.run(x, samples);
        const { user, system } = process.cpuUsage(before);
        if (user + system > MICROSECONDS) return { bits, speed: done / ((user + system) / 1e6) };
      }
    } finally {
      runner.dispose();
    }
  };
  for (const [name, inputShape, samples] of [
    ['lenet5', [28, 28, 1], 200],
    ['mlp', [28, 28, 1], 2000],
    ['cifar-cnn', [32, 32, 3], 50],
  ]) {
    const net = buildModel(tf, { name, inputShape, classes: 10, seed: 1 });
    found[name] = measure(graphOfModel(net.model), samples);
    net.model.dispose();
  }
  const timed = { efficientnet: 200, 'plain-16': 200, vit: 100, gpt2: 100, unet: 100, lstm: 200 };
  for (const folder of ['onnx', 'nets'])
    for (const file of readdirSync(join(own, 'tests/fixtures', folder)).sort()) {
      if (!file.endsWith('.onnx')) continue;
      const at = (name) => join(own, 'tests/fixtures', folder, name);
      const open = async (name, body) => body(bytesSource(name, new Uint8Array(readFileSync(at(name)))));
      const name = file.slice(0, -5);
      try {
        const { graph } = await graphOfOnnx(await readOnnx(open, file), file);
        found[name] = measure(graph, folder === 'nets' ? (timed[name] ?? 0) : 0);
      } catch {
        found[name] = { bits: null };
      }
    }
  return found;
}

/** Numbers of 24 bits in −1 … 1, or ids below 8, the same everywhere. */
function seeded(length, ids) {
  let state = 1;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return ids ? state >>> 29 : (state >>> 8) / 2 ** 23 - 1;
  });
}

function hash(outputs) {
  const sha = createHash('sha256');
  for (const values of outputs.values())
    sha.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  return sha.digest('hex').slice(0, 16);
}
