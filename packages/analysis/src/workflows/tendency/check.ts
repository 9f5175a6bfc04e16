import { guard } from '@epochscope/core-wasm';
import { createEngine } from '../../engine/create.js';
import { openMatrix } from '../../matrices/index.js';
import { checkSpanningTree, readSpanningTree, type TreeCheck } from '../../methods/tendency/index.js';
import { type ArrayPlace, withArrayFile } from '../array-file.js';
import { inputOfRows, type RowsOptions, type RowsPlace, withRows } from '../rows-file.js';
import type { WorkflowOptions } from '../run.js';
import type { TendencyFileOptions } from './options.js';

/**
 * Proves or refutes that a file of edges (rows from, to, weight) is a minimum spanning tree of a file's rows. Throws `format` with the first
 * edge that is wrong, and as `tendencyOfFile`.
 */
export async function checkTreeOfFile(
  place: RowsPlace,
  tree: ArrayPlace,
  {
    core = null,
    samples = null,
    ...options
  }: RowsOptions & Partial<Pick<TendencyFileOptions, 'core' | 'samples'>> = {},
  how: Pick<WorkflowOptions, 'engine' | 'signal' | 'onProgress'> = {},
): Promise<TreeCheck> {
  const { metric = 'euclidean', missing } = options;
  const engine = how.engine ?? createEngine();
  const { signal } = how;
  const progress = (title: string) => ({
    signal,
    onProgress: (done: number, total: number) => {
      const share = done / (total || 1);
      how.onProgress?.({ share, stage: 'Checking', title, stageShare: share, secondsLeft: null });
    },
  });
  try {
    return await withRows(place, options, async (rows) => {
      const { input } = await inputOfRows(rows, { metric, missing, samples }, progress(rows.source));
      const edges = await withArrayFile(tree, async (file, array) => {
        const { rows: read } = await openMatrix(file, { array });
        const [count, columns] = read.shape;
        guard(
          columns <= 3,
          'format',
          () => `${file.name}: expected rows of from, to and weight, got ${columns} columns`,
        );
        const values = await read.rows(0, count);
        return readSpanningTree(file.name, values, read.shape, input.outputs.shape[0]);
      });
      return checkSpanningTree(engine, { ...input, labels: null, predictions: null }, edges, metric, {
        ...progress(rows.source),
        ...(core === null ? {} : { core }),
      });
    });
  } finally {
    if (!how.engine) await engine.close();
  }
}
