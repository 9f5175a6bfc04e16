import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GraphRunner, prepareTf, random, type Tensor } from '@epochscope/analysis';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Output } from '../output.js';
import { analyseGeometry } from './analyse.js';
import type { GeometryOptions, GeometrySource } from './options.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'epochscope-geometry-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const SEED = 5;
const INPUTS = 3;
const options: GeometryOptions = {
  k: 3,
  maps: ['depth'],
  tangents: false,
  pictures: 1,
  pictureInputs: 1,
  seed: SEED,
  name: 'default',
  resume: false,
};

/** Two layers whose names differ only in what a plain file name cannot hold. */
async function source(): Promise<GeometrySource> {
  const tf = await prepareTf();
  const from = random(SEED, 1);
  const matrix = (shape: [number, number]): Tensor => ({
    data: Float32Array.from({ length: shape[0] * shape[1] }, () => from.normal()),
    shape,
    dtype: 'float32',
  });
  const weights = new Map([
    ['a', matrix([4, 5])],
    ['b', matrix([5, 3])],
  ]);
  return {
    source: 'test',
    files: {},
    key: 1,
    inputShape: [4],
    inputs: Float32Array.from({ length: 4 * INPUTS }, () => from.normal()),
    samples: { indices: Uint32Array.of(0, 1, 2), labels: null, classes: null, images: null },
    snapshots: [
      {
        info: { id: 'one', epoch: null, step: null },
        open: async () =>
          new GraphRunner(tf, {
            inputShape: [4],
            nodes: [
              { name: 'fc:1', inputs: ['input'], kind: 'dense', kernel: 'a' },
              { name: 'r', inputs: ['fc:1'], kind: 'tanh' },
              { name: 'fc_1', inputs: ['r'], kind: 'dense', kernel: 'b' },
            ],
            weights,
          }),
      },
    ],
  };
}

/** Stops when the note of the progress holds `until`. */
function talk(until?: string): Output {
  const controller = new AbortController();
  return {
    json: false,
    signal: controller.signal,
    say() {},
    warn() {},
    result() {},
    progress: () => ({
      update(_, __, note) {
        if (until && note?.includes(until)) controller.abort();
      },
      stop() {},
    }),
  };
}

it('gives the same bits when it is cut off and gone on with, whatever the layers are called', async () => {
  const own = { ...options, layers: ['fc:1', 'fc_1'] };
  const whole = await analyseGeometry(await source(), join(folder, 'whole'), own, talk());
  expect(whole.spectra.map(({ to }) => to)).toEqual(['fc:1', 'fc_1']);
  await expect(
    analyseGeometry(await source(), join(folder, 'cut'), own, talk(`input ${INPUTS} of`)),
  ).rejects.toThrow(/4 spectra are kept, --resume goes on/);
  const on = await analyseGeometry(await source(), join(folder, 'cut'), { ...own, resume: true }, talk());
  expect(on.spectra, `seed ${SEED}`).toEqual(whole.spectra);
});
