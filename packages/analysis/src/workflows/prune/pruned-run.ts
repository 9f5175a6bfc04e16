import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { createEngine } from '../../engine/create.js';
import type { Engine } from '../../engine/types.js';
import { npyParts } from '../../formats/npy.js';
import { encodeSafetensors } from '../../formats/safetensors.js';
import type { Tensor } from '../../formats/types.js';
import { asKernel, findRegions, type PruneResult, type PruneRound } from '../../methods/prune/index.js';
import { readResult, resultPath, writeResult } from '../../results/store.js';
import { readManifest } from '../../run/read.js';
import type { Run, RunManifest, RunWriter, SnapshotInfo } from '../../run/types.js';
import { createRun, resumeRun } from '../../run/write.js';
import { type Place, storeOf } from '../../stores/of.js';
import type { Store } from '../../stores/types.js';
import { planWorkflow, runPlan, type WorkflowOptions } from '../run.js';
import type { Plan } from '../types.js';
import { type PrunedRound, type PruneRunOptions, pruneResult, pruneWorkflow, tensorsOf } from './index.js';

export interface PrunedRunOptions extends WorkflowOptions {
  /** Replaces a run that is there. */
  overwrite?: boolean;
  /**
   * Goes on with a run that was cut off: by default where it is this very pruning and is not to be replaced; true: there must be one, of the
   * same options, done or not; "if-there": if there is one.
   */
  resume?: boolean | 'if-there';
  /** Called with each round once it is in the run, also with those that were there before. */
  onRound?: (round: PruneRound) => void;
}

/** The snapshot that a round is kept as. */
export const prunedSnapshot = (round: number): string =>
  round === 0 ? 'magnitude' : `round-${String(round).padStart(2, '0')}`;

/**
 * Prunes and writes a run of its own at `place`: snapshots "before", "magnitude", "round-01", …, each a whole net that everything else reads, and
 * the result with mask.npy and pruned.safetensors. A round is there whole or not at all; cancelled, the rounds so far stay and `resume` goes
 * on to the same bits. Throws `argument`, `missing`, `io`, `not-finite`, `cancelled`.
 */
export async function prunedRun(
  run: Run,
  options: Partial<PruneRunOptions>,
  place: Place,
  { overwrite, resume, onRound, ...how }: PrunedRunOptions = {},
): Promise<PruneResult> {
  const store = await storeOf(place);
  const plan = await planWorkflow(pruneWorkflow, run, options, how);
  guard(
    store.name !== run.store.name,
    'argument',
    () => `${run.store.name}: the pruned run needs a folder of its own`,
    { path: store.name },
  );
  const there =
    resume === undefined && !overwrite
      ? await isCutOff(store, plan, run)
      : Boolean(resume) && (resume === true || (await store.has('run.json')));
  const folder = resultPath('prune', plan.options.name);
  if (there && (await checkSame(store, plan, run)).complete) {
    const done = await readResult<PruneResult>(store, folder);
    if (done.complete) return done;
  }
  const parts = { store, folder: `${folder}.parts` };
  const engine = how.engine ?? createEngine();
  const resumed = there ? await resumeRun(store) : null;
  const writer = resumed ?? (await newRun(run, plan, store, overwrite ?? false));
  const done: Pick<PrunedRound, 'round' | 'accuracyBefore'>[] = [];
  let last = new Map<string, Tensor>();
  try {
    // It may have been cut off before they were written.
    if (!resumed?.manifest.samples) await writeSamples(run, writer);
    const result = await runPlan(pruneWorkflow, run, plan, {
      ...how,
      engine,
      parts,
      async onPart(_, output) {
        const { round, weights, accuracyBefore } = output as PrunedRound;
        if (!round) return;
        if (!done.length)
          await writer.writeSnapshot(
            infoBefore(accuracyBefore.value),
            await run.weights(String(plan.options.snapshot)),
          );
        done.push({ round, accuracyBefore });
        last = tensorsOf(weights);
        await writer.writeSnapshot(infoOf(round), last);
        await writeResult(store, folder, await pruneResult(plan, run, done));
        onRound?.(round);
      },
    });
    await writeResult(store, folder, result);
    await writeFiles(store, folder, result, last, engine);
    await writer.finish();
    await store.remove(parts.folder);
    return result;
  } catch (cause) {
    if (!(cause instanceof EpochscopeError) || cause.code !== 'cancelled' || !done.length) throw cause;
    throw new EpochscopeError(
      'cancelled',
      `${cause.message}; ${store.name} holds ${done.length - 1} of ${plan.options.rounds} rounds, the same call goes on`,
      cause.fields,
      { cause },
    );
  } finally {
    await writer.close();
    if (!how.engine) await engine.close();
  }
}

/** What makes two prunings the same: kept in run.json, compared on resuming. */
const recordOf = (plan: Plan<PruneRunOptions>, run: Run): Record<string, unknown> => {
  const { name: _, data: __, units, ...options } = plan.options;
  return {
    source: run.name,
    ...options,
    ...(units === 'region' ? {} : { units }),
    key: plan.parts.at(-1)!.key,
  };
};

/** Whether a place holds this pruning, not done yet. */
async function isCutOff(store: Store, plan: Plan<PruneRunOptions>, run: Run): Promise<boolean> {
  if (!(await store.has('run.json'))) return false;
  const { complete, training } = await readManifest(store);
  return !complete && JSON.stringify(training?.prune) === JSON.stringify(recordOf(plan, run));
}

/** The manifest of the run to go on with. Throws `argument` where it was begun with other options. */
async function checkSame(store: Store, plan: Plan<PruneRunOptions>, run: Run): Promise<RunManifest> {
  const manifest = await readManifest(store);
  const wanted = JSON.stringify(recordOf(plan, run));
  const found = JSON.stringify(manifest.training?.prune);
  guard(
    found === wanted,
    'argument',
    () => `${store.name} was begun with other options: expected ${wanted}, it holds ${found ?? 'none'}`,
    { path: store.name },
  );
  return manifest;
}

/** The samples of the run that is pruned. */
async function writeSamples(run: Run, writer: RunWriter): Promise<void> {
  const { samples } = run.manifest;
  const inputs = samples && (await run.inputTensor());
  if (samples && inputs)
    await writer.writeSamples({ inputs, labels: await run.labels(), source: samples.source });
}

/** The run that is written. */
async function newRun(
  run: Run,
  plan: Plan<PruneRunOptions>,
  store: Store,
  overwrite: boolean,
): Promise<RunWriter> {
  const { model, layers, classes, inputShape, training } = run.manifest;
  return createRun(
    store,
    { model, layers, classes, inputShape, training: { ...training, prune: recordOf(plan, run) } },
    { overwrite },
  );
}

const infoBefore = (accuracy: number | null): SnapshotInfo => ({
  id: 'before',
  epoch: null,
  step: null,
  metrics: accuracy === null ? {} : { testAccuracy: accuracy },
});

function infoOf(round: PruneRound): SnapshotInfo {
  const metrics: Record<string, number> = { removed: round.removed.overall };
  const after = round.accuracyAfterRetraining.value ?? round.accuracyAfterRemoval.value;
  if (after !== null) metrics.testAccuracy = after;
  if (round.accuracyAfterRemoval.value !== null)
    metrics.testAccuracyAfterRemoval = round.accuracyAfterRemoval.value;
  if (round.regions) metrics.regionsRemoved = round.regions.removed;
  // A round is no epoch of the run's training; its name says what it is.
  return { id: prunedSnapshot(round.round), epoch: null, step: null, metrics };
}

/** What is kept of each unit, as a sparse matrix by unit: input indices[indptr[u] … indptr[u+1]] with their values. */
function sparseByUnit(mask: Uint8Array, weights: Float32Array, units: number) {
  const indptr = new Uint32Array(units + 1);
  for (let i = 0; i < mask.length; i++) if (mask[i]) indptr[(i % units) + 1]!++;
  for (let u = 0; u < units; u++) indptr[u + 1]! += indptr[u]!;
  const indices = new Uint32Array(indptr[units]!);
  const values = new Float32Array(indices.length);
  const next = indptr.slice();
  for (let i = 0; i < mask.length; i++) {
    if (!mask[i]) continue;
    const at = next[i % units]!++;
    indices[at] = Math.floor(i / units);
    values[at] = weights[i]!;
  }
  return { indptr, indices, values };
}

/**
 * Files people load, beside result.json: `mask.npy` (uint8, the tensor's own shape, 1 = kept) and `pruned.safetensors`
 * with, under the layer's name, `kernel` and the layer's other tensors, `mask`; `indptr`, `indices`, `values` (what each
 * unit keeps, sparse by unit); `regions` (uint32[pictures, height, width], 0 or the region's number in its picture) and
 * `region_index` (float32, same shape: mean |w| of the pixel's region).
 */
async function writeFiles(
  store: Store,
  folder: string,
  { layout, options, rounds }: PruneResult,
  weights: ReadonlyMap<string, Tensor>,
  engine: Engine,
): Promise<void> {
  const last = rounds[rounds.length - 1]!;
  const { shape } = weights.get(layout.tensor)!;
  const found = await findRegions(last.weights, last.mask, layout, engine, options);
  const [height, width] = layout.inputShape;
  const pictures = found.offsets.length - 1;
  const pixels = height * width;
  const index = Float32Array.from(found.labels, (label, at) =>
    label ? found.index[found.offsets[Math.floor(at / pixels)]! + label - 1]! : 0,
  );
  const { indptr, indices, values } = sparseByUnit(last.mask, last.weights, layout.units);
  const place = [pictures, height, width];
  const tensors = new Map<string, Tensor>(
    [...weights].filter(([name]) => name.startsWith(`${layout.layer}.`)),
  );
  const add = (name: string, data: Uint8Array | Uint32Array | Float32Array, sides: readonly number[]) =>
    tensors.set(`${layout.layer}.${name}`, {
      data,
      shape: sides,
      dtype: data instanceof Float32Array ? 'float32' : data instanceof Uint8Array ? 'uint8' : 'uint32',
    });
  // Four-byte tensors first: the mask's length need not be a multiple of 4.
  add('indptr', indptr, [indptr.length]);
  add('indices', indices, [indices.length]);
  add('values', values, [values.length]);
  add('regions', found.labels, place);
  add('region_index', index, place);
  const mask = asKernel(last.mask, layout);
  add('mask', mask, shape);
  await store.write(
    `${folder}/pruned.safetensors`,
    encodeSafetensors(tensors, { format: 'epochscope-pruned/1', layer: layout.layer }),
  );
  await store.write(`${folder}/mask.npy`, npyParts(mask, shape));
}
