import { expect, it } from 'vitest';
import { encodeNpy } from '../formats/npy.js';
import { readIndex } from '../stores/index-file.js';
import { memoryStore } from '../stores/memory.js';
import { outputsWriter } from './outputs-writer.js';

const layers = [
  { name: 'A', shape: [3] },
  { name: 'B', shape: [1, 2] },
];
const values = (count: number, from: number) => Float32Array.from({ length: count }, (_, i) => from + i);

it('writes the same files as at once, block by block, with their hashes', async () => {
  const store = memoryStore();
  const writer = outputsWriter(store, 's', layers, 5);
  const buffer = new Float32Array(6);
  for (let row = 0; row < 5; row += 2) {
    const rows = Math.min(2, 5 - row);
    // One buffer for all blocks, as a capture may have.
    buffer.set(values(3 * rows, 3 * row));
    await writer.add('A', buffer.subarray(0, 3 * rows));
    await writer.add('B', values(2 * rows, 2 * row));
    if (row < 4) expect(await store.has('snapshots/s/outputs/A.npy')).toBe(false);
  }
  await writer.finish();
  expect(store.files().get('snapshots/s/outputs/A.npy')).toEqual(encodeNpy(values(15, 0), [5, 3]));
  expect(store.files().get('snapshots/s/outputs/B.npy')).toEqual(encodeNpy(values(10, 0), [5, 1, 2]));
  expect((await readIndex(store))!.files['snapshots/s/outputs/A.npy']!.sha256).toMatch(/^[0-9a-f]{64}$/);
});

it('leaves nothing when it is cancelled, and refuses too many and too few rows', async () => {
  const store = memoryStore();
  const writer = outputsWriter(store, 's', layers, 2);
  await writer.add('A', values(3, 0));
  await expect(writer.add('A', values(4, 0))).rejects.toThrow('at most 3 more');
  await expect(writer.finish()).rejects.toThrow('were not given');
  await writer.cancel();
  expect(store.files().size).toBe(0);
});
