import {
  createInlineEngine,
  differenceOfFiles,
  type Engine,
  memoryStore,
  pathOfFile,
  type StoredFile,
  tendency,
  tendencyOfFile,
} from '@epochscope/analysis';
import { bytesSource, encodeNpy, encodeNpz } from '@epochscope/analysis/formats';
import { random } from '@epochscope/analysis/methods';
import {
  planWorkflow,
  type RowsPlace,
  runPlan,
  tendencyOfFileWorkflow,
  withRows,
} from '@epochscope/analysis/workflows';
import { describe, expect, it } from 'vitest';
import { withoutSeconds } from './small-run.js';

const engine = createInlineEngine();
const next = random(3);
const N = 60;
const D = 4;
const classes = Uint32Array.from({ length: N }, (_, i) => i % 3);
const data = Float32Array.from({ length: N * D }, (_, i) => 9 * classes[Math.floor(i / D)]! + next.normal());
const npy = encodeNpy(data, [N, D]);

/** A file that says which bytes were read of it. */
function counted(name: string, bytes: Uint8Array): { place: RowsPlace; reads: [number, number][] } {
  const reads: [number, number][] = [];
  const source = bytesSource(name, bytes);
  const file: StoredFile = {
    ...source,
    stamp: 'one',
    read(offset, length) {
      reads.push([offset, length]);
      return source.read(offset, length);
    },
    close: async () => {},
  };
  return { place: { file }, reads };
}
const placeOf = (name: string, bytes: Uint8Array = npy) => counted(name, bytes).place;
const csv = () => {
  const rows = Array.from({ length: N }, (_, i) => [
    `r${i}`,
    ...data.subarray(i * D, i * D + 2),
    'abc'[classes[i]!],
    i % 9 ? i % 2 : '',
  ]);
  return new TextEncoder().encode(['id,x,y,kind,gap', ...rows.map((row) => row.join(','))].join('\n'));
};

describe('tendencyOfFile', () => {
  it('is tendency of the matrix inside, bit by bit, and says which file it read', async () => {
    const plain = await tendency({ data, shape: [N, D] }, { name: 'points', labels: classes }, { engine });
    const labels = placeOf('labels.npy', encodeNpy(classes, [N])) as { file: StoredFile };
    const { sha256 } = (await tendencyOfFile(placeOf('points.npy'), {}, { engine })).input.files[
      'points.npy'
    ] as { sha256: string };
    expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    const result = await tendencyOfFile(
      placeOf('points.npy'),
      { labels, marks: [{ rule: 'top-likelihood', k: 10 }].slice(1) as never },
      { engine },
    );
    const { marks: _, seconds: __, notes: ___, ...panel } = result.panels[0]!;
    const { marks, seconds, notes, ...expected } = plain.panels[0]!;
    expect(panel).toEqual(expected);
    expect(result.samples.labels).toEqual(classes);
    const inside = await tendencyOfFile(
      placeOf('two.npz', encodeNpz(new Map([['a', { data, shape: [N, D] }]]))),
      { table: { array: 'a' } },
      { engine },
    );
    expect(inside.input.source).toBe('two.npz:a');
    expect(inside.panels[0]!.layer).toBe('two-a');
    expect(inside.panels[0]!.order).toEqual(expected.order);
  });

  // Longer than the head that says which state of a file it is.
  const long = encodeNpy(
    Float32Array.from({ length: 600 * D }, () => next.normal()),
    [600, D],
  );

  it.each([
    ['float32', long],
    // Looked through before it is narrowed.
    [
      'float64',
      encodeNpy(
        Float64Array.from({ length: 600 * D }, () => 1e6 + next.normal()),
        [600, D],
      ),
    ],
  ])('reads every byte of %s rows once', async (_, bytes) => {
    const { place, reads } = counted('points.npy', bytes);
    await tendencyOfFile(place, { thin: { by: 'size', sizes: [30] }, stabilitySubsets: 0 }, { engine });
    expect(reads.filter(([offset, length]) => offset + length > 4096)).toHaveLength(1);
  });

  it('reads only the rows that are asked for, of a file of any length', async () => {
    const { place, reads } = counted('points.npy', long);
    await tendencyOfFile(place, { samples: 20 }, { engine });
    expect(Math.max(...reads.map(([offset, length]) => offset + length))).toBeLessThanOrEqual(4096);
  });

  it('takes tables: columns of labels, text that is compared, gaps', async () => {
    const table = placeOf('t.csv', csv());
    const byClass = await tendencyOfFile(
      table,
      { labels: { column: 'kind' }, table: { drop: ['gap'] } },
      { engine },
    );
    expect(byClass.samples).toMatchObject({ classes: ['a', 'b', 'c'], labels: classes });
    expect(byClass.samples.names?.[4]).toBe('r4');
    expect(byClass.parameters.marks).toEqual([{ rule: 'class' }]);
    const all = await tendencyOfFile(table, { metric: 'gower', missing: true }, { engine });
    expect(all.panels[0]).toMatchObject({ n: N, d: 4, metric: 'gower' });
    await expect(tendencyOfFile(table, { table: { drop: ['gap'] } }, { engine })).rejects.toThrow(
      't.csv: line 2',
    );
  });

  it('goes on with parts that are done, computed from the same bytes', async () => {
    const parts = { store: memoryStore('parts'), folder: 'p' };
    const options = { thin: { by: 'size', sizes: [30] } } as const;
    const whole = await tendencyOfFile(placeOf('points.npy'), options, { engine, parts });
    const none = new Proxy(engine, {
      get: () => () => {
        throw new Error('computed again');
      },
    }) as Engine;
    const again = await tendencyOfFile(placeOf('points.npy'), options, { engine: none, parts });
    expect(again).toEqual(whole);
    const other = npy.slice();
    other[other.length - 3]! ^= 1;
    await expect(
      tendencyOfFile(
        { file: { ...bytesSource('points.npy', other), stamp: 'two', close: async () => {} } },
        options,
        {
          engine: none,
          parts,
        },
      ),
    ).rejects.toThrow('computed again');
  });

  it('is plain JSON as a plan, whose parts any machine with the file can do', async () => {
    const options = { thin: { by: 'size', sizes: [30] }, samples: 50 } as const;
    const whole = await tendencyOfFile(placeOf('points.npy'), options, { engine });
    const plan = await withRows(placeOf('points.npy'), {}, (rows) =>
      planWorkflow(tendencyOfFileWorkflow, rows, options),
    );
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
    const joined = await withRows(placeOf('points.npy'), {}, (rows) =>
      runPlan(tendencyOfFileWorkflow, rows, JSON.parse(JSON.stringify(plan)), { engine }),
    );
    expect(withoutSeconds(joined)).toEqual(withoutSeconds(whole));
  });

  it('refuses before any row is read what does not fit, and options that make no sense', async () => {
    const { place, reads } = counted('points.npy', npy);
    await expect(tendencyOfFile(place, {}, { engine, memoryLimit: 10 })).rejects.toMatchObject({
      code: 'memory',
    });
    await expect(tendencyOfFile(place, { core: 40 }, { engine })).rejects.toThrow(
      'core: expected an integer 1 … 30',
    );
    await expect(tendencyOfFile(place, { colour: 1 } as never, { engine })).rejects.toThrow(
      'no option colour',
    );
    await expect(tendencyOfFile(place, { metric: 'taxi' as never }, { engine })).rejects.toThrow('gower');
    // The head says what the file is.
    expect(reads.every(([offset]) => offset < 128)).toBe(true);
  });

  it('takes several files of rows as one', async () => {
    const half = new Blob([encodeNpy(data.subarray(0, 30 * D), [30, D]) as Uint8Array<ArrayBuffer>]);
    const rest = new Blob([encodeNpy(data.subarray(30 * D), [30, D]) as Uint8Array<ArrayBuffer>]);
    const place = { name: 'part-*.npy', files: [half, rest] };
    const [one, two] = await Promise.all([
      tendencyOfFile(placeOf('points.npy'), {}, { engine }),
      tendencyOfFile(place, {}, { engine }),
    ]);
    expect(two.panels[0]!.weights).toEqual(one.panels[0]!.weights);
    expect(two.panels[0]!.layer).toBe('part-all');
  });
});

describe('difference and path of files', () => {
  it('read as tendency does, and say of which files they are', async () => {
    const moved = encodeNpy(
      data.map((x, i) => x + (i % 7)),
      [N, D],
    );
    const labels = placeOf('labels.npy', encodeNpy(classes, [N])) as { file: StoredFile };
    const notes: string[] = [];
    const difference = await differenceOfFiles(
      [placeOf('a.npy'), placeOf('b.npy', moved)],
      { labels, samples: 40 },
      { engine, onNote: (text) => notes.push(text) },
    );
    expect(difference.input.source).toBe('a.npy and b.npy');
    expect(difference.samples).toMatchObject({ count: 40, labels: classes.slice(0, 40) });
    expect(notes).toEqual([
      'a.npy: 60 samples × 4 columns of float32',
      'b.npy: 60 samples × 4 columns of float32',
    ]);
    const path = await pathOfFile(placeOf('a.npy'), { from: 0, to: 1, labels }, { engine });
    expect([path.from, path.to, path.layer]).toEqual([0, 1, 'a.npy']);
    expect(path.input.files['a.npy']).toHaveProperty('sha256');
  });

  it('are refused before a row is read where memory is too small, and say what they take where that is much', async () => {
    const notes: string[] = [];
    const how = { engine, onNote: (text: string) => notes.push(text) };
    const files = [placeOf('a.npy'), placeOf('b.npy')] as const;
    for (const work of [
      () => differenceOfFiles(files, {}, { ...how, memoryLimit: 1000 }),
      () => pathOfFile(files[0], { bridges: 2 }, { ...how, memoryLimit: 1000 }),
    ])
      await expect(work()).rejects.toMatchObject({
        code: 'memory',
        message: expect.stringMatching(/needs [\d.]+ [kM]B, the limit is 1 kB .*; take fewer samples$/),
      });
    expect(notes).toEqual([]);
    const many = placeOf('many.npy', encodeNpy(new Uint8Array(3e5), [3e5, 1]));
    await expect(
      pathOfFile(many, { from: 0, to: 1 }, { ...how, signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ code: 'cancelled' });
    expect(notes[0]).toMatch(/^estimate: \d+ MB of memory beside the program, at most about \d+ s on one/);
  });
});
