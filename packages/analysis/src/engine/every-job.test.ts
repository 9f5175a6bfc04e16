// What the engine promises of every job, held against every job.
import { createHash } from 'node:crypto';
import { createEngine, createInlineEngine, type Engine, type JobOptions } from '@epochscope/analysis';
import { EpochscopeError, type Matrix } from '@epochscope/core-wasm';
import { vatPointsPlan } from '@epochscope/core-wasm/jobs';
import { afterAll, describe, expect, it } from 'vitest';
import { random } from '../random.js';

const normal = (n: number, d: number, seed: number): Matrix => {
  const source = random(seed);
  return { data: Float32Array.from({ length: n * d }, () => source.normal()), shape: [n, d] };
};
const x = normal(700, 6, 1);
const y = normal(700, 9, 2);
const more = normal(1500, 6, 7);
const other = normal(300, 6, 3);
// Masses of equal distances.
const ties: Matrix = { data: normal(900, 12, 4).data.map((v) => Math.round(v)), shape: [900, 12] };
const square: Matrix = {
  data: Float32Array.from({ length: 400 * 400 }, (_, i) => Math.abs((i % 400) - Math.floor(i / 400)) % 7),
  shape: [400, 400],
};
const masks = Uint8Array.from(normal(40, 900, 5).data, (v) => Number(v > 0));
const rows = (m: Matrix, from: number, to: number): Matrix => ({
  data: m.data.subarray(from * m.shape[1], to * m.shape[1]),
  shape: [to - from, m.shape[1]],
});
const operator = {
  shape: [6, 6] as const,
  forward: (block: Float32Array) => block.map((v, i) => v * (1 + (i % 6))),
  adjoint: (block: Float32Array) => block.map((v, i) => v * (1 + (i % 6))),
};

const JOBS: Record<string, (engine: Engine, options: JobOptions) => Promise<unknown>> = {
  vat: (e, o) => e.vat(x, { metric: 'cosine', ...o }),
  'vat of ties': (e, o) => e.vat(ties, { metric: 'manhattan', ...o }),
  'vat by mutual reachability': (e, o) => e.vat(more, { metric: 'euclidean', core: 6, ...o }),
  // As a set: threads find edges in other orders.
  lightEdges: async (e, o) => {
    const { from, to, keys, ...rest } = (await e.lightEdges(more, {
      metric: 'euclidean',
      plan: vatPointsPlan(more, 'euclidean'),
      ...o,
    }))!;
    const edges = Array.from(keys, (key, i) => [key, Math.min(from[i]!, to[i]!), Math.max(from[i]!, to[i]!)]);
    return { ...rest, edges: edges.map(String).sort() };
  },
  pairwise: (e, o) => e.pairwise(x, { metric: 'correlation', ...o }),
  'pairwise of two sets': (e, o) => e.pairwise(x, { metric: 'euclidean', other, ...o }),
  'pairwise condensed': (e, o) => e.pairwise(x, { metric: 'manhattan', condensed: true, ...o }),
  vatFromMatrix: (e, o) => e.vatFromMatrix(square, o),
  linkage: (e, o) => e.linkage(square, { diameters: true, ...o }),
  clusterPoints: (e, o) =>
    e.clusterPoints(x, { metric: 'euclidean', diameters: true, rows: Uint32Array.of(5, 699), ...o }),
  'clusterPoints of ties': (e, o) => e.clusterPoints(ties, { metric: 'euclidean', method: 'complete', ...o }),
  correlation: (e, o) => e.correlation(x, y, o),
  correlationOfBlocks: (e, o) =>
    e.correlationOfBlocks(
      {
        units: 6,
        inputs: 9,
        samples: 700,
        *blocks() {
          for (let from = 0; from < 700; from += 255)
            yield [rows(x, from, Math.min(700, from + 255)), rows(y, from, Math.min(700, from + 255))];
        },
      },
      o,
    ),
  vatImage: (e, o) =>
    e.vatImage(x, random(6).permutation(700), { metric: 'correlation', side: 300, seed: 2, ...o }),
  labelRegions: (e, o) => e.labelRegions(masks, [40, 30, 30], { neighbours: 8, ...o }),
  truncatedSvd: (e, o) => e.truncatedSvd(x, { k: 4, ...o }),
  truncatedSvdOperator: (e, o) => e.truncatedSvdOperator(operator, { k: 3, ...o }),
};

const ENGINES: Record<string, Engine> = {
  inline: createInlineEngine(),
  'one thread': createEngine({ threads: 1 }),
  'two threads': createEngine({ threads: 2 }),
  'three threads': createEngine({ threads: 3 }),
  'two threads, moved buffers': createEngine({ threads: 2, shared: false }),
};
afterAll(async () => {
  await Promise.all(Object.values(ENGINES).map((engine) => engine.close()));
});

/** A digest of all bytes of all arrays in a value, and of its other members. */
function bitsOf(value: unknown): string {
  const sha = createHash('sha256');
  const rest = JSON.stringify(value, (_, inner) => {
    if (!ArrayBuffer.isView(inner)) return inner;
    sha.update(new Uint8Array(inner.buffer, inner.byteOffset, inner.byteLength));
    return [inner.constructor.name, inner.byteLength];
  });
  return sha.update(rest).digest('hex');
}

describe.each(Object.keys(JOBS))('%s', (name) => {
  const job = JOBS[name]!;

  it('gives the same bits however it is run, and tells progress that rises to the whole', async () => {
    let expected: unknown;
    for (const [where, engine] of Object.entries(ENGINES)) {
      const told: number[] = [];
      const result = bitsOf(await job(engine, { onProgress: (done, total) => told.push(done / total) }));
      expected ??= result;
      expect(result === expected, where).toBe(true);
      expect(told, where).toEqual(told.toSorted((a, b) => a - b));
      expect(told.at(-1), where).toBe(1);
    }
  });

  it('can be stopped at any report, and the next job is right', async () => {
    for (const where of ['inline', 'two threads', 'two threads, moved buffers']) {
      const engine = ENGINES[where]!;
      const expected = bitsOf(await job(engine, {}));
      for (let stop = 0; stop < 3; stop++) {
        const controller = new AbortController();
        let reports = 0;
        const done = await job(engine, {
          signal: controller.signal,
          onProgress: () => reports++ === stop && controller.abort(),
        }).then(
          () => 'done',
          (error: EpochscopeError) => error.code,
        );
        // The last report may come too late to stop anything.
        expect(['done', 'cancelled'], where).toContain(done);
        expect(bitsOf(await job(engine, {})) === expected, where).toBe(true);
      }
    }
  });

  it('hands over what the caller’s own function throws, and goes on', async () => {
    const engine = ENGINES['two threads']!;
    const expected = bitsOf(await job(engine, {}));
    const mine = new RangeError('mine');
    const failing = job(engine, {
      onProgress: () => {
        throw mine;
      },
    });
    await expect(failing).rejects.toBe(mine);
    expect(bitsOf(await job(engine, {})) === expected).toBe(true);
  });
});

describe('wrong arguments', () => {
  const e = ENGINES['one thread']! as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
  it.each([
    ['vat', []],
    ['vat', [x]],
    ['vat', [x, { metric: 'cosine', signal: 5 }]],
    ['vat', [x, { metric: 'cosine', onProgress: 5 }]],
    ['pairwise', []],
    ['pairwise', [x]],
    ['pairwise', [x, { metric: 'cosine', other: 7 }]],
    ['clusterPoints', [x]],
    ['vatFromMatrix', []],
    ['vatFromMatrix', [square, null]],
    ['linkage', [square, null]],
    ['correlation', [x]],
    ['correlationOfBlocks', []],
    ['correlationOfBlocks', [{ units: 2, inputs: 2, samples: 3 }]],
    ['correlationOfBlocks', [{ units: 2, inputs: 2, samples: 3, blocks: () => 5 }]],
    ['correlationOfBlocks', [{ units: 2, inputs: 2, samples: 3, blocks: () => [7] }]],
    ['correlationOfBlocks', [{ units: 2, inputs: 2, samples: Number.NaN, blocks: () => [] }]],
    ['vatImage', [x]],
    ['vatImage', [x, new Uint32Array(700), { metric: 'cosine', side: 0.5, seed: 1 }]],
    ['vatImage', [x, new Uint32Array(5), { metric: 'cosine', side: 5, seed: 1 }]],
    ['labelRegions', []],
    ['labelRegions', [masks, [40, 30, 30]]],
    ['truncatedSvd', [x]],
    ['truncatedSvd', [x, {}]],
    ['truncatedSvdOperator', []],
    ['truncatedSvdOperator', [undefined, { k: 1 }]],
    ['truncatedSvdOperator', [operator]],
  ] as [string, unknown[]][])('%s %#: rejects with one clear error', async (name, args) => {
    const error = await e[name]!(...args).then(
      () => null,
      (cause: unknown) => cause,
    );
    expect(error).toBeInstanceOf(EpochscopeError);
    expect((error as EpochscopeError).code).toMatch(/^(argument|shape)$/);
  });

  it('labelRegions of no shape, and options of an engine that are none', async () => {
    await expect(e.labelRegions!(masks, null, { neighbours: 4 })).rejects.toMatchObject({ code: 'shape' });
    for (const options of [null, { memoryLimit: 'x' }, { memoryLimit: Number.NaN }])
      for (const create of [createEngine, createInlineEngine] as ((options: unknown) => unknown)[])
        expect(() => create(options)).toThrowError(expect.objectContaining({ code: 'argument' }));
  });
});

it('counts what diameters and rows take in JavaScript against the limit', async () => {
  const points = normal(500, 4, 6);
  const small = createInlineEngine({ memoryLimit: 1.3e6 });
  await small.clusterPoints(points, { metric: 'euclidean' });
  await small.clusterPoints(points, { metric: 'euclidean', method: 'complete', diameters: true });
  for (const options of [{ diameters: true }, { rows: Uint32Array.from({ length: 500 }, (_, i) => i) }])
    await expect(small.clusterPoints(points, { metric: 'euclidean', ...options })).rejects.toMatchObject({
      code: 'memory',
      message: expect.stringContaining('in JavaScript'),
    });
});

it('tells no more than the whole where blocks hold more than was foretold', async () => {
  const told: number[] = [];
  await ENGINES['one thread']!.correlationOfBlocks(
    { units: 6, inputs: 9, samples: 10, blocks: () => [[x, y]] },
    { onProgress: (done, total) => told.push(done / total) },
  );
  expect(Math.max(...told)).toBe(1);
});
