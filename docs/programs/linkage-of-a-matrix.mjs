// The dendrogram of a dissimilarity matrix in a file, square or condensed: node linkage-of-a-matrix.mjs D.npy [average]
// Prints SciPy's linkage matrix: two clusters, their height, the samples in both; samples are 0 … n − 1, the k-th merge is n + k.
import { createEngine, withFile } from '@epochscope/analysis';
import { openMatrix, readDissimilarities } from '@epochscope/analysis/formats';

const [file, method = 'average'] = process.argv.slice(2);
const engine = await createEngine();
try {
  const { matrix, space } = await withFile(file, async (source) =>
    readDissimilarities((await openMatrix(source, { dissimilarities: true })).rows, null),
  );
  const { left, right, heights, sizes } = await engine.linkage(matrix, { method });
  for (let k = 0; k < left.length; k++) console.log(left[k], right[k], heights[k] * space.unit, sizes[k]);
} finally {
  await engine.close();
}
