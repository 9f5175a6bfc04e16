import { elementCount, isFloating } from '../formats/dtypes.js';
import {
  checkSeries,
  SERIES_EXCESS,
  type SeriesCheck,
  type SeriesCheckResult,
  type SeriesFinding,
} from '../methods/series-check/index.js';
import { RESULT_FORMAT } from '../results/types.js';
import { gapsOf, some } from '../run/import/names.js';
import { nameOf as nameOfStore } from '../run/import/recognise.js';
import type { Run } from '../run/types.js';
import { identityOf } from '../stores/identity.js';
import { toolInfo } from '../version.js';

/** Of weights on the web so many tensors are looked at, and of each one stretch: a request a tensor and snapshot. */
const REMOTE_TENSORS = 24;
const STRETCH = 256;
/** From a disk several short stretches: few reads, and weights from all over the tensor. */
const NEAR = 8;
const SEED = 1;

/**
 * Is a run's series what it says (`methods/series-check`)? Looks at its floating-point tensors, and at hashes of files that an index or a
 * hub knows. Of weights that are linked from the web 24 tensors are looked at, the largest and others evenly.
 */
export async function checkOfRun(
  run: Run,
  options: { signal?: AbortSignal; onProgress?: (done: number, total: number) => void } = {},
): Promise<SeriesCheckResult> {
  const begun = performance.now();
  const check = await checked(run, options);
  const snapshots = run.manifest.snapshots.map(({ id, epoch, step }) => ({ id, epoch, step }));
  return {
    format: RESULT_FORMAT,
    method: 'check',
    name: 'default',
    tool: toolInfo,
    input: { source: nameOfStore(run.store), files: {} },
    parameters: { excess: SERIES_EXCESS },
    seeds: { weights: SEED },
    seconds: (performance.now() - begun) / 1000,
    snapshots,
    ...check,
    findings: [...check.findings, ...gaps(snapshots)],
  };
}

/** Epochs, or steps where those tell snapshots apart, that an even series leaves out. */
function gaps(snapshots: SeriesCheckResult['snapshots']): SeriesFinding[] {
  for (const of of ['epoch', 'step'] as const) {
    const numbers = snapshots.flatMap((snapshot) => snapshot[of] ?? []);
    if (numbers.length < snapshots.length || new Set(numbers).size < numbers.length) continue;
    const missing = gapsOf(numbers);
    if (!missing.length) return [];
    const text = `${of}${missing.length > 1 ? 's' : ''} ${some(missing.map(String))} missing from a series that counts evenly`;
    return [{ grade: 'note', kind: 'gap', of, numbers: missing, text }];
  }
  return [];
}

async function checked(
  run: Run,
  options: { signal?: AbortSignal; onProgress?: (done: number, total: number) => void },
): Promise<SeriesCheck> {
  const ids = run.manifest.snapshots.map(({ id }) => id);
  if (!ids.length) return checkSeries([], [], async () => new Float32Array(0));
  const files: { name: string; sha256: string }[][] = [];
  let remote = false;
  const first = await run.weightPlaces(ids[0]!);
  for (const id of ids) {
    const { path, files: linked } = await run.weightPlaces(id);
    remote ||= linked?.some(({ place }) => /^https?:/.test(place)) ?? false;
    if (linked) {
      files.push(linked.flatMap(({ place, sha256 }) => (sha256 ? [{ name: nameOf(place), sha256 }] : [])));
      continue;
    }
    // Where its writer stored it and the file is as it left it.
    const identity = path.startsWith('steps/') ? null : await identityOf(run.store, path);
    files.push(identity && 'sha256' in identity ? [{ name: nameOf(path), sha256: identity.sha256 }] : []);
  }
  const all = [...first.tensors.values()]
    .filter(({ dtype }) => isFloating(dtype))
    .map(({ name, shape }) => ({ name, size: elementCount(shape) }));
  return checkSeries(
    ids,
    remote ? chosen(all) : all,
    async (name, indices) => (await run.series(name, { indices, signal: options.signal })).data,
    { ...options, seed: SEED, together: remote ? STRETCH : NEAR, files },
  );
}

const nameOf = (path: string) => path.slice(path.lastIndexOf('/') + 1);

/** Evenly by their order, which is that of the net's depth, among those with enough values. */
function chosen<T extends { size: number }>(tensors: readonly T[]): T[] {
  const large = tensors.filter(({ size }) => size >= STRETCH);
  const among = large.length ? large : tensors;
  if (among.length <= REMOTE_TENSORS) return [...among];
  return Array.from(
    { length: REMOTE_TENSORS },
    (_, k) => among[Math.floor((k * among.length) / REMOTE_TENSORS)]!,
  );
}
