import { describe, expect, it } from 'vitest';
import { random } from '../random.js';
import { createEngine } from './create.js';
import { createInlineEngine } from './inline.js';

const source = random(7);
const x = { data: Float32Array.from({ length: 700 * 6 }, () => source.normal()), shape: [700, 6] as const };

describe('the engine in a browser', () => {
  it('gives the same bits on two workers over one memory, alone, and inline', async () => {
    expect(crossOriginIsolated).toBe(true);
    const expected = await createInlineEngine().vat(x, { metric: 'euclidean' });
    for (const shared of [true, false]) {
      const engine = createEngine({ threads: 2, shared });
      expect(engine.shared).toBe(shared);
      const got = await engine.vat(x, { metric: 'euclidean' });
      expect(got.order).toEqual(expected.order);
      expect(got.weights).toEqual(expected.weights);
      const form = { metric: 'euclidean', condensed: true } as const;
      const [here, there] = await Promise.all([
        createInlineEngine().pairwise(x, form),
        engine.pairwise(x, form),
      ]);
      expect([...there.data]).toEqual([...here.data]);
      await engine.close();
    }
  });

  it('stops a running job on close, which a terminated Web Worker would never answer', async () => {
    const large = {
      data: Float32Array.from({ length: 6000 * 64 }, () => source.normal()),
      shape: [6000, 64] as const,
    };
    for (const shared of [true, false]) {
      const engine = createEngine({ threads: 2, shared });
      let closing: Promise<void> | undefined;
      const job = engine.vat(large, {
        metric: 'euclidean',
        onProgress: (done) => {
          if (done > 0) closing ??= engine.close();
        },
      });
      await expect(job).rejects.toMatchObject({ code: 'cancelled' });
      await closing;
    }
  });

  it('carries errors with code and fields', async () => {
    const engine = createEngine({ threads: 1 });
    await expect(
      engine.vatFromMatrix({ data: Float32Array.of(0, 1, 2, 0), shape: [2, 2] }),
    ).rejects.toMatchObject({ name: 'EpochscopeError', code: 'argument' });
    await engine.close();
  });
});
