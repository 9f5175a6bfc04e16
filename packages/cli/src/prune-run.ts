import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import {
  type Figure,
  magnitudeMask,
  type PictureLayout,
  type PruneOptions,
  type PruneResult,
  type PruneRound,
  pictureLayout,
  pruneRounds,
  RESULT_FORMAT,
  type RunWriter,
  readNpy,
  type Tensor,
  toolInfo,
} from '@epochscope/analysis';
import { createEngine } from '@epochscope/analysis/engine';
import {
  createRun,
  loadWeights,
  openRun,
  type Run,
  readManifest,
  readResult,
  resumeRun,
  type SnapshotInfo,
  weightsOf,
  withFile,
  writeResult,
} from '@epochscope/analysis/node';
import { EpochscopeError, guard } from '@epochscope/core-wasm';
import type { Output } from './output.js';
import { writePruneFiles } from './prune/files.js';
import { openNet, type PruneNet, pruneTarget, type Retraining } from './prune/target.js';
import { dataOfRun } from './run-data.js';

export type { Retraining } from './prune/target.js';

export interface PruneRunOptions {
  /** Run directory to write. */
  output: string;
  overwrite?: boolean;
  /** Go on with a run that was cut off, with the same options; "if-there": if there is one. */
  resume?: boolean | 'if-there';
  /** Snapshot to prune; default the last. */
  snapshot?: string;
  /** Default: the first dense layer. */
  layer?: string;
  prune: PruneOptions;
  /** What is not given is taken from the run's own training. */
  retraining: Partial<Retraining>;
  /** Where the training data is; default: what the run says. */
  data?: string;
  /** Ends after the first round whose accuracy after retraining is lower than before pruning by more than this. */
  stopAfterLoss?: number;
  /** Name of the result. */
  name?: string;
}

export interface PrunedRun {
  result: PruneResult;
  /** Where result.json, mask.npy and pruned.safetensors are. */
  folder: string;
}

/**
 * Prunes one layer of a run's snapshot and writes a run of its own: snapshots "before", "magnitude", "round-01", …,
 * each a whole net that every other command reads, and the result. A round is on disk whole or not at all; cancelled,
 * the rounds so far stay and `resume` goes on to the same bits. Throws `argument`, `missing`, `io`, `not-finite`,
 * `cancelled`.
 */
export async function pruneOfRun(
  directory: string,
  options: PruneRunOptions,
  output: Output,
): Promise<PrunedRun> {
  guard(
    resolve(options.output) !== resolve(directory),
    'argument',
    () => `${directory}: the pruned run needs a folder of its own`,
    { path: directory },
  );
  const run = await openRun(directory);
  for (const warning of run.warnings) output.warn(warning);
  const snapshot = run.snapshot(options.snapshot ?? 'last');
  const weights = await run.weights(snapshot.id);
  const where = `${directory}, snapshot ${snapshot.id}`;
  const layout = pictureLayout(
    run.manifest.layers,
    run.manifest.inputShape,
    (tensor) => weights.get(tensor)?.shape,
    options.layer,
  );
  const tensor = weights.get(layout.tensor)!;
  guard(
    tensor.data instanceof Float32Array,
    'format',
    () => `${where}: tensor ${layout.tensor}: expected float32, got ${tensor.dtype}`,
    { tensor: layout.tensor, got: tensor.dtype },
  );
  const kernel = tensor.data;
  // Refuses rates and numbers before anything is written.
  magnitudeMask(kernel, options.prune.magnitude);
  const data = run.manifest.model ? await dataOfRun(directory, run.manifest, options.data) : null;
  const own = await openNet(run, weights, data, where);
  if (!own)
    output.warn(
      `${directory} does not say which net made it: the weights are pruned, with no accuracy and no retraining`,
    );
  const retraining = retrainingOf(run, options.retraining);
  say(layout, retraining, options.prune, own, output);

  const plan: Plan = {
    run,
    snapshot,
    layout,
    kernel,
    shape: tensor.shape,
    weights,
    own,
    retraining,
    options,
    sha256: createHash('sha256')
      .update(new Uint8Array(kernel.buffer, kernel.byteOffset, kernel.byteLength))
      .digest('hex'),
    folder: join(options.output, 'results', 'prune', options.name ?? 'default'),
  };
  if (options.resume === 'if-there' && !(await exists(join(options.output, 'run.json'))))
    plan.options = { ...options, resume: false };
  return carryOut(plan, output);
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

interface Plan {
  run: Run;
  snapshot: SnapshotInfo;
  layout: PictureLayout;
  kernel: Float32Array;
  shape: readonly number[];
  weights: ReadonlyMap<string, Tensor>;
  own: PruneNet | null;
  retraining: Retraining;
  options: PruneRunOptions;
  sha256: string;
  folder: string;
}

async function carryOut(plan: Plan, output: Output): Promise<PrunedRun> {
  const { layout, kernel, own, retraining, options, folder } = plan;
  const { prune } = options;
  const progress = output.progress(`Pruning ${layout.layer}`);
  const engine = createEngine();
  const begun = performance.now();
  const earlier = options.resume ? await rewind(plan) : null;
  let writer: RunWriter | null = null;
  const target = pruneTarget(layout, kernel, own, retraining, prune.rounds, output, progress);
  // Refuses what cannot be done before a folder appears.
  const checked = pruneRounds(target, engine, { ...prune, signal: output.signal }, earlier?.last);
  const done: PruneRound[] = [...(earlier?.result.rounds ?? [])];
  try {
    const accuracyBefore = earlier?.result.accuracyBefore ?? (await target.evaluate(kernel));
    const spent = earlier?.result.seconds ?? 0;
    const resultOf = (complete: boolean): PruneResult => ({
      ...describe(plan, accuracyBefore),
      seconds: spent + (performance.now() - begun) / 1000,
      rounds: done,
      complete,
    });
    const ended = fellBelow(earlier?.last, accuracyBefore, options.stopAfterLoss);
    for await (const round of ended ? [] : checked) {
      if (output.signal.aborted) throw new EpochscopeError('cancelled', `cancelled in round ${round.round}`);
      writer ??= await openWriter(plan, accuracyBefore, Boolean(earlier));
      done.push(round);
      const now = own ? weightsOf(own.net) : new Map(plan.weights);
      now.set(layout.tensor, { data: round.weights, shape: plan.shape, dtype: 'float32' });
      await writer.writeSnapshot(infoOf(round), now);
      await writeResult(folder, resultOf(false));
      output.say(`  ${line(round)}`);
      if (fellBelow(round, accuracyBefore, options.stopAfterLoss)) break;
    }
    writer ??= await openWriter(plan, accuracyBefore, Boolean(earlier));
    const result = resultOf(true);
    await writeResult(folder, result);
    const last = await (await openRun(options.output)).weights('last');
    await writePruneFiles(folder, result, last, plan.shape);
    await writer.finish();
    return { result, folder };
  } catch (cause) {
    if (cause instanceof EpochscopeError && cause.code === 'cancelled' && done.length)
      throw new EpochscopeError(
        'cancelled',
        `${cause.message}; ${options.output} holds ${done.length - 1} of ${prune.rounds} rounds, --resume goes on`,
        cause.fields,
        { cause },
      );
    throw cause;
  } finally {
    progress.stop();
    await engine.close();
    await writer?.close();
  }
}

function fellBelow(round: PruneRound | undefined, before: Figure, loss: number | undefined): boolean {
  const now = round?.accuracyAfterRetraining.value ?? null;
  return loss !== undefined && now !== null && before.value !== null && now < before.value - loss;
}

/** Reads what a cut-off run holds and puts the net there. null when it holds no whole round yet. */
async function rewind(plan: Plan): Promise<{ result: PruneResult; last: PruneRound } | null> {
  const { own, options, folder, layout } = plan;
  const manifest = await readManifest(options.output);
  const wanted = JSON.stringify(recordOf(plan));
  const found = JSON.stringify(manifest.training?.prune);
  guard(
    found === wanted,
    'argument',
    () => `${options.output} was begun with other options: expected ${wanted}, it holds ${found ?? 'none'}`,
    { path: options.output },
  );
  const result = await readResult<PruneResult>(folder).catch((cause) => {
    if ((cause as EpochscopeError).code === 'missing') return null;
    throw cause;
  });
  const last = result?.rounds[result.rounds.length - 1];
  if (!result || !last) return null;
  if (own) {
    const run = await openRun(options.output);
    loadWeights(own.tf, own.net, await run.weights(idOf(last.round)), `${options.output}, ${layout.layer}`);
  }
  return { result, last };
}

/** What makes two prunings the same: kept in run.json, compared on resuming. */
function recordOf({
  run,
  snapshot,
  layout,
  options,
  retraining,
  own,
  sha256,
}: Plan): Record<string, unknown> {
  return {
    source: basename(resolve(run.directory)),
    snapshot: snapshot.id,
    layer: layout.layer,
    ...options.prune,
    stopAfterLoss: options.stopAfterLoss ?? null,
    retraining: own ? { ...retraining } : null,
    sha256,
  };
}

async function openWriter(plan: Plan, before: Figure, resumed: boolean): Promise<RunWriter> {
  const { run, options } = plan;
  const { manifest } = run;
  const writer =
    resumed || options.resume
      ? await resumeRun(options.output)
      : await createRun(
          options.output,
          {
            model: manifest.model,
            layers: manifest.layers,
            classes: manifest.classes,
            inputShape: manifest.inputShape,
            training: { ...manifest.training, prune: recordOf(plan) },
          },
          { overwrite: options.overwrite },
        );
  if (resumed) return writer;
  await copySamples(run, writer);
  await writer.writeSnapshot(
    {
      id: 'before',
      epoch: null,
      step: null,
      metrics: before.value === null ? {} : { testAccuracy: before.value },
    },
    new Map(plan.weights),
  );
  return writer;
}

async function copySamples(run: Run, writer: RunWriter): Promise<void> {
  if (!run.manifest.samples) return;
  const file = join(run.directory, 'samples', 'inputs.npy');
  const inputs = await withFile(file, readNpy).catch((cause) => {
    if ((cause as EpochscopeError).code === 'missing') return null;
    throw cause;
  });
  if (inputs)
    await writer.writeSamples({
      inputs,
      labels: await run.labels(),
      source: run.manifest.samples.source,
    });
}

const idOf = (round: number) => (round === 0 ? 'magnitude' : `round-${String(round).padStart(2, '0')}`);

function infoOf(round: PruneRound): SnapshotInfo {
  const metrics: Record<string, number> = { removed: round.removed.overall };
  const after = round.accuracyAfterRetraining.value ?? round.accuracyAfterRemoval.value;
  if (after !== null) metrics.testAccuracy = after;
  if (round.accuracyAfterRemoval.value !== null)
    metrics.testAccuracyAfterRemoval = round.accuracyAfterRemoval.value;
  if (round.regions) metrics.regionsRemoved = round.regions.removed;
  return {
    id: idOf(round.round),
    // A round is no epoch of the run's training; its name says what it is.
    epoch: null,
    step: null,
    metrics,
  };
}

function describe(plan: Plan, accuracyBefore: Figure): Omit<PruneResult, 'rounds' | 'complete' | 'seconds'> {
  const { run, snapshot, layout, options, retraining, own } = plan;
  return {
    format: RESULT_FORMAT,
    method: 'prune',
    name: options.name ?? 'default',
    tool: toolInfo,
    input: {
      source: basename(resolve(run.directory)),
      sha256: { [`${snapshot.id}/${layout.tensor}`]: plan.sha256 },
    },
    parameters: {
      ...options.prune,
      layer: layout.layer,
      snapshot: snapshot.id,
      stopAfterLoss: options.stopAfterLoss ?? null,
      retraining: own ? { ...retraining } : null,
      data: own ? `${own.data.name} (${own.data.source})` : null,
    },
    seeds: own ? { retraining: retraining.seed } : {},
    layout,
    snapshot: { id: snapshot.id, epoch: snapshot.epoch, step: snapshot.step },
    options: options.prune,
    accuracyBefore,
    weightsBefore: plan.kernel,
  };
}

/** What was asked for, then what the run was trained with, then the paper's setting. */
function retrainingOf({ manifest }: Run, asked: Partial<Retraining>): Retraining {
  const { batchSize, optimizer, learningRate, noise, seed } = (manifest.training ??
    {}) as Partial<Retraining>;
  const given = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
  const how: Retraining = {
    epochs: 5,
    batchSize: batchSize ?? 100,
    optimizer: optimizer ?? 'sgd',
    learningRate: learningRate ?? 0.1,
    noise: noise ?? 0,
    seed: seed ?? 1,
    gradientSamples: 2000,
    ...given,
  };
  // Training refuses these too, but only once a round has been written.
  guard(
    how.learningRate > 0 && Number.isFinite(how.learningRate),
    'argument',
    () => `learning rate: expected a number > 0, got ${how.learningRate}`,
  );
  guard(
    Number.isInteger(how.batchSize) && how.batchSize > 0,
    'argument',
    () => `batch size: expected a whole number > 0, got ${how.batchSize}`,
  );
  return how;
}

function say(
  layout: PictureLayout,
  retraining: Retraining,
  prune: PruneOptions,
  own: PruneNet | null,
  output: Output,
): void {
  const [height, width, channels] = layout.inputShape;
  const unit = layout.kind === 'conv2d' ? 'filters' : 'units';
  const picture = layout.apart
    ? `${channels} maps of ${height}×${width}, regions in each map`
    : `one picture of ${height}×${width}${channels > 1 ? `, ${channels} channels together` : ''} each`;
  output.say(
    `${layout.layer}: ${layout.units} ${unit}, ${picture}; ${prune.rounds} rounds${own ? ` of ${retraining.epochs} epochs (${retraining.optimizer}, ${retraining.learningRate})` : ''}`,
  );
  if (height * width < 25)
    output.warn(
      `pictures of ${height}×${width} are small: most regions will be a weight or two, and region pruning comes near to magnitude pruning`,
    );
}

const percent = (figure: Figure) => (figure.value === null ? '–' : `${(100 * figure.value).toFixed(2)} %`);

/** One round for the terminal. */
function line(round: PruneRound): string {
  const removed = `${(100 * round.removed.overall).toFixed(1)} % removed`;
  return round.regions
    ? `${idOf(round.round)}: ${round.regions.removed} of ${round.regions.before} regions, ${removed}, accuracy ${percent(round.accuracyAfterRemoval)} → ${percent(round.accuracyAfterRetraining)}`
    : `magnitude: ${removed}, accuracy ${percent(round.accuracyAfterRemoval)}`;
}
