import { expect, it } from 'vitest';
import { createRun, openRun } from '../index.js';
import { filesStore } from './blobs.js';
import { FILES, read, readingConforms, refusesToWrite, writingConforms } from './conformance.js';
import { directoryStore, opfsStore } from './handle.js';
import { storeOf } from './of.js';
import { overlay } from './overlay.js';

let count = 0;
const empty = () => opfsStore(`stores-${Date.now()}-${count++}`);
async function filled() {
  const store = await empty();
  for (const [path, content] of FILES) await store.write(path, content);
  return store;
}
const dropped = async () =>
  filesStore(
    FILES.map(([path, content]) => {
      const file = new File([content as Uint8Array<ArrayBuffer>], path.split('/').at(-1)!);
      // As <input webkitdirectory> gives it.
      Object.defineProperty(file, 'webkitRelativePath', { value: `my-run/${path}` });
      return file;
    }),
  );

readingConforms('the private file system', filled);
writingConforms('the private file system', empty);
readingConforms('a directory’s handle', async () => {
  const root = await navigator.storage.getDirectory();
  const handle = await root.getDirectoryHandle(`handle-${Date.now()}-${count++}`, { create: true });
  const store = directoryStore(handle);
  for (const [path, content] of FILES) await store.write(path, content);
  return storeOf(handle);
});
readingConforms('files dropped on a page', dropped);
refusesToWrite('files dropped on a page', dropped);
readingConforms('dropped files under the private file system', async () =>
  overlay(await dropped(), await empty()),
);
writingConforms('dropped files under the private file system', async () =>
  overlay(filesStore([], 'x'), await empty()),
);

it('a run written into the private file system opens again, with its step log', async () => {
  const store = await empty();
  const weights = (value: number) =>
    new Map([['F1.bias', { data: Float32Array.of(value, 2), shape: [2], dtype: 'float32' as const }]]);
  const writer = await createRun(store, {
    model: null,
    layers: [],
    classes: null,
    inputShape: [2],
    training: null,
  });
  await writer.writeSnapshot({ id: 'init', epoch: 0, step: 0, metrics: {} }, weights(0));
  for (let step = 1; step < 6; step++)
    await writer.appendSnapshot({ id: `step-${step}`, epoch: null, step, metrics: {} }, weights(step));
  await writer.finish();
  const run = await openRun(store);
  expect(run.warnings).toEqual([]);
  expect(run.manifest.snapshots.map(({ id }) => id)).toEqual([
    'init',
    ...[1, 2, 3, 4, 5].map((step) => `step-${step}`),
  ]);
  expect([...(await run.series('F1.bias', { indices: [0] })).data]).toEqual([0, 1, 2, 3, 4, 5]);
  expect(await read(store, 'run.json')).toContain('{'.charCodeAt(0));
});
