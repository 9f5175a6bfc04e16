// Memory of a capture: node scripts/capture-memory.mjs DATA [SAMPLES, 50000] [LAYERS]
// LeNet-5 on the first training samples of DATA (a folder of MNIST IDX files), all layers captured into a run on disk by a process of its
// own; its peak against what the plan estimates, and some rows against the same samples captured alone. After `npx turbo run build`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { captureRun, createRun, openRun } from '../packages/analysis/dist/index.js';
import {
  buildModel,
  captureOutputs,
  loadWeights,
  openDataset,
  prepareTf,
  weightsOf,
} from '../packages/analysis/dist/models.js';
import { captureWorkflow, planWorkflow } from '../packages/analysis/dist/workflows.js';

const [first, second = '50000', third] = process.argv.slice(2);
const mega = (bytes) => `${Math.round(bytes / 1e6)} MB`;
const SPEC = { name: 'lenet5', seed: 1, inputShape: [28, 28, 1], classes: 10 };

if (first === '--child') await capture(second, third?.split(',') ?? null);
else if (first) await parent(first, Number(second), third);
else {
  process.stderr.write('capture-memory: expected a folder of MNIST IDX files\n');
  process.exitCode = 2;
}

async function parent(folder, samples, layers) {
  const place = mkdtempSync(join(tmpdir(), 'epochscope-capture-'));
  try {
    const tf = await prepareTf();
    const data = await openDataset(folder);
    const images = data.train.images.subarray(0, samples * 784);
    const net = buildModel(tf, SPEC);
    const writer = await createRun(place, {
      model: SPEC,
      layers: net.layers,
      classes: data.classes,
      inputShape: [28, 28, 1],
      training: null,
    });
    await writer.writeSamples({
      inputs: { data: images, shape: [samples, 28, 28, 1], dtype: 'uint8' },
      labels: Uint32Array.from(data.train.labels.subarray(0, samples)),
      source: `first ${samples} training samples of ${folder}`,
    });
    await writer.writeSnapshot({ id: 'init', epoch: 0, step: 0, metrics: {} }, weightsOf(net));
    await writer.finish();
    const { status } = spawnSync(
      process.execPath,
      [import.meta.filename, '--child', place, ...(layers ? [layers] : [])],
      { stdio: 'inherit' },
    );
    if (status !== 0) throw new Error(`the capture ended with ${status}`);
    await compare(tf, net, place, images, layers?.split(',') ?? net.layers.map(({ name }) => name));
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

async function capture(place, layers) {
  await prepareTf();
  const run = await openRun(place);
  const plan = await planWorkflow(captureWorkflow, run, { layers });
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  const begun = performance.now();
  const { captured } = await captureRun(run, { layers });
  const seconds = (performance.now() - begun) / 1000;
  const peak = process.resourceUsage().maxRSS * 1024;
  const bytes = captured[0].layers.reduce(
    (sum, layer) => sum + statSync(join(place, run.outputsPath('init', layer))).size,
    0,
  );
  const { count } = run.manifest.samples;
  process.stdout.write(
    `${count} samples, ${captured[0].layers.length} layers, ${mega(bytes)} written in ${seconds.toFixed(1)} s (${Math.round(count / seconds)} samples a second)\n` +
      `a process before: ${mega(before)}; estimated beside it: ${mega(plan.parts[0].memory)}; peak: ${mega(peak)}, ${mega(peak - before)} beside it\n`,
  );
  if (peak - before > plan.parts[0].memory) {
    process.stdout.write('the peak is over the estimate\n');
    process.exitCode = 1;
  }
}

/** The last batch alone, which may be a short one, and one from the middle. */
async function compare(tf, net, place, images, layers) {
  const run = await openRun(place);
  const { count } = run.manifest.samples;
  loadWeights(tf, net, await run.weights('init'), place);
  for (const from of [0, Math.floor(count / 500) * 250, Math.floor((count - 1) / 250) * 250]) {
    const to = Math.min(count, from + 250);
    const inputs = {
      data: images.subarray(from * 784, to * 784),
      shape: [to - from, 28, 28, 1],
      dtype: 'uint8',
    };
    const alone = await captureOutputs(tf, net, inputs, { layers });
    for (const layer of layers) {
      const { data } = await run.outputs('init', layer, { rows: [from, to] });
      if (
        Buffer.compare(
          Buffer.from(data.buffer, data.byteOffset, data.byteLength),
          Buffer.from(alone.get(layer).data.buffer),
        )
      )
        throw new Error(`${layer}, samples ${from} … ${to}: other bits than captured alone`);
    }
  }
  process.stdout.write('three batches are the same bits as captured alone\n');
}
