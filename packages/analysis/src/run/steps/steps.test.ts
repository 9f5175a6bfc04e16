import { cp, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Tensor } from '../../formats/types.js';
import { random } from '../../random.js';
import { openRun, readManifest } from '../read.js';
import { createRun, resumeRun } from '../write.js';

let folder: string;
let run: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'epochscope-steps-'));
  run = join(folder, 'run');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const init = { model: null, layers: [], classes: null, inputShape: [2], training: null };
const f32 = (data: number[], shape: number[]): Tensor => ({
  data: Float32Array.from(data),
  shape,
  dtype: 'float32',
});
const weights = (k: number) =>
  new Map([
    ['é.kernel', f32([k, k + 0.25, -k, 7, 8, 9], [2, 3])],
    ['é.bias', f32([100 + k], [1])],
  ]);
const info = (step: number) => ({
  id: step ? `step-${String(step).padStart(8, '0')}` : 'init',
  epoch: step === 0 ? 0 : null,
  step,
  metrics: { loss: 1 / (step + 1) },
});
async function write(count: number): Promise<void> {
  const writer = await createRun(run, init);
  for (let k = 0; k < count; k++) await writer.appendSnapshot(info(k), weights(k));
  await writer.finish();
}
const kernels = async (directory: string) => {
  const opened = await openRun(directory);
  return Promise.all(
    opened.manifest.snapshots.map(async ({ id }) => (await opened.weights(id)).get('é.kernel')!.data[0]),
  );
};

describe('the step log', () => {
  it('gives back every snapshot, by id, step and name, while it is written and after', async () => {
    const writer = await createRun(run, init);
    for (let k = 0; k < 3; k++) await writer.appendSnapshot(info(k), weights(k));
    expect(await kernels(run)).toEqual([0, 1, 2]);
    await writer.appendSnapshot({ ...info(3), epoch: 1 }, weights(3));
    await writer.finish();
    const opened = await openRun(run);
    expect(opened.warnings).toEqual([]);
    expect(opened.manifest.snapshots).toEqual([info(0), info(1), info(2), { ...info(3), epoch: 1 }]);
    expect(opened.snapshot('init').step).toBe(0);
    expect(opened.snapshot('epoch-1').step).toBe(3);
    expect(opened.snapshot('step-2').step).toBe(2);
    expect(await opened.weights('last')).toEqual(weights(3));
    expect((await readManifest(run)).snapshots).toHaveLength(4);
  });

  it('a first snapshot that is refused decides nothing about those after it', async () => {
    const writer = await createRun(run, init);
    const wide = new Map([['w', { data: Float64Array.of(1, 2), shape: [2], dtype: 'float64' } as Tensor]]);
    await expect(writer.appendSnapshot(info(0), wide)).rejects.toThrow('expected float32 of shape [2]');
    await writer.appendSnapshot(info(0), weights(0));
    await writer.finish();
    expect(await kernels(run)).toEqual([0]);
  });

  it('stands beside snapshots in folders, all in the order of steps', async () => {
    const writer = await createRun(run, init);
    await writer.appendSnapshot(info(0), weights(0));
    await writer.appendSnapshot(info(2), weights(2));
    await writer.writeSnapshot(info(1), weights(1));
    await writer.finish();
    expect(await kernels(run)).toEqual([0, 1, 2]);
    const series = await (await openRun(run)).series('é.kernel', { indices: [5, 1] });
    expect(series).toEqual({
      data: Float32Array.of(9, 0.25, 9, 1.25, 9, 2.25),
      shape: [3, 2],
      dtype: 'float32',
    });
  });

  it('cut off at any byte still opens, with the snapshots that are whole', async () => {
    await write(3);
    const index = await readFile(join(run, 'steps', 'index.jsonl'));
    const ends = [...index.keys()].filter((i) => index[i] === 10).map((i) => i + 1);
    for (let length = 0; length <= index.length; length++) {
      await writeFile(join(run, 'steps', 'index.jsonl'), index.subarray(0, length));
      const whole = Math.max(0, ends.filter((end) => end <= length).length - 1);
      expect(await kernels(run), `index cut to ${length}`).toEqual([0, 1, 2].slice(0, whole));
    }
    const bytes = 7 * 4;
    for (let length = 3 * bytes; length >= 0; length--) {
      await truncate(join(run, 'steps', 'weights.bin'), length);
      expect(await kernels(run), `weights cut to ${length}`).toEqual(
        [0, 1, 2].slice(0, Math.floor(length / bytes)),
      );
    }
  });

  it('goes on where a killed writer stopped, cutting off what was half written', async () => {
    await write(3);
    for (const [index, data] of [
      [-7, 0],
      [0, -3],
      [-1, -40],
    ] as const) {
      const copy = join(folder, `copy${index}${data}`);
      await cp(run, copy, { recursive: true });
      const cut = async (name: string, by: number) =>
        truncate(join(copy, 'steps', name), (await readFile(join(copy, 'steps', name))).length + by);
      await cut('index.jsonl', index);
      await cut('weights.bin', data);
      const whole = await kernels(copy);
      const writer = await resumeRun(copy);
      expect(writer.manifest.snapshots).toHaveLength(whole.length);
      await writer.appendSnapshot(info(9), weights(9));
      await writer.appendSnapshot(info(0), weights(5));
      await writer.finish();
      expect(await kernels(copy)).toEqual([5, ...whole.slice(1), 9]);
    }
  });

  it('names a snapshot whose bytes were damaged, and reads the others', async () => {
    await write(3);
    const file = join(run, 'steps', 'weights.bin');
    const bytes = await readFile(file);
    bytes[30]! ^= 1;
    await writeFile(file, bytes);
    const opened = await openRun(run);
    await expect(opened.weights('step-1')).rejects.toThrow(
      /weights\.bin: the weights of snapshot step-00000001 are damaged/,
    );
    expect((await opened.weights('step-2')).get('é.bias')!.data).toEqual(Float32Array.of(102));
  });

  it('mutated anywhere gives a run or one clear error', async () => {
    await write(4);
    const whole = await readFile(join(run, 'steps', 'index.jsonl'));
    const seed = 11;
    const dice = random(seed);
    for (let round = 0; round < 300; round++) {
      const bytes = Buffer.from(whole);
      for (let k = 0; k < 3; k++) bytes[dice.below(bytes.length)] = dice.below(256);
      await writeFile(join(run, 'steps', 'index.jsonl'), bytes);
      await openRun(run).then(
        ({ manifest }) =>
          expect(manifest.snapshots.length, `seed ${seed}, round ${round}`).toBeLessThanOrEqual(4),
        (error) => expect(error.name, `seed ${seed}, round ${round}: ${error}`).toBe('EpochscopeError'),
      );
    }
  });

  it('refuses tensors that differ from the first snapshot, and then goes on', async () => {
    const writer = await createRun(run, init);
    await writer.appendSnapshot(info(0), weights(0));
    await expect(
      writer.appendSnapshot(info(1), new Map([['é.kernel', f32([1], [1])]])),
    ).rejects.toMatchObject({
      code: 'shape',
      message: expect.stringContaining('expected float32 of shape [2,3]'),
    });
    await expect(
      writer.appendSnapshot(info(1), new Map([...weights(1), ['more', f32([1], [1])]])),
    ).rejects.toThrow('has a tensor more');
    await writer.appendSnapshot(info(2), weights(2));
    await writer.finish();
    expect(await kernels(run)).toEqual([0, 2]);
  });

  it('overwriting a run removes its log', async () => {
    await write(3);
    await (await createRun(run, init, { overwrite: true })).finish();
    expect((await openRun(run)).manifest.snapshots).toEqual([]);
  });
});

describe('series', () => {
  it('is one tensor over chosen snapshots', async () => {
    await write(4);
    const opened = await openRun(run);
    expect((await opened.series('é.bias')).data).toEqual(Float32Array.of(100, 101, 102, 103));
    const some = await opened.series('é.kernel', { snapshots: ['last', 'init'] });
    expect(some.shape).toEqual([2, 2, 3]);
    expect([...some.data]).toEqual([3, 3.25, -3, 7, 8, 9, 0, 0.25, -0, 7, 8, 9]);
    expect((await opened.series('é.kernel', { indices: [] })).shape).toEqual([4, 0]);
  });

  it('reads folders whose headers differ each by its own', async () => {
    const writer = await createRun(run, init);
    const bias = ['b', f32([7], [1])] as const;
    await writer.writeSnapshot(info(0), new Map([['a', f32([1, 2], [2])], bias]));
    await writer.writeSnapshot(info(1), new Map([bias, ['a', f32([3, 4], [2])]]));
    await writer.writeSnapshot(info(2), new Map([bias, ['a', f32([5, 6], [2])]]));
    await writer.finish();
    expect([...(await (await openRun(run)).series('a')).data]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('refuses unknown tensors, elements outside and too much memory', async () => {
    await write(4);
    const opened = await openRun(run);
    await expect(opened.series('no')).rejects.toThrow('has no tensor no; it has é.kernel, é.bias');
    await expect(opened.series('é.bias', { indices: [1] })).rejects.toThrow('has 1 values, got index 1');
    await expect(opened.series('é.kernel', { maxBytes: 95 })).rejects.toMatchObject({ code: 'memory' });
    const aborted = AbortSignal.abort();
    await expect(opened.series('é.bias', { signal: aborted })).rejects.toMatchObject({ code: 'cancelled' });
  });
});
