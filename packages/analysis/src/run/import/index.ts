import { EpochscopeError, guard } from '@epochscope/core-wasm';
import type { Tensor } from '../../formats/types.js';
import { type Graph, INPUT } from '../../models/graph/types.js';
import type { Place } from '../../stores/of.js';
import type { Store } from '../../stores/types.js';
import type { LayerInfo } from '../types.js';
import { some } from './names.js';
import { findOutputs, type OutputFile, outputsOfFolder } from './outputs.js';
import { storeOfSeries } from './place.js';
import { type FoundRun, type FoundSnapshot, type RecogniseOptions, recogniseRun } from './recognise.js';

export {
  type Architecture,
  graphWith,
  readArchitecture,
  samplesFor,
  sourcesIn,
  torchTensors,
} from './architecture.js';
export { canonicalWeights } from './canonical.js';
export { storeOfSeries } from './place.js';
export type { WeightsKind, WeightsPlace } from './places.js';
export { type FoundRun, type FoundSnapshot, type RecogniseOptions, recogniseRun } from './recognise.js';
export type { TensorSource, TensorSources, TorchTensors } from './sources.js';
export { checkWeights, readWeights } from './weights.js';

export interface FindOptions extends Omit<RecogniseOptions, 'except'> {
  /** Layer outputs by name, from the folder: "epoch_{epoch}/{layer}.npy". */
  outputs?: string;
}

/** The samples that outputs are of. */
export interface ImportedSamples {
  labels?: Uint32Array;
  inputs?: Tensor;
}

export interface PlannedSnapshot extends FoundSnapshot {
  /** Its layer outputs. */
  files: OutputFile[];
}

export interface ImportPlan extends Omit<FoundRun, 'snapshots'> {
  snapshots: PlannedSnapshot[];
}

/** What an import would take: snapshots with their outputs, in order. Opens no weights. Throws `missing`, `argument`. */
export async function planImport(place: Place, options: FindOptions = {}): Promise<ImportPlan> {
  const store = await storeOfSeries(place, options);
  const matched = options.outputs ? await findOutputs(store, options.outputs) : [];
  const except = new Set(matched.map(({ path }) => path));
  let found: FoundRun;
  try {
    found = await recogniseRun(store, { ...options, except });
  } catch (cause) {
    if (!matched.length || !(cause instanceof EpochscopeError) || cause.code !== 'missing') throw cause;
    found = { store, layout: 'layer outputs', snapshots: [], series: [], notes: [] };
  }
  const planned: PlannedSnapshot[] = [];
  for (const snapshot of found.snapshots)
    planned.push({
      ...snapshot,
      files: snapshot.outputs ? await outputsOfFolder(store, snapshot.outputs) : [],
    });
  for (const file of matched) {
    const key = file.epoch !== null ? 'epoch' : 'step';
    let home = planned.find((snapshot) => snapshot[key] === file[key]);
    if (!home) {
      home = {
        epoch: file.epoch,
        step: file.step,
        metrics: {},
        path: file.path,
        weights: null,
        outputs: null,
        files: [],
      };
      planned.push(home);
    }
    home.files.push(file);
  }
  const order = (s: PlannedSnapshot) => s.epoch ?? s.step ?? 0;
  if (matched.length) planned.sort((a, b) => order(a) - order(b));
  const told = (store as Store & { notes?: readonly string[] }).notes ?? [];
  return { ...found, snapshots: planned, notes: [...told, ...found.notes] };
}

const epochId = (epoch: number) => `epoch-${String(epoch).padStart(4, '0')}`;
const stepId = (step: number) => `step-${String(step).padStart(8, '0')}`;

/** Names of the snapshots' folders, of one form for all but the first, untrained one: by epoch, by step, or by both. */
export function idsOf(snapshots: readonly Pick<FoundSnapshot, 'epoch' | 'step'>[]): string[] {
  const distinct = (values: readonly (number | null)[]) =>
    values.every((value) => value !== null && Number.isInteger(value)) &&
    new Set(values).size === values.length;
  const epochs = snapshots.map(({ epoch }) => epoch);
  const steps = snapshots.map(({ step }) => step);
  if (distinct(epochs)) return epochs.map((epoch) => (epoch! > 0 ? epochId(epoch!) : 'init'));
  if (distinct(steps)) return steps.map((step) => (step! > 0 ? stepId(step!) : 'init'));
  return snapshots.map(({ epoch, step }) =>
    epoch !== null && step !== null
      ? `${epochId(epoch)}-${stepId(step)}`
      : epoch !== null
        ? epoch === 0
          ? 'init'
          : epochId(epoch)
        : step !== null
          ? stepId(step)
          : 'final',
  );
}

/** Pixels are divided by 255; token ids are not. */
export const isBytes = (inputs: Tensor, graph: Graph): boolean =>
  inputs.data instanceof Uint8Array &&
  !graph.nodes.some(({ kind, inputs: [from] }) => kind === 'embedding' && from === INPUT);

export function checkSamples(samples: number | null, { labels, inputs }: ImportedSamples): void {
  const counts = [
    ['layer outputs', samples],
    ['labels', labels?.length ?? null],
    ['inputs', inputs?.shape[0] ?? null],
  ].filter((pair): pair is [string, number] => pair[1] !== null);
  const [one, other] = [counts[0], counts.find(([, count]) => count !== counts[0]![1])];
  guard(
    !other,
    'shape',
    () => `${one![1]} samples of ${one![0]} need as many ${other![0]}, got ${other![1]}`,
    {
      expected: one?.[1],
      got: other?.[1],
    },
  );
}

export function classesOf(
  classes: readonly string[] | null,
  labels: Uint32Array | undefined,
): string[] | null {
  if (classes || !labels?.length) return classes && [...classes];
  const largest = labels.reduce((a, b) => Math.max(a, b), 0);
  guard(largest < 10_000, 'argument', () => `labels: expected classes 0 … 9999, got ${largest}`, {
    got: largest,
  });
  return Array.from({ length: largest + 1 }, (_, i) => String(i));
}

/** Layers with outputs come last, in their order: that is where readers look for predictions. */
export function mergeLayers(weights: readonly LayerInfo[], outputs: readonly LayerInfo[]): LayerInfo[] {
  const named = new Map(weights.map((layer) => [layer.name, layer]));
  return [
    ...weights.filter(({ name }) => !outputs.some((layer) => layer.name === name)),
    ...outputs.map((layer) => {
      const own = named.get(layer.name);
      return own ? { ...own, shape: layer.shape } : layer;
    }),
  ];
}

/** A tensor's name and shape. */
export type Shape = readonly [name: string, shape: readonly number[]];

/** Throws unless both hold the same names with the same shapes. */
export function checkAlike(
  first: readonly Shape[] | null,
  other: readonly Shape[] | null,
  path: string,
): void {
  const fail: (message: string) => never = (message) => {
    throw new EpochscopeError('shape', `${path}: ${message}`, { path });
  };
  if (!first && !other) return;
  if (!first || !other) fail(`has ${first ? 'no weights' : 'weights'}, unlike the first snapshot`);
  const named = new Map(first);
  const others = new Map(other);
  const gone = [...named.keys()].filter((name) => !others.has(name));
  const added = [...others.keys()].filter((name) => !named.has(name));
  if (gone.length) fail(`has no tensor ${some(gone)}, which the first snapshot has`);
  if (added.length) fail(`has tensors that the first snapshot lacks: ${some(added)}`);
  for (const [name, shape] of named) {
    const got = others.get(name)!;
    if (shape.join() !== got.join()) fail(`tensor ${name} is [${got}], and [${shape}] in the first snapshot`);
  }
}
