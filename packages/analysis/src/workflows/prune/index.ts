import { guard } from '@epochscope/core-wasm';
import { elementCount, toFloat32 } from '../../formats/dtypes.js';
import type { Tensor } from '../../formats/types.js';
import {
  asPictures,
  magnitudeMask,
  type PictureLayout,
  type PruneOptions,
  type PruneResult,
  type PruneRound,
  pictureLayout,
  pruneRounds,
  unitsLayout,
} from '../../methods/prune/index.js';
import { isGraphSpec } from '../../models/graph/index.js';
import { type Figure, RESULT_FORMAT } from '../../results/types.js';
import type { Run } from '../../run/types.js';
import { toolInfo } from '../../version.js';
import { inputOfResult, PlanInput } from '../input.js';
import { keyOf, sha256 } from '../keys.js';
import { runWorkflow, type WorkflowOptions } from '../run.js';
import { placeOf } from '../select.js';
import { trainingData, trainingPlace } from '../training-data.js';
import { type Part, PLAN_FORMAT, type Plan, type Workflow } from '../types.js';
import { importedTarget } from './imported.js';
import { openNet, targetOf, weightsAfter } from './net.js';
import {
  methodOptions,
  type PruneRunOptions,
  pruneOptions,
  type Retraining,
  retrainingOf,
} from './options.js';

export { PRUNE_DEFAULTS, type PruneRunOptions, type Retraining } from './options.js';

/** One round: 0 is the magnitude step. */
interface RoundTask {
  round: number;
  /** The round before; null for the first. */
  before: string | null;
  snapshot: string;
  layout: PictureLayout;
  prune: PruneOptions;
  retraining: Retraining;
  /** Where the training data lies; null: the run does not say which net made it. */
  data: string | null;
  stopAfterLoss: number | null;
}

/** What a round leaves. */
export interface PrunedRound {
  /** null: pruning had ended before. */
  round: PruneRound | null;
  accuracyBefore: Figure;
  /** The whole net after the round; empty where it had ended before. */
  weights: Record<string, { data: Float32Array; shape: readonly number[] }>;
}

/** What the plan found out. */
interface Facts {
  layout: PictureLayout;
  retraining: Retraining | null;
  data: string | null;
  dataName: string | null;
}

/** Magnitude pruning, then regions and retraining, round by round (methods/prune): a part a round, each after the one before. */
export const pruneWorkflow: Workflow<PruneRunOptions, RoundTask, PrunedRound, PruneResult> = {
  method: 'prune',

  async plan(run, given, context) {
    const options = pruneOptions(given);
    const { manifest, store } = run;
    const snapshot = run.snapshot(options.snapshot);
    const weights = await run.weights(snapshot.id);
    const shapeOf = (tensor: string) => weights.get(tensor)?.shape;
    const imported = isGraphSpec(manifest.model);
    const layout =
      options.units === 'region'
        ? pictureLayout(manifest.layers, manifest.inputShape, shapeOf, options.layer ?? undefined)
        : unitsLayout(
            manifest.layers,
            isGraphSpec(manifest.model) ? manifest.model.nodes : null,
            shapeOf,
            options.units,
            options.layer ?? undefined,
          );
    guard(
      !imported || options.data === null,
      'unsupported',
      () =>
        `${store.name} holds an imported net, whose training is not known: it is not retrained here; leave out the data`,
      { path: store.name },
    );
    // Refuses rates and numbers before any work.
    magnitudeMask(kernelOf(weights, layout, `${store.name}, snapshot ${snapshot.id}`), options.magnitude);
    const place = manifest.model && !imported ? trainingPlace(run, options.data) : null;
    const data = place === null ? null : await trainingData(run, place, options.data, context.dataset);
    guard(
      options.ranking !== 'loss' || options.rounds === 0 || data,
      'argument',
      'ranking by loss needs the gradient of the loss, which this network cannot give',
    );
    const retraining = retrainingOf(manifest, options.retraining);
    const input = new PlanInput(run);
    const { rounds: _, ...prune } = methodOptions(options);
    const decides = {
      weights: await input.weights(snapshot.id),
      model: manifest.model,
      layout,
      prune,
      retraining: data && retraining,
      data: data && sha256(data.train.images, data.train.labels, data.test.images, data.test.labels),
      stopAfterLoss: options.stopAfterLoss,
      ...(imported ? { inputs: await input.inputs(), labels: await input.labels() } : {}),
    };
    const size = [...weights.values()].reduce((sum, { shape }) => sum + elementCount(shape), 0);
    const parts: Part<RoundTask>[] = [];
    for (let round = 0; round <= options.rounds; round++) {
      const before = parts.at(-1)?.key ?? null;
      parts.push({
        key: keyOf('prune', { ...decides, round, before }),
        stage: `Pruning ${layout.layer}`,
        title: round === 0 ? 'magnitude' : `round ${round} of ${options.rounds}`,
        after: before === null ? [] : [before],
        memory:
          4 * 8 * size +
          (data ? (data.train.images.length + data.test.images.length) * 2 : 0) +
          20 * elementCount([...layout.inputShape, layout.units]),
        work: round === 0 || !data || !retraining.epochs ? 1 : 10 * retraining.epochs,
        task: {
          round,
          before,
          snapshot: snapshot.id,
          layout,
          prune: methodOptions(options),
          retraining,
          data: place,
          stopAfterLoss: options.stopAfterLoss,
        },
      });
    }
    const facts: Facts = {
      layout,
      retraining: data && retraining,
      data: place,
      dataName: data && `${data.name} (${data.source})`,
    };
    return {
      format: PLAN_FORMAT,
      method: 'prune',
      tool: toolInfo,
      options: { ...options, snapshot: snapshot.id, layer: layout.layer, retraining },
      input: input.plan(),
      parts,
      hint: 'take another layer',
      notes: notesOf(store.name, options.rounds, facts, imported),
      facts: { ...facts },
    };
  },

  async compute({ task }, context) {
    const { run, reads, engine, signal } = context;
    const { layout, prune, round: wanted, retraining, stopAfterLoss } = task;
    const original = await run.weights(task.snapshot, { reads });
    const kernel = kernelOf(original, layout, run.store.name);
    const before = task.before === null ? null : await context.output<PrunedRound>(task.before);
    if (before && (!before.round || fellBelow(before.round, before.accuracyBefore, stopAfterLoss)))
      return { round: null, accuracyBefore: before.accuracyBefore, weights: {} };
    const weights = before ? tensorsOf(before.weights) : original;
    const own =
      task.data === null
        ? null
        : await openNet(context, weights, await trainingData(run, task.data, task.data, context.dataset));
    const target = isGraphSpec(run.manifest.model)
      ? importedTarget(run, layout, kernel, original)
      : targetOf(layout, kernel, own, retraining, context);
    const accuracyBefore = before?.accuracyBefore ?? (await target.evaluate(kernel));
    const rounds = pruneRounds(
      target,
      engine,
      { ...prune, rounds: wanted, signal },
      before?.round ?? undefined,
    );
    const { value: round } = await rounds.next();
    await rounds.return(undefined as never);
    return {
      round: round as PruneRound,
      accuracyBefore,
      weights: Object.fromEntries(
        [...weightsAfter(own, original, layout, (round as PruneRound).weights)].map(
          ([name, { data, shape }]) => [name, { data: data as Float32Array, shape: [...shape] }],
        ),
      ),
    };
  },

  async join(plan, { run, output, seconds, reads }) {
    const done: PrunedRound[] = [];
    for (const { key } of plan.parts) done.push(await output(key));
    return {
      ...(await pruneResult(plan, run, done)),
      input: await inputOfResult(plan, run, reads),
      seconds,
      complete: true,
    };
  },
};

/** The result of the rounds so far. */
export async function pruneResult(
  plan: Plan<PruneRunOptions>,
  run: Run,
  done: readonly Pick<PrunedRound, 'round' | 'accuracyBefore'>[],
): Promise<PruneResult> {
  const { options } = plan;
  const { layout, retraining, dataName } = plan.facts as unknown as Facts;
  const prune = methodOptions(options);
  const snapshot = run.snapshot(options.snapshot);
  return {
    format: RESULT_FORMAT,
    method: 'prune',
    name: options.name,
    tool: toolInfo,
    input: await inputOfResult(plan, run, {}),
    parameters: {
      ...prune,
      layer: layout.layer,
      snapshot: snapshot.id,
      stopAfterLoss: options.stopAfterLoss,
      retraining: retraining && { ...retraining },
      data: dataName,
    },
    seeds: retraining ? { retraining: retraining.seed } : {},
    seconds: 0,
    layout,
    snapshot: placeOf(snapshot),
    options: prune,
    accuracyBefore: done[0]?.accuracyBefore ?? { value: null, reason: 'no round has been computed' },
    weightsBefore: kernelOf(await run.weights(snapshot.id), layout, run.store.name),
    rounds: done.flatMap(({ round }) => round ?? []),
    complete: false,
  };
}

/**
 * Prunes one layer of a run's snapshot round by round (`methods/prune`) and answers the result; nothing is written. `prunedRun` writes a run of
 * it. Throws `argument`, `missing`, `not-finite`, `cancelled`.
 */
export const pruneOfRun = (
  run: Run,
  options: Partial<PruneRunOptions> = {},
  how: WorkflowOptions = {},
): Promise<PruneResult> => runWorkflow(pruneWorkflow, run, options, how);

export const tensorsOf = (weights: PrunedRound['weights']): Map<string, Tensor> =>
  new Map(
    Object.entries(weights).map(([name, { data, shape }]) => [name, { data, shape, dtype: 'float32' }]),
  );

/** Whether a round's net is less accurate than the one before pruning by more than `loss`. */
function fellBelow(round: PruneRound, before: Figure, loss: number | null): boolean {
  const now = round.accuracyAfterRetraining.value;
  return loss !== null && now !== null && before.value !== null && now < before.value - loss;
}

/** The layer's weights. Throws `format` unless they are float32. */
function kernelOf(weights: ReadonlyMap<string, Tensor>, layout: PictureLayout, where: string): Float32Array {
  const tensor = weights.get(layout.tensor)!;
  guard(
    /float/.test(tensor.dtype),
    'format',
    () => `${where}: tensor ${layout.tensor}: expected float32, got ${tensor.dtype}`,
    { tensor: layout.tensor, got: tensor.dtype },
  );
  return asPictures(toFloat32(tensor.data), layout);
}

function notesOf(where: string, rounds: number, { layout, retraining }: Facts, imported: boolean): string[] {
  const whole = layout.kind === 'unit' || layout.kind === 'head';
  const [height, width, channels] = layout.inputShape;
  const unit = layout.kind === 'conv2d' ? 'filters' : layout.kind === 'head' ? 'heads' : 'units';
  const picture = whole
    ? `each of ${height}×${width} weights that read it`
    : layout.apart
      ? `${channels} maps of ${height}×${width}, regions in each map`
      : `one picture of ${height}×${width}${channels > 1 ? `, ${channels} channels together` : ''} each`;
  return [
    ...(retraining
      ? []
      : [
          imported
            ? `${where} holds an imported net: its accuracy is that on the run's own samples, and it is not retrained`
            : `${where} does not say which net made it: the weights are pruned, with no accuracy and no retraining`,
        ]),
    `${layout.layer}: ${layout.units} ${unit}, ${picture}; ${rounds} rounds${retraining ? ` of ${retraining.epochs} epochs (${retraining.optimizer}, ${retraining.learningRate})` : ''}`,
    ...(height * width < 25 && !whole
      ? [
          `pictures of ${height}×${width} are small: most regions will be a weight or two, and region pruning comes near to magnitude pruning`,
        ]
      : []),
  ];
}
