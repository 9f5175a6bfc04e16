import { guard, loadKernels, truncatedSvdOperator } from '@epochscope/core-wasm';
import {
  checkMatrix,
  correlationBytes,
  labelRegionsBytes,
  linkageBytes,
  truncatedSvdBytes,
  truncatedSvdOperatorBytes,
} from '@epochscope/core-wasm/jobs';
import { checkBlocks, checkMap, checkPair, checkSource } from './arguments.js';
import type { Pool } from './pool.js';
import type { Engine } from './types.js';
import { checkVatImage } from './vat-image.js';

/** Jobs of one worker: each checks its input, foretells its memory and runs its task. */
export function singleJobs(
  pool: Pool,
): Omit<
  Engine,
  'threads' | 'shared' | 'relaxed' | 'vat' | 'lightEdges' | 'pairwise' | 'clusterPoints' | 'close'
> {
  const refuseCorrelation = (units: number, inputs: number): void =>
    pool.refuse(
      `correlation of ${units} with ${inputs} columns`,
      units,
      (k) => correlationBytes(k, inputs),
      'take fewer columns at a time',
    );
  const fewer = 'ask for fewer triplets or a smaller basis';
  return {
    async vatFromMatrix(d, options = {}) {
      checkMatrix(d, 'd');
      const n = d.shape[0];
      guard(n === d.shape[1], 'shape', () => `d: expected a square matrix, got ${d.shape[0]}×${d.shape[1]}`);
      pool.refuse(
        `VAT of a ${n}×${n} matrix`,
        n,
        // The matrix, four arrays over n, and the arena's rounding.
        (k) => 4 * k * k + 16 * k + 512,
        'give the points instead: vat needs no matrix',
      );
      return pool.task(options, 'vatFromMatrix', d);
    },
    async linkage(d, { signal, onProgress, ...options } = {}) {
      checkMatrix(d, 'd');
      const n = d.shape[0];
      pool.refuse(`linkage of a ${n}×${n} matrix`, n, linkageBytes, 'join fewer samples');
      return pool.task({ signal, onProgress }, 'linkage', d, options);
    },
    async correlation(x, y, options = {}) {
      checkMatrix(x, 'x');
      checkMatrix(y, 'y');
      refuseCorrelation(x.shape[1], y.shape[1]);
      return pool.task(options, 'correlation', x, y);
    },
    async correlationOfBlocks(source, options = {}) {
      checkSource(source);
      const { units, inputs, samples } = source;
      refuseCorrelation(units, inputs);
      return pool.enqueue(options, async (alive) => {
        const { signal } = options;
        const job = await pool.runTask(alive, { signal }, 'correlationPrepare', units, inputs);
        try {
          let done = 0;
          options.onProgress?.(0, samples);
          for await (const block of checkBlocks(source.blocks())) {
            checkPair(block);
            const [x, y] = block;
            await pool.runTask(alive, { signal }, 'correlationAdd', job, x, y);
            done += x.shape[0];
            // Blocks may hold other than what was foretold.
            options.onProgress?.(Math.min(done, samples), samples);
          }
          if (done !== samples) options.onProgress?.(samples, samples);
          return await pool.runTask(alive, { signal }, 'correlationFinish', job);
        } finally {
          if (!pool.closed) await pool.runTask(alive, {}, 'correlationRelease', job);
        }
      });
    },
    async truncatedSvd(a, options) {
      checkMatrix(a, 'a');
      const [m, n] = a.shape;
      const { signal: _, onProgress: __, ...plain } = options;
      pool.refuseBytes(
        `truncated SVD of a ${m}×${n} matrix`,
        truncatedSvdBytes(m, n, options.k, plain),
        fewer,
      );
      return pool.task(options, 'truncatedSvd', a, plain);
    },
    async truncatedSvdOperator(operator, options) {
      guard(!pool.closed, 'cancelled', 'the engine is closed');
      checkMap(operator);
      const [m, n] = operator.shape;
      pool.refuseBytes(
        `truncated SVD of a ${m}×${n} map`,
        truncatedSvdOperatorBytes(m, n, options.k, options),
        fewer,
      );
      return truncatedSvdOperator(await loadKernels(), operator, options);
    },
    async vatImage(x, order, options) {
      checkMatrix(x, 'x');
      const { signal: _, onProgress: __, ...plain } = options;
      checkVatImage(x, order, plain.side);
      return pool.task(options, 'vatImage', x, order, plain);
    },
    async labelRegions(masks, shape, options) {
      // Throws for what is no shape.
      const bytes = labelRegionsBytes(shape, options.neighbours);
      pool.refuseBytes(`labelling ${shape[1]}×${shape[2]} pictures`, bytes, 'cut them into smaller ones');
      return pool.task(options, 'labelRegions', masks, shape, options.neighbours);
    },
  };
}
