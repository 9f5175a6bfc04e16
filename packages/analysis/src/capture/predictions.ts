/** Most likely class per sample (lowest wins ties) and the log-likelihood of the right one; of the most likely one where there are no labels. */
export function readPredictions(
  logProbabilities: { data: Float32Array; shape: readonly number[] },
  labels: ArrayLike<number> | null,
): { predictions: Uint32Array; logLikelihood: Float32Array } {
  const [n, classes] = logProbabilities.shape as [number, number];
  const predictions = new Uint32Array(n);
  const logLikelihood = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    const row = logProbabilities.data.subarray(i * classes, (i + 1) * classes);
    for (let c = 1; c < classes; c++) if (row[c]! > row[predictions[i]!]!) predictions[i] = c;
    logLikelihood[i] = row[labels ? labels[i]! : predictions[i]!]!;
  }
  return { predictions, logLikelihood };
}
