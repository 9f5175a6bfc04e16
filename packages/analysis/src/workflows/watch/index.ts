import { guard } from '@epochscope/core-wasm';
import { elementCount } from '../../formats/dtypes.js';
import { type DifferenceSide, differenceSide, distanceOf } from '../../methods/difference/index.js';
import { FEWEST_SAMPLES, findBlocks } from '../../methods/tendency/blocks.js';
import { vatOf } from '../../methods/tendency/space.js';
import {
  alarmText,
  deadShare,
  figureName,
  parseRule,
  type Rule,
  type WatchResult,
  whereHolds,
} from '../../methods/watch/index.js';
import { isActivation } from '../../models/graph/index.js';
import { type Figure, RESULT_FORMAT } from '../../results/types.js';
import type { Run, SnapshotInfo } from '../../run/types.js';
import { toolInfo } from '../../version.js';
import { shownValue } from '../arguments.js';
import {
  type CaptureOutput,
  type CaptureTask,
  captureParts,
  computeCapture,
  nameOfOutputs,
} from '../capture/parts.js';
import { inputOfResult, PlanInput } from '../input.js';
import { keyOf } from '../keys.js';
import { plainInput, tensorAt } from '../plain-input.js';
import { runWorkflow, type WorkflowOptions } from '../run.js';
import { chooseSnapshots, chosenSamples, placeOf, withDefaults } from '../select.js';
import { type Part, PLAN_FORMAT, type Workflow } from '../types.js';

export interface WatchRunOptions {
  /** As `parseRule` reads them. */
  rules: readonly string[];
  /** The first so many samples; null: all. */
  samples: number | null;
  /** Rules do not hold at the first so many snapshots: a net before training has no blocks. */
  after: number;
  /** Draws the samples that scales of differences are taken over, where they are many. */
  seed: number;
  /** Of the result. */
  name: string;
}

export const WATCH_DEFAULTS: WatchRunOptions = {
  rules: [],
  samples: 1000,
  after: 1,
  seed: 1,
  name: 'default',
};

/** What rules need of one layer at one snapshot. */
interface LayerTask {
  kind: 'layer';
  snapshot: Pick<SnapshotInfo, 'id' | 'epoch' | 'step'>;
  layer: string;
  captures: readonly string[];
  samples: number | null;
  seed: number;
  blocks: boolean;
  difference: boolean;
  dead: boolean;
}
interface LayerFigures {
  blocks: { count: Figure; share: Figure } | null;
  side: DifferenceSide | null;
  dead: Figure | null;
}

/** Rules on the snapshots of a run (`methods/watch`), a part for each layer at each snapshot: those kept from before are not computed again. */
export const watchWorkflow: Workflow<
  WatchRunOptions,
  CaptureTask | LayerTask,
  CaptureOutput | LayerFigures,
  WatchResult
> = {
  method: 'watch',

  async plan(run, given) {
    const options = withDefaults('watch', WATCH_DEFAULTS, given);
    guard(
      Array.isArray(options.rules) && options.rules.every((rule) => typeof rule === 'string'),
      'argument',
      () => `watch: rules: expected a list of texts, got ${shownValue(options.rules)}`,
    );
    guard(options.rules.length > 0, 'argument', () => 'watch: rules: expected at least one');
    const rules = options.rules.map(parseRule);
    guard(
      Number.isInteger(options.after) && options.after >= 0,
      'argument',
      () => `watch: after: expected an integer ≥ 0, got ${options.after}`,
      { got: options.after },
    );
    const { manifest, store } = run;
    checkMetrics(run, rules);
    const needs = rules.flatMap((rule) =>
      layersOf(run, rule).map((layer) => ({ layer, figure: rule.figure })),
    );
    const layers = [...new Set(needs.map(({ layer }) => layer))];
    for (const layer of layers) run.layer(layer);
    const input = new PlanInput(run);
    const parts: Part<CaptureTask | LayerTask>[] = [];
    const chosen = manifest.samples && chosenSamples(options.samples, manifest.samples.count);
    for (const snapshot of layers.length ? chooseSnapshots(run, ['all']) : []) {
      const captures = await captureParts(run, input, [snapshot.id], layers);
      parts.push(...captures.parts);
      for (const layer of layers) {
        const of = (figure: Rule['figure']) =>
          needs.some((need) => need.layer === layer && need.figure === figure);
        const task: LayerTask = {
          kind: 'layer',
          snapshot: placeOf(snapshot),
          layer,
          captures: captures.of(snapshot.id, layer),
          samples: options.samples,
          seed: options.seed,
          blocks: of('block count') || of('share in no block'),
          difference: of('difference to the last snapshot'),
          dead: of('dead units'),
        };
        const n =
          chosen?.length ?? manifest.samples?.count ?? (await run.outputCount(snapshot.id, layer)) ?? 0;
        const d = elementCount(run.layer(layer).shape);
        parts.push({
          key: keyOf('watch', {
            ...task,
            captures: [],
            outputs: input.needed(
              await input.outputs(snapshot.id, run.layer(layer).name),
              `outputs of layer ${layer} at snapshot ${snapshot.id}`,
            ),
          }),
          stage: 'Rules',
          title: `${snapshot.id} ${layer}`,
          after: task.captures,
          memory: 4 * n * (3 * d + 170) + 68e6,
          work: Math.max(1, n * n * d),
          task,
        });
      }
    }
    return {
      format: PLAN_FORMAT,
      method: 'watch',
      tool: toolInfo,
      options,
      input: { ...input.plan(), source: input.plan().source || store.name },
      parts,
      hint: 'take fewer samples',
      notes: [],
    };
  },

  async compute(part, context) {
    const { task } = part;
    if (task.kind === 'capture') return computeCapture(part as Part<CaptureTask>, context);
    const { run, engine, signal } = context;
    const { layer, snapshot, samples, seed } = task;
    const tensor = await tensorAt(task, samples, context);
    const name = nameOfOutputs(run, snapshot.id, layer);
    const given = await plainInput(tensor, { snapshot, layer, name }, 'euclidean');
    const n = given.outputs.shape[0];
    let blocks: LayerFigures['blocks'] = null;
    if (task.blocks) {
      const { weights } = await vatOf(engine, given, 'euclidean', { signal });
      const found = findBlocks(weights, n, { bySize: false });
      const few = n < FEWEST_SAMPLES ? ({ value: null, reason: found.reason! } as const) : null;
      blocks = { count: few ?? { value: found.count }, share: few ?? { value: found.shareInNone } };
    }
    return {
      blocks,
      side: task.difference
        ? await differenceSide(engine, given, run.name, { metric: 'euclidean', seed, signal })
        : null,
      dead: task.dead ? deadShare(tensor.data, n, run.layer(layer).shape) : null,
    };
  },

  async join(plan, { run, output, seconds, reads }) {
    const { rules, samples, after, seed, name } = plan.options;
    const snapshots = run.manifest.snapshots.map(placeOf);
    const figures = new Map<string, LayerFigures>();
    for (const { key, task } of plan.parts)
      if (task.kind === 'layer') figures.set(`${task.snapshot.id}\n${task.layer}`, await output(key));
    const at = (s: number, layer: string) => figures.get(`${snapshots[s]?.id}\n${layer}`)!;
    const judged = rules.map((text): WatchResult['rules'][number] => {
      const rule = parseRule(text);
      const layers = layersOf(run, rule);
      const values = snapshots.map((_, s): Figure => {
        if (typeof rule.figure === 'object') {
          const value = run.manifest.snapshots[s]!.metrics[rule.figure.metric];
          return value === undefined ? { value: null, reason: 'not recorded' } : { value };
        }
        if (rule.figure === 'dead units') {
          const all = layers.map((layer) => at(s, layer).dead!);
          return (
            all.find(({ value }) => value === null) ?? { value: Math.max(...all.map(({ value }) => value!)) }
          );
        }
        const here = at(s, layers[0]!);
        if (rule.figure === 'block count') return here.blocks!.count;
        if (rule.figure === 'share in no block') return here.blocks!.share;
        return s === 0
          ? { value: null, reason: 'the first snapshot' }
          : distanceOf(at(s - 1, layers[0]!).side!, here.side!);
      });
      const figure = figureName(rule.figure, layers.length === 1 ? layers[0]! : rule.layer);
      return { ...rule, figure, values, holds: whereHolds(rule, values).filter((s) => s >= after) };
    });
    const alarms = snapshots.flatMap(({ id }, s) =>
      judged
        // Where it begins to hold: it is said once.
        .filter(({ holds }) => holds.includes(s) && !holds.includes(s - 1))
        .map((rule) => ({ rule: rule.text, snapshot: id, text: alarmText(rule, rule.values, s, id) })),
    );
    const count = run.manifest.samples?.count ?? 0;
    return {
      format: RESULT_FORMAT,
      method: 'watch',
      name,
      tool: toolInfo,
      input: await inputOfResult(plan, run, reads),
      parameters: { rules, samples, after },
      seeds: { analysis: seed },
      seconds,
      samples: { count: samples === null ? count : Math.min(samples, count) },
      snapshots,
      rules: judged,
      alarms,
    };
  },
};

/**
 * Judges rules on all snapshots that a run has by now. Throws `argument` for a rule that cannot be read, `missing` for layers, metrics of a
 * complete run, and snapshots that are not there, `unsupported`, `memory`, `cancelled`.
 */
export const watchRun = (
  run: Run,
  options: Partial<WatchRunOptions> = {},
  how: WorkflowOptions = {},
): Promise<WatchResult> => runWorkflow(watchWorkflow, run, options, how);

/** The layers that a rule looks at. */
function layersOf({ manifest: { layers }, store }: Run, { figure, layer }: Rule): string[] {
  if (typeof figure === 'object') return [];
  if (layer !== null) return [layer];
  const last = layers.at(-1);
  guard(last, 'missing', () => `${store.name} names no layer`, { path: store.name });
  if (figure !== 'dead units') return [last.name];
  const active = layers.filter(({ kind }) => isActivation(kind));
  return (active.length ? active : [last]).map(({ name }) => name);
}

/** A metric may come with later snapshots; of a complete run none will. */
function checkMetrics({ manifest: { snapshots, complete }, store }: Run, rules: readonly Rule[]): void {
  const known = new Set(snapshots.flatMap(({ metrics }) => Object.keys(metrics)));
  for (const { figure, text } of rules)
    guard(
      typeof figure !== 'object' || !complete || known.has(figure.metric),
      'missing',
      () =>
        `rule "${text}": ${store.name} recorded no ${(figure as { metric: string }).metric}; it recorded ${[...known].join(', ') || 'no metrics'}`,
      { rule: text },
    );
}
