import { createRun, type MemoryStore, memoryStore, openRun, type Run } from '@epochscope/analysis';
import { random } from '@epochscope/analysis/methods';
import { buildModel, type ModelSpec, prepareTf, weightsOf } from '@epochscope/analysis/models';

/** Digits of 8 × 8 pixels that are none: bright in a place of their own for each of three classes, with noise. */
export function smallSamples(count: number, seed = 1) {
  const draw = random(seed);
  const labels = Uint32Array.from({ length: count }, (_, i) => i % 3);
  const inputs = Uint8Array.from({ length: count * 64 }, (_, i) => {
    const [sample, pixel] = [Math.floor(i / 64), i % 64];
    const own = Math.floor(pixel / 21) === labels[sample];
    return Math.min(255, Math.floor((own ? 150 : 0) + 90 * draw.uniform()));
  });
  return { inputs, labels };
}

export const SMALL_NET: ModelSpec = {
  name: 'mlp',
  hidden: [12, 7],
  inputShape: [8, 8, 1],
  classes: 3,
  seed: 3,
} as ModelSpec;

/** A run in memory with a net of ours and no outputs: two snapshots of random weights, `count` samples. */
export async function smallRun(count = 90): Promise<{ run: Run; store: MemoryStore }> {
  const store = memoryStore('small');
  const tf = await prepareTf();
  const net = buildModel(tf, SMALL_NET);
  const writer = await createRun(store, {
    model: SMALL_NET as never,
    layers: net.layers,
    classes: ['a', 'b', 'c'],
    inputShape: [8, 8, 1],
    training: null,
  });
  const { inputs, labels } = smallSamples(count);
  await writer.writeSamples({
    inputs: { data: inputs, shape: [count, 8, 8, 1], dtype: 'uint8' },
    labels,
    source: 'test',
  });
  for (const [epoch, scale] of [
    [1, 1],
    [2, 1.7],
  ] as const) {
    const weights = new Map(
      [...weightsOf(net)].map(([name, { data, shape, dtype }]) => [
        name,
        { data: (data as Float32Array).map((w) => scale * w), shape, dtype },
      ]),
    );
    await writer.writeSnapshot({ id: `epoch-000${epoch}`, epoch, step: 10 * epoch, metrics: {} }, weights);
  }
  await writer.finish();
  net.model.dispose();
  return { run: await openRun(store), store };
}

/** A copy of a store, as another machine would see it. */
export const copyOf = (store: MemoryStore, name = store.name): MemoryStore =>
  memoryStore(
    name,
    [...store.files()].map(([path, bytes]) => [path, bytes.slice()] as const),
  );

/** A result but for what time it took. */
export const withoutSeconds = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (name, inner) =>
      /seconds/i.test(name) ? undefined : ArrayBuffer.isView(inner) ? bytesOf(inner) : inner,
    ),
  );
const bytesOf = (view: ArrayBufferView) => [
  view.constructor.name,
  Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('base64'),
];
