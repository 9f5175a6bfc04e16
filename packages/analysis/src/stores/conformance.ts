import { EpochscopeError } from '@epochscope/core-wasm';
import { describe, expect, it } from 'vitest';
import type { Store } from './types.js';

// What every store must do, tried on each of them: in Node by stores.test.ts, in Chromium by stores.browser.test.ts.

export const bytes = (...values: number[]) => Uint8Array.from(values);
const text = new TextEncoder();
/** What a store over files that are there already is given. */
export const FILES: readonly (readonly [string, Uint8Array])[] = [
  ['run.json', text.encode('{"a":1}')],
  ['samples/inputs.npy', bytes(0, 1, 2, 3, 4, 5, 6, 7)],
  ['snapshots/epoch 1 ü%#?/weights.safetensors', bytes(9, 8, 7)],
  ['snapshots/epoch 1 ü%#?/outputs/F1.npy', bytes()],
];

export const read = async (store: Store, path: string) => {
  const file = await store.open(path);
  try {
    return [...(await file.read(0, file.size))];
  } finally {
    await file.close();
  }
};
const code = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error) => (error instanceof EpochscopeError ? error.code : error),
  );

/** A store that holds FILES. */
export function readingConforms(title: string, make: () => Promise<Store>): void {
  describe(`${title}, read`, () => {
    it('lists what is right in a folder, by name, and nothing of what is not there', async () => {
      const store = await make();
      expect((await store.list('')).map(({ name, kind, size }) => [name, kind, size])).toEqual([
        ['run.json', 'file', 7],
        ['samples', 'folder', null],
        ['snapshots', 'folder', null],
      ]);
      expect((await store.list('snapshots/epoch 1 ü%#?')).map(({ name, size }) => [name, size])).toEqual([
        ['outputs', null],
        ['weights.safetensors', 3],
      ]);
      expect(await store.list('nothing/there')).toEqual([]);
    });

    it('has files and no folders', async () => {
      const store = await make();
      expect(await store.has('samples/inputs.npy')).toBe(true);
      for (const path of ['samples', 'samples/labels.npy', 'run.json/x', 'nothing/x'])
        expect(await store.has(path), path).toBe(false);
    });

    it('opens a file of any name; reads any part of it, none beyond, and none once closed', async () => {
      const store = await make();
      const file = await store.open('samples/inputs.npy');
      expect(file.size).toBe(8);
      expect([...(await file.read(2, 3))]).toEqual([2, 3, 4]);
      expect([...(await file.read(8, 0))]).toEqual([]);
      expect(await code(file.read(6, 3))).toBe('format');
      expect(await code(file.read(-1, 1))).toBe('format');
      await file.close();
      await file.close();
      expect(await read(store, 'snapshots/epoch 1 ü%#?/weights.safetensors')).toEqual([9, 8, 7]);
      expect(await read(store, 'snapshots/epoch 1 ü%#?/outputs/F1.npy')).toEqual([]);
    });

    it('says the same stamp for the same state', async () => {
      const store = await make();
      const [a, b] = [await store.open('run.json'), await store.open('run.json')];
      expect(a.stamp).toBe(b.stamp);
      await a.close();
      await b.close();
    });

    it('says what is missing, and where', async () => {
      const store = await make();
      expect(await code(store.open('samples/labels.npy'))).toBe('missing');
      expect(await code(store.open('samples'))).toBe('missing');
      await expect(store.open('samples/labels.npy')).rejects.toThrow('samples/labels.npy does not exist');
    });

    it.each(['../x', '/x', 'a//b', 'a/./b', 'a/../b', 'a\\b', 'a/', 'a\0b'])(
      'refuses the path %j',
      async (path) => {
        const store = await make();
        for (const act of [store.list(path), store.has(path), store.open(path)])
          expect(await code(act)).toBe('argument');
      },
    );
  });
}

/** A store that is read only says so, and what to do. */
export function refusesToWrite(title: string, make: () => Promise<Store>): void {
  it(`${title} refuses to be written, and says what to do`, async () => {
    const store = await make();
    expect(store.writable).toBe(false);
    for (const act of [store.write('a', 'x'), store.append('a'), store.remove('a')])
      expect(await code(act)).toBe('unsupported');
    await expect(store.write('a', 'x')).rejects.toThrow('overlay');
  });
}

/** An empty store that can be written. */
export function writingConforms(title: string, make: () => Promise<Store>): void {
  describe(`${title}, written`, () => {
    it('gives back what was written: bytes, text, parts that come in time, nothing', async () => {
      const store = await make();
      expect(store.writable).toBe(true);
      const own = bytes(1, 2);
      await store.write('a/b/c', own);
      own[0] = 99;
      await store.write('text', 'ü');
      await store.write('empty', bytes());
      await store.write(
        'parts',
        (async function* () {
          // One buffer filled again, as streams do.
          const part = bytes(0, 0);
          for (let i = 0; i < 3; i++) {
            part.fill(i);
            yield part;
          }
        })(),
      );
      expect(await read(store, 'a/b/c')).toEqual([1, 2]);
      expect(await read(store, 'text')).toEqual([...text.encode('ü')]);
      expect(await read(store, 'empty')).toEqual([]);
      expect(await read(store, 'parts')).toEqual([0, 0, 1, 1, 2, 2]);
      expect((await store.list('')).map(({ name }) => name)).toEqual(['a', 'empty', 'parts', 'text']);
    });

    it('replaces a file whole; who has the old one open keeps it or is told', async () => {
      const store = await make();
      await store.write('f', bytes(1, 2, 3));
      const old = await store.open('f');
      await store.write('f', bytes(4));
      expect(await read(store, 'f')).toEqual([4]);
      const late = await old.read(0, 3).then(
        (got) => [...got],
        (error) => error.code,
      );
      expect([[1, 2, 3], 'io']).toContainEqual(late);
      await old.close();
    });

    it('keeps the old file where the new one fails midway, and leaves nothing of a new one', async () => {
      const store = await make();
      await store.write('old', bytes(1));
      const fails = async function* () {
        yield bytes(2);
        throw new EpochscopeError('cancelled', 'stopped midway');
      };
      expect(await code(store.write('old', fails()))).toBe('cancelled');
      expect(await code(store.write('new', fails()))).toBe('cancelled');
      expect(await read(store, 'old')).toEqual([1]);
      expect((await store.list('')).map(({ name }) => name)).toEqual(['old']);
    });

    it('is no file where a folder stands, nor the other way round', async () => {
      const store = await make();
      await store.write('a/b', bytes(1));
      expect(await code(store.write('a', bytes(2)))).toBe('io');
      expect(await code(store.write('a/b/c', bytes(2)))).toBe('io');
      expect(await code(store.write('', bytes(2)))).toBe('argument');
      expect(await read(store, 'a/b')).toEqual([1]);
    });

    it('grows files at their end or from a place on', async () => {
      const store = await make();
      const grown = await store.append('log/x');
      await grown.append(bytes(1, 2));
      await grown.append(bytes(3));
      expect(grown.size).toBe(3);
      await grown.flush();
      expect(await read(store, 'log/x')).toEqual([1, 2, 3]);
      await grown.close();
      const again = await store.append('log/x', 2);
      expect(again.size).toBe(2);
      await again.append(bytes(7, 8));
      await again.close();
      expect(await read(store, 'log/x')).toEqual([1, 2, 7, 8]);
      expect(await code(store.append('log/x', 9))).toBe('argument');
    });

    it('removes files, folders with all in them, and what is not there', async () => {
      const store = await make();
      await store.write('a/b/c', bytes(1));
      await store.write('a/d', bytes(2));
      await store.write('ab', bytes(3));
      await store.remove('a/b');
      expect(await store.has('a/b/c')).toBe(false);
      expect(await read(store, 'a/d')).toEqual([2]);
      await store.remove('a');
      await store.remove('nothing/there');
      expect((await store.list('')).map(({ name }) => name)).toEqual(['ab']);
    });

    it('refuses paths that lead elsewhere', async () => {
      const store = await make();
      for (const path of ['../x', '/x', 'a/../b', 'a\\b'])
        for (const act of [store.write(path, 'x'), store.append(path), store.remove(path)])
          expect(await code(act), path).toBe('argument');
    });

    it('takes many writers at once', async () => {
      const store = await make();
      await Promise.all(Array.from({ length: 20 }, (_, i) => store.write(`f/${i % 4}`, bytes(i))));
      expect((await store.list('f')).map(({ name }) => name)).toEqual(['0', '1', '2', '3']);
      for (let i = 0; i < 4; i++) expect((await read(store, `f/${i}`))[0]! % 4).toBe(i);
    });
  });
}
