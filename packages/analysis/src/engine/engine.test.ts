import { spawnSync } from 'node:child_process';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Worker } from 'node:worker_threads';
import { createEngine, createInlineEngine, type Engine } from '@epochscope/analysis';
import {
  correlation,
  EpochscopeError,
  linkage,
  linkageFromPoints,
  loadKernels,
  type Matrix,
  pairwise,
} from '@epochscope/core-wasm';
import { labelRegionsReference, svdReference } from '@epochscope/core-wasm/reference';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { random } from '../random.js';

const points = (n: number, d: number, seed = 7): Matrix => {
  const source = random(seed);
  return { data: Float32Array.from({ length: n * d }, () => source.normal()), shape: [n, d] };
};
const engines: Engine[] = [];
const engine = (options: Parameters<typeof createEngine>[0]) => {
  const made = createEngine(options);
  engines.push(made);
  return made;
};
afterEach(async () => {
  await Promise.all(engines.splice(0).map((made) => made.close()));
});

describe('the engine in Node', () => {
  it('gives the same bits inline, on 1, 2 and 3 threads, shared or not', async () => {
    const x = points(900, 9);
    const expected = await createInlineEngine().vat(x, { metric: 'euclidean' });
    for (const options of [{ threads: 1 }, { threads: 2 }, { threads: 3 }, { threads: 2, shared: false }]) {
      const got = await engine(options).vat(x, { metric: 'euclidean' });
      expect(got.order, JSON.stringify(options)).toEqual(expected.order);
      expect(got.weights).toEqual(expected.weights);
      expect(got.parent).toEqual(expected.parent);
    }
    expect([...expected.order].sort((a, b) => a - b)).toEqual(Array.from({ length: 900 }, (_, i) => i));
  });

  it('leaves its input whole and usable', async () => {
    const x = points(300, 4);
    const before = x.data.slice();
    await engine({ threads: 2 }).vat(x, { metric: 'cosine' });
    expect(x.data).toEqual(before);
  });

  it('takes n = 0, 1 and 2', async () => {
    const e = engine({ threads: 2 });
    for (const n of [0, 1, 2])
      expect((await e.vat(points(n, 3), { metric: 'manhattan' })).order.length).toBe(n);
  });

  it('does VAT of a matrix', async () => {
    const d = { data: Float32Array.from([0, 1, 5, 1, 0, 2, 5, 2, 0]), shape: [3, 3] as const };
    const { order, weights } = await engine({ threads: 1 }).vatFromMatrix(d);
    expect([...order]).toEqual([0, 1, 2]);
    expect([...weights]).toEqual([1, 2]);
  });

  it('clusters points and matrices as the kernels do, here and in a worker, and refuses what cannot fit', async () => {
    const kernels = await loadKernels();
    const x = points(200, 9);
    const options = { metric: 'cosine', diameters: true } as const;
    const want = linkageFromPoints(kernels, x, options);
    const d = pairwise(kernels, x, { metric: 'cosine' });
    const e = engine({ threads: 1, memoryLimit: 1e6 });
    const seen: number[] = [];
    for (const made of [createInlineEngine(), e]) {
      expect(
        await made.clusterPoints(x, { ...options, onProgress: (done, total) => seen.push(done / total) }),
      ).toEqual(want);
      expect(await made.linkage(d, { method: 'single' })).toEqual(linkage(kernels, d, { method: 'single' }));
    }
    expect(seen.at(-1)).toBe(1);
    const many = points(700, 5);
    const whole = await createInlineEngine().clusterPoints(many, { ...options, rows: Uint32Array.of(3) });
    for (const threads of [2, 3])
      expect(
        await engine({ threads }).clusterPoints(many, { ...options, rows: Uint32Array.of(3) }),
        `${threads} threads`,
      ).toEqual(whole);
    await expect(e.clusterPoints(points(600, 9), options)).rejects.toMatchObject({
      code: 'memory',
      message: expect.stringContaining('thin to n ≤ '),
    });
    await expect(e.clusterPoints(x, { metric: 'cosine', method: 'ward' as never })).rejects.toMatchObject({
      code: 'argument',
    });
  });

  it('correlates columns whole and in blocks, and leaves nothing behind when a block fails', async () => {
    const kernels = await loadKernels();
    const x = points(500, 6);
    const y = points(500, 11, 8);
    const want = correlation(kernels, x, y);
    const rows = (m: Matrix, from: number, to: number): Matrix => ({
      data: m.data.subarray(from * m.shape[1], to * m.shape[1]),
      shape: [to - from, m.shape[1]],
    });
    // 255 samples are one panel inside, so blocks of that many add in the same order.
    const blocks = () =>
      [0, 255].map(
        (from) =>
          [rows(x, from, Math.min(500, from + 255)), rows(y, from, Math.min(500, from + 255))] as const,
      );
    const source = { units: 6, inputs: 11, samples: 500, blocks };
    for (const made of [createInlineEngine(), engine({ threads: 2 })]) {
      expect(await made.correlation(x, y)).toEqual(want);
      expect(await made.correlationOfBlocks(source)).toEqual(want);
      await expect(
        made.correlationOfBlocks({
          ...source,
          blocks: async function* () {
            yield blocks()[0]!;
            throw new EpochscopeError('io', 'the disk is gone');
          },
        }),
      ).rejects.toMatchObject({ code: 'io' });
      const stop = new AbortController();
      await expect(
        made.correlationOfBlocks(source, { signal: stop.signal, onProgress: () => stop.abort() }),
      ).rejects.toMatchObject({ code: 'cancelled' });
      expect(await made.correlationOfBlocks(source)).toEqual(want);
    }
    await expect(
      engine({ threads: 1, memoryLimit: 1e6 }).correlation(x, {
        data: new Float32Array(500 * 4e4),
        shape: [500, 4e4],
      }),
    ).rejects.toMatchObject({
      code: 'memory',
    });
  });

  it('labels regions as the flood fill does, here and in a worker, and refuses bad shapes there', async () => {
    const source = random(11);
    const masks = Uint8Array.from({ length: 30 * 28 * 28 }, () => (source.uniform() < 0.55 ? 1 : 0));
    const before = masks.slice();
    const e = engine({ threads: 1, memoryLimit: 3e6 });
    for (const neighbours of [4, 8] as const) {
      const want = labelRegionsReference(masks, [30, 28, 28], neighbours);
      expect(await createInlineEngine().labelRegions(masks, [30, 28, 28], { neighbours })).toEqual(want);
      expect(await e.labelRegions(masks, [30, 28, 28], { neighbours })).toEqual(want);
    }
    expect(masks).toEqual(before);
    await expect(e.labelRegions(masks, [29, 28, 28], { neighbours: 4 })).rejects.toThrow('needs 22736 bytes');
    await expect(
      e.labelRegions(new Uint8Array(4e6), [1, 2000, 2000], { neighbours: 4 }),
    ).rejects.toMatchObject({ code: 'memory', message: expect.stringContaining('the limit is 3 MB') });
    const controller = new AbortController();
    await expect(
      e.labelRegions(masks, [30, 28, 28], {
        neighbours: 4,
        signal: controller.signal,
        onProgress: () => controller.abort(),
      }),
    ).rejects.toMatchObject({ code: 'cancelled' });
    expect((await e.labelRegions(masks, [30, 28, 28], { neighbours: 8 })).counts.length).toBe(30);
  });

  it('finds singular triplets alike in a worker, here, and from products; refuses, cancels', async () => {
    const source = random(3);
    const a = { data: Float32Array.from({ length: 3000 }, () => source.normal()), shape: [60, 50] as const };
    const e = engine({ threads: 1 });
    const want = await createInlineEngine().truncatedSvd(a, { k: 5 });
    expect(svdReference(a).sigma[4]).toBeCloseTo(want.sigma[4]!, 6);
    expect(await e.truncatedSvd(a, { k: 5 })).toEqual(want);
    const product = (block: Float32Array, count: number, from: number, to: number, forward: boolean) =>
      Float32Array.from({ length: count * to }, (_, at) => {
        let sum = 0;
        const [c, i] = [Math.floor(at / to), at % to];
        for (let j = 0; j < from; j++)
          sum += a.data[forward ? i * 50 + j : j * 50 + i]! * block[c * from + j]!;
        return sum;
      });
    const operator = {
      shape: a.shape,
      forward: async (block: Float32Array, count: number) => product(block, count, 50, 60, true),
      adjoint: async (block: Float32Array, count: number) => product(block, count, 60, 50, false),
    };
    const free = await e.truncatedSvdOperator(operator, { k: 5 });
    for (let i = 0; i < 5; i++) expect(free.sigma[i]! / want.sigma[i]!).toBeCloseTo(1, 5);
    await expect(e.truncatedSvd(a, { k: 51 })).rejects.toMatchObject({ code: 'argument' });
    await expect(e.truncatedSvd(a, { k: Number.NaN })).rejects.toMatchObject({ code: 'argument' });
    const small = engine({ threads: 1, memoryLimit: 10_000 });
    await expect(small.truncatedSvd(a, { k: 5 })).rejects.toMatchObject({ code: 'memory' });
    await expect(small.truncatedSvdOperator(operator, { k: 5 })).rejects.toMatchObject({ code: 'memory' });
    const signal = AbortSignal.abort();
    await expect(e.truncatedSvd(a, { k: 5, signal })).rejects.toMatchObject({ code: 'cancelled' });
    await expect(e.truncatedSvdOperator(operator, { k: 5, signal })).rejects.toMatchObject({
      code: 'cancelled',
    });
  });

  it('carries errors with class, code and fields', async () => {
    const d = { data: Float32Array.from([0, 1, 2, 0]), shape: [2, 2] as const };
    const error = await engine({ threads: 1 })
      .vatFromMatrix(d)
      .catch((e) => e);
    expect(error).toBeInstanceOf(EpochscopeError);
    expect(error.code).toBe('argument');
    expect(Object.keys(error.fields).length).toBeGreaterThan(0);
  });

  it('refuses NaN before any worker starts', async () => {
    const x = points(10, 2);
    x.data[5] = Number.NaN;
    await expect(engine({ threads: 1 }).vat(x, { metric: 'euclidean' })).rejects.toThrow('row 2, column 1');
  });

  it('refuses a job over the limit, with the figure and the way out', async () => {
    const e = engine({ threads: 1, memoryLimit: 1e6 });
    await expect(e.vat(points(2000, 200), { metric: 'euclidean' })).rejects.toMatchObject({
      code: 'memory',
      message: expect.stringMatching(/needs [\d.]+ MB, the limit is 1 MB; analyse fewer/),
    });
    expect((await e.vat(points(10, 2), { metric: 'euclidean' })).order.length).toBe(10);
  });

  it('stops when cancelled and goes on with the next job', async () => {
    const e = engine({ threads: 2 });
    const x = points(12000, 64);
    const controller = new AbortController();
    const seen: number[] = [];
    const job = e.vat(x, {
      metric: 'euclidean',
      signal: controller.signal,
      onProgress: (done) => {
        seen.push(done);
        if (seen.length === 2) controller.abort();
      },
    });
    await expect(job).rejects.toMatchObject({ code: 'cancelled' });
    expect((await e.vat(points(50, 3), { metric: 'euclidean' })).order.length).toBe(50);
  });

  it('rejects a cancelled job that waits at once, and the one before it goes on', async () => {
    const e = engine({ threads: 2 });
    const events: string[] = [];
    const first = e.vat(points(6000, 64), { metric: 'euclidean' }).then(() => events.push('first'));
    const controller = new AbortController();
    const second = e
      .vat(points(50, 3), { metric: 'euclidean', signal: controller.signal })
      .catch((cause) => events.push(cause.code));
    controller.abort();
    await Promise.all([first, second]);
    expect(events).toEqual(['cancelled', 'first']);
  });

  it('tells progress up to the whole', async () => {
    const seen: [number, number][] = [];
    await engine({ threads: 2 }).vat(points(3000, 16), {
      metric: 'euclidean',
      onProgress: (done, total) => seen.push([done, total]),
    });
    expect(seen.length).toBeGreaterThanOrEqual(2);
    expect(seen[seen.length - 1]![0]).toBe(seen[0]![1]);
    for (let i = 1; i < seen.length; i++) expect(seen[i]![0]).toBeGreaterThanOrEqual(seen[i - 1]![0]);
  });

  it('names the number of samples that would fit', async () => {
    const x = points(2000, 20);
    const e = engine({ threads: 1, memoryLimit: 1e5 });
    const error = await e.vat(x, { metric: 'euclidean' }).catch((cause) => cause);
    const fits = error.fields.fits as number;
    expect(error.message).toContain(`or thin to n ≤ ${fits}`);
    expect((await e.vat(points(fits, 20), { metric: 'euclidean' })).order.length).toBe(fits);
    await expect(e.vat(points(fits + 1, 20), { metric: 'euclidean' })).rejects.toMatchObject({
      code: 'memory',
    });
  });

  it('says so when a worker dies at work, and goes on with new ones', async () => {
    const workers: Worker[] = [];
    const collect = (worker: Worker) => workers.push(worker);
    process.on('worker', collect);
    try {
      for (const shared of [true, false]) {
        const e = engine({ threads: 2, shared });
        let killed = false;
        const job = e.vat(points(12000, 64), {
          metric: 'euclidean',
          onProgress: (done) => {
            if (done > 0 && !killed) {
              killed = true;
              void workers[workers.length - 1]!.terminate();
            }
          },
        });
        await expect(job, `shared ${shared}`).rejects.toMatchObject({
          name: 'EpochscopeError',
          code: 'internal',
          message: expect.stringMatching(/^a worker ended: /),
        });
        const before = workers.length;
        const x = points(600, 3);
        const expected = await createInlineEngine().vat(x, { metric: 'euclidean' });
        expect(await e.vat(x, { metric: 'euclidean' })).toEqual(expected);
        expect(workers.length).toBe(before + (shared ? 2 : 1));
      }
    } finally {
      process.off('worker', collect);
    }
  });

  it('stops running and waiting jobs on close, and closes twice', async () => {
    for (const e of [engine({ threads: 2 }), engine({ threads: 1, shared: false }), createInlineEngine()]) {
      let closing: Promise<void> | undefined;
      const running = e.vat(points(6000, 64), {
        metric: 'euclidean',
        onProgress: (done) => {
          if (done > 0) closing ??= e.close();
        },
      });
      const waiting = e.vat(points(50, 3), { metric: 'euclidean' });
      const ends = await Promise.allSettled([running, waiting]);
      for (const end of ends)
        expect(end).toMatchObject({ status: 'rejected', reason: { code: 'cancelled' } });
      await closing;
      await e.close();
    }
  });

  it('rejects after close', async () => {
    const e = engine({ threads: 1 });
    await e.close();
    await expect(e.vat(points(4, 2), { metric: 'euclidean' })).rejects.toThrow('closed');
  });

  it('refuses a number of threads it cannot have', () => {
    expect(() => createEngine({ threads: 0 })).toThrow('expected a whole number 1 … 64, got 0');
  });
});

describe('memory of an engine', () => {
  it.each([1, 2])('keeps no answer that was given (%i workers)', async (threads) => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const made = engine({ threads });
    const x = { data: new Float32Array(300 * 4).map((_, i) => Math.sin(i)), shape: [300, 4] as const };
    const given: WeakRef<object>[] = [];
    for (let i = 0; i < 5; i++) {
      given.push(new WeakRef((await made.vat(x, { metric: 'euclidean' })).order));
      given.push(new WeakRef((await made.pairwise(x, { metric: 'cosine' })).data));
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
    collect();
    // The last one may still be on its way.
    expect(given.filter((one) => one.deref()).length).toBeLessThanOrEqual(2);
  });
});

describe('pairwise on the engine', () => {
  // Workers start slowly: one engine each for all that follows.
  const variants = [{ threads: 1 }, { threads: 2 }, { threads: 3 }, { threads: 2, shared: false }].map(
    (options) => ({ options, made: createEngine(options) }),
  );
  afterAll(() => Promise.all(variants.map(({ made }) => made.close())));

  it('gives the same bits inline, on 1, 2 and 3 threads, shared or not, for every form', async () => {
    const x = points(700, 9);
    const other = points(150, 9, 8);
    const inline = createInlineEngine();
    for (const form of [
      { metric: 'cosine' },
      { metric: 'euclidean', condensed: true },
      { metric: 'manhattan', other },
    ] as const) {
      const expected = await inline.pairwise(x, form);
      expect(expected.shape).toEqual(
        'condensed' in form ? [(700 * 699) / 2, 1] : [700, 'other' in form ? 150 : 700],
      );
      for (const { options, made } of variants) {
        const got = await made.pairwise(x, form);
        expect(got.shape, JSON.stringify(options)).toEqual(expected.shape);
        expect(got.data.length).toBe(expected.data.length);
        expect(got.data.every((value, i) => value === expected.data[i])).toBe(true);
      }
    }
  });

  it('goes on into VAT of the matrix, which is what VAT of the points says', async () => {
    const e = engine({ threads: 2 });
    const x = points(640, 4);
    const d = await e.pairwise(x, { metric: 'euclidean' });
    const matrix = await e.vatFromMatrix(d);
    const direct = await e.vat(x, { metric: 'euclidean' });
    // Both round float32 sums, each in its own order.
    matrix.weights.forEach((w, i) => {
      expect(Math.abs(w - direct.weights[i]!)).toBeLessThanOrEqual(1e-5 * w);
    });
  });

  it('takes n = 0, 1 and 2', async () => {
    for (const { made } of variants)
      for (const n of [0, 1, 2])
        expect((await made.pairwise(points(n, 3), { metric: 'correlation' })).data.length).toBe(n * n);
  });

  it('tells progress up to the whole, stops when cancelled, and goes on with the next job', async () => {
    const [some, many] = [points(1500, 30), points(3000, 400)];
    for (const { options, made: e } of variants) {
      const seen: [number, number][] = [];
      await e.pairwise(some, {
        metric: 'cosine',
        onProgress: (...step) => seen.push(step),
      });
      expect(seen.length).toBeGreaterThan(1);
      expect(seen.at(-1)![0]).toBe(seen.at(-1)![1]);
      for (let i = 1; i < seen.length; i++) expect(seen[i]![0]).toBeGreaterThanOrEqual(seen[i - 1]![0]);
      const controller = new AbortController();
      const job = e.pairwise(many, {
        metric: 'manhattan',
        signal: controller.signal,
        onProgress: (done) => done > 0 && controller.abort(),
      });
      await expect(job, JSON.stringify(options)).rejects.toMatchObject({ code: 'cancelled' });
      expect((await e.pairwise(points(5, 3), { metric: 'cosine' })).data.length).toBe(25);
    }
  });

  it('refuses what cannot fit, with both figures and a number of samples that does fit', async () => {
    const e = engine({ threads: 2, memoryLimit: 3e6 });
    const x = points(1000, 5);
    const error = await e.pairwise(x, { metric: 'cosine' }).catch((cause) => cause);
    expect(error).toMatchObject({
      code: 'memory',
      message: expect.stringMatching(
        /^dissimilarities of 1000 points needs 4 MB and 4 MB in JavaScript, the limit is 3 MB; ask for them condensed/,
      ),
    });
    const { fits } = error.fields as { fits: number };
    expect((await e.pairwise(points(fits, 5), { metric: 'cosine' })).data.length).toBe(fits * fits);
    await expect(e.pairwise(points(fits + 1, 5), { metric: 'cosine' })).rejects.toThrow('condensed');
    await expect(
      engine({ threads: 1 }).pairwise(
        { data: new Float32Array(40_000), shape: [40_000, 1] },
        { metric: 'cosine' },
      ),
    ).rejects.toThrow('the limit is 4.3 GB');
  });

  it('refuses bad arguments before any worker starts', async () => {
    const e = engine({ threads: 2 });
    const x = points(4, 2);
    await expect(e.pairwise(x, { metric: 'hamming' as never })).rejects.toThrow('metric: expected one of');
    await expect(e.pairwise(x, { metric: 'cosine', other: points(4, 3) })).rejects.toThrow(
      'other: expected 2',
    );
    await expect(e.pairwise(x, { metric: 'cosine', other: x, condensed: true })).rejects.toThrow('condensed');
  });
});

describe('VAT of a matrix on the engine', () => {
  it('can be cancelled between its chunks', async () => {
    const n = 6000;
    const data = new Float32Array(n * n).fill(1);
    for (let i = 0; i < n; i++) data[i * n + i] = 0;
    for (const options of [{ threads: 2 }, { threads: 1, shared: false }]) {
      const e = engine(options);
      let outcome = 'done';
      // On a busy machine the work may be done before it hears of its end: then once more.
      for (let turn = 0; turn < 5 && outcome === 'done'; turn++) {
        const controller = new AbortController();
        let told = 0;
        outcome = await e
          .vatFromMatrix(
            { data, shape: [n, n] },
            {
              signal: controller.signal,
              onProgress: () => {
                told++;
                controller.abort();
              },
            },
          )
          .then(
            () => 'done',
            (error: EpochscopeError) => error.code,
          );
        if (outcome === 'cancelled') expect(told).toBe(1);
      }
      expect(outcome).toBe('cancelled');
      expect((await e.vat(points(9, 2), { metric: 'cosine' })).order.length).toBe(9);
    }
  });
});

describe('the relaxed build', () => {
  const script = `
    import { createEngine } from '@epochscope/analysis';
    const x = { data: Float32Array.from({ length: 600 * 20 }, (_, i) => Math.sin(i)), shape: [600, 20] };
    const d = [];
    for (const relaxed of [false, true]) {
      const engine = createEngine({ threads: 2, relaxed });
      if (engine.relaxed !== relaxed) throw new Error('not what was asked for');
      d.push((await engine.pairwise(x, { metric: 'cosine' })).data);
    }
    process.stdout.write(String(d[0].reduce((most, value, i) => Math.max(most, Math.abs(value - d[1][i])), 0)));
  `;
  const start = (...flags: string[]) =>
    spawnSync(process.execPath, [...flags, '--input-type=module', '-e', script], {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      timeout: 50_000,
    });

  it('is used on request only and agrees within the stated accuracy; where it is missing, that is said', () => {
    const plain = start();
    if (plain.status !== 0) expect(plain.stderr).toContain('relaxed SIMD was asked for and is missing here');
    const run = plain.status === 0 ? plain : start('--experimental-wasm-relaxed-simd');
    expect(run.stderr).toBe('');
    // Both are within 1e-6 of the truth.
    expect(Number(run.stdout)).toBeLessThan(2e-6);
  });
});

describe('a process with an engine', () => {
  it('waits for a job and then ends by itself, without close', () => {
    const script = `
      import { createEngine } from '@epochscope/analysis';
      const vat = await createEngine({ threads: 2 }).vat({ data: Float32Array.from([0, 1, 3]), shape: [3, 1] }, { metric: 'euclidean' });
      process.stdout.write(vat.order.join());
    `;
    const run = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      timeout: 50_000,
    });
    expect(run.stdout).toBe('0,1,2');
    expect(run.status).toBe(0);
  });
});
