import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { readStored } from '../../formats/dtypes.js';
import type { StoredTensor, Tensor } from '../../formats/types.js';
import { layersOfGraph, specOf } from '../../models/graph/spec.js';
import { type Graph, INPUT } from '../../models/graph/types.js';
import { type Place, storeOf } from '../../stores/of.js';
import type { Store } from '../../stores/types.js';
import type { WeightsLink } from '../link.js';
import { readManifest } from '../read.js';
import type { LayerInfo, SnapshotInfo } from '../types.js';
import { createRun, resumeRun } from '../write.js';
import { isAdapter, mergedAdapter } from './adapter.js';
import { type Architecture, graphWith, samplesFor } from './architecture.js';
import { type CanonicalPlan, planWeights, storedByPlan } from './canonical.js';
import { some } from './names.js';
import { describeOutputs, findOutputs, type OutputFile, outputsOfFolder, readOutput } from './outputs.js';
import { storeOfSeries } from './place.js';
import {
  type FoundRun,
  type FoundSnapshot,
  nameOf,
  type RecogniseOptions,
  recogniseRun,
} from './recognise.js';
import { linkTo, readSmall, watchFinite } from './stored.js';
import { cannotRun, type OpenedWeights, openWeights } from './weights.js';

export { type Architecture, graphWith, readArchitecture, samplesFor } from './architecture.js';
export { type Canonical, canonicalWeights } from './canonical.js';
export type { WeightsKind, WeightsPlace } from './places.js';
export { type FoundRun, type FoundSnapshot, type RecogniseOptions, recogniseRun } from './recognise.js';
export { checkWeights, readWeights } from './weights.js';

export interface ImportOptions extends Omit<RecogniseOptions, 'except'> {
  /** Layer outputs by name, from the folder: "epoch_{epoch}/{layer}.npy". */
  outputs?: string;
  /** The samples those outputs are of. */
  labels?: Uint32Array;
  inputs?: Tensor;
  classes?: string[];
  /** The net, where the files do not say it themselves: then outputs can be captured. */
  architecture?: Architecture;
  /** Leave the weights where they are: the run holds an index of them (`weights.json`), and needs their files from then on. */
  link?: boolean;
  /** The net that adapters are added to (PEFT's LoRA): snapshots are the merged weights. Default: the adapters alone. */
  base?: Place;
  /** Go on with a run that was cut off: snapshots that are there are not read again. */
  resume?: boolean;
  /** Leave PyTorch's [out, in, …] as it is. */
  keepLayout?: boolean;
  overwrite?: boolean;
  signal?: AbortSignal;
  onProgress?: (done: number, total: number, path: string) => void;
}

export interface ImportSummary {
  layout: string;
  snapshots: SnapshotInfo[];
  /** Files and folders that could not be read or do not fit, with the reason. */
  leftOut: { path: string; reason: string }[];
  notes: string[];
  tensors: number;
  layers: number;
  /** The run holds its net: layer outputs are computed when they are asked for. */
  net: boolean;
}

export interface PlannedSnapshot extends FoundSnapshot {
  /** Its layer outputs. */
  files: OutputFile[];
}

export interface ImportPlan extends Omit<FoundRun, 'snapshots'> {
  snapshots: PlannedSnapshot[];
}

/** What an import would take: snapshots with their outputs, in order. Opens no weights. Throws `missing`, `argument`. */
export async function planImport(place: Place, options: ImportOptions = {}): Promise<ImportPlan> {
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

/**
 * Writes a run from files that other tools made, in any place (a folder, files dropped on a page, a zip, an http address with an
 * index), one snapshot in memory at a time. A snapshot that cannot be
 * read, or holds other tensors than the first, is left out and named. Throws `missing` where none is left, `format`,
 * `io`, `cancelled`; nothing is written before the first snapshot was read.
 */
export async function importRun(
  place: Place,
  target: Place,
  options: ImportOptions = {},
): Promise<ImportSummary> {
  const plan = await planImport(place, options);
  const { store } = plan;
  const files = plan.snapshots.flatMap((snapshot) => snapshot.files);
  const outputs = await describeOutputs(store, files);
  checkSamples(outputs.samples, options);
  const leftOut: ImportSummary['leftOut'] = [];
  const notes = [...plan.notes];
  const written: SnapshotInfo[] = [];
  let writer: Awaited<ReturnType<typeof createRun>> | null = null;
  let first: { path: string; canonical: CanonicalPlan | null; graph: Graph | null } | null = null;
  const broken: string[] = [];
  let { architecture } = options;
  const doubts = new Set<string>();
  let samples: Tensor | undefined;
  const ids = idsOf(plan.snapshots);
  const sample = options.inputs?.shape.slice(1);
  const from = {
    folder: nameOf(store),
    layout: plan.layout,
    ...(options.revisions === undefined ? {} : { revisions: options.revisions }),
  };
  const there = options.resume ? await snapshotsThere(target, from) : null;
  if (there) writer = await resumeRun(target);
  const base = options.base === undefined ? null : await openBase(options.base, options);
  for (const [i, snapshot] of plan.snapshots.entries()) {
    // The first is described again, so that the others are held against it.
    if (first && there?.has(ids[i]!)) {
      written.push(there.get(ids[i]!)!);
      continue;
    }
    if (options.signal?.aborted)
      throw new EpochscopeError('cancelled', `importing was cancelled before ${snapshot.path}`, {
        path: snapshot.path,
      });
    options.onProgress?.(i, plan.snapshots.length, snapshot.path);
    let canonical: CanonicalPlan | null = null;
    let graph: Graph | null = null;
    let opened: OpenedWeights | null = null;
    let stored = new Map<string, StoredTensor>();
    let link: WeightsLink | null = null;
    try {
      if (snapshot.weights) {
        opened = await openWeights(store, snapshot.weights, sample);
        const { numbers, architecture: own } = opened;
        let { tensors } = opened;
        if (!first) notes.push(...opened.notes);
        if (isAdapter(tensors.keys())) {
          if (base) tensors = await mergedAdapter(store, snapshot.weights.path, tensors, base.tensors);
          else if (!first)
            notes.push('these are adapters alone (LoRA): --base FOLDER adds them to the net they belong to');
        }
        canonical = planWeights(tensors, snapshot.path, options);
        stored = storedByPlan(canonical, tensors);
        if (options.link) link = linkTo(store, snapshot.path, opened, tensors, canonical);
        else stored = await readSmall(stored);
        if (
          numbers.epoch !== undefined &&
          snapshot.epoch !== null &&
          plan.layout !== 'Lightning' &&
          numbers.epoch !== snapshot.epoch
        )
          doubts.add(
            `${snapshot.path} is taken as epoch ${snapshot.epoch}, but says epoch ${numbers.epoch} inside`,
          );
        if (numbers.global_step !== undefined) snapshot.step ??= numbers.global_step;
        if (!first) architecture ??= own ?? undefined;
        if (!first && architecture?.kind === 'onnx') notes.push(...architecture.onnx.notes);
        if (architecture && (!first || first.graph)) {
          try {
            // A net that runs is in memory as a whole.
            graph = graphWith(architecture, await readAll(stored), snapshot.path);
          } catch (cause) {
            if (!(cause instanceof EpochscopeError) || first) throw cause;
            // A net that was asked for is missed only where it cannot run; weights that do not fit it are an error.
            if (options.architecture && (architecture.kind === 'onnx' || cause.code !== 'unsupported'))
              throw cause;
            notes.push(cannotRun(cause));
            architecture = undefined;
          }
        }
      }
      if (first) checkAlike(first.canonical, canonical, snapshot.path);
    } catch (cause) {
      if (!(cause instanceof EpochscopeError) || cause.code === 'internal') throw cause;
      await opened?.close();
      leftOut.push({ path: snapshot.path, reason: cause.message });
      continue;
    }
    first ??= { path: snapshot.path, canonical, graph };
    const inputs = options.inputs && graph ? samplesFor(options.inputs, graph.inputShape) : options.inputs;
    writer ??= await createRun(
      target,
      {
        model: graph ? { ...specOf(graph, inputs && isBytes(inputs, graph) ? 255 : 1) } : null,
        layers: mergeLayers(graph ? layersOfGraph(graph) : (canonical?.layers ?? []), outputs.layers),
        classes: classesOf(options),
        inputShape: graph?.inputShape ?? inputs?.shape.slice(1) ?? null,
        training: { importedFrom: from },
      },
      { overwrite: options.overwrite },
    );
    const info: SnapshotInfo = {
      // A number inside the file may be all there is.
      id: ids[i] === 'final' ? idsOf([snapshot])[0]! : ids[i]!,
      epoch: snapshot.epoch,
      step: snapshot.step,
      metrics: snapshot.metrics,
    };
    if (there?.has(info.id)) {
      await opened?.close();
      written.push(info);
      continue;
    }
    const captured = new Map<string, Tensor>();
    for (const file of snapshot.files) captured.set(file.layer, await readOutput(store, file.path));
    const bad = new Map<string, number>();
    try {
      await writer.writeSnapshot(
        info,
        link ??
          new Map<string, Tensor | StoredTensor>([...watchFinite(stored, bad), ...ownOf(graph, stored)]),
        captured,
      );
    } catch (cause) {
      // A large file turns out to be damaged while it is copied.
      if (!(cause instanceof EpochscopeError) || cause.code !== 'format' || !i) throw cause;
      leftOut.push({ path: snapshot.path, reason: cause.message });
      continue;
    } finally {
      await opened?.close();
    }
    if (bad.size)
      broken.push(
        `${info.id} holds ${[...bad.values()].reduce((a, b) => a + b)} values that are no finite numbers, in ${some([...bad.keys()])}`,
      );
    samples ??= inputs;
    written.push(info);
  }
  await base?.close();
  if (!writer || !first) {
    const reasons = leftOut.map(({ reason }) => reason);
    throw new EpochscopeError(
      'missing',
      `${store.name}: no snapshot could be read: ${reasons[0] ?? 'there is none'}`,
      {
        path: store.name,
      },
    );
  }
  if (options.inputs || options.labels)
    await writer.writeSamples({
      inputs: samples ?? null,
      labels: options.labels ?? null,
      source: nameOf(store),
    });
  await writer.finish();
  options.onProgress?.(plan.snapshots.length, plan.snapshots.length, '');
  const { canonical } = first;
  if (canonical?.transposed)
    notes.push(
      `${canonical.transposed} PyTorch kernels were turned to [inputs, units] and [height, width, in, out]`,
    );
  if (canonical?.masked)
    notes.push(
      `${canonical.masked} pruned weights are taken as what they compute: weight_orig · weight_mask`,
    );
  notes.push(...(broken.length > 6 ? [...broken.slice(0, 5), `… (${broken.length} snapshots)`] : broken));
  if (options.link)
    notes.push(
      'the weights stay where they are and were not read: this run needs their files; info --check looks at them',
    );
  if (canonical?.skipped.length) notes.push(`left out, being whole numbers: ${some(canonical.skipped)}`);
  return {
    layout: plan.layout,
    snapshots: written,
    leftOut,
    notes: [...notes, ...doubts],
    tensors: canonical?.recipes.size ?? 0,
    net: Boolean(first.graph),
    layers: first.graph
      ? first.graph.nodes.length
      : new Set([...(canonical?.layers ?? []), ...outputs.layers].map(({ name }) => name)).size,
  };
}

/** The one net of a place. Throws `argument` where there are several snapshots. */
async function openBase(place: Place, { hub }: ImportOptions): Promise<OpenedWeights> {
  const { store, snapshots } = await planImport(place, { hub });
  const [only] = snapshots;
  guard(
    snapshots.length === 1 && only?.weights,
    'argument',
    () => `${store.name}: expected the one net that adapters are added to, got ${snapshots.length} snapshots`,
    { path: store.name },
  );
  return openWeights(store, only.weights);
}

/** What a run that was cut off holds already, by id; null where there is none. Throws `argument` for one of another series. */
async function snapshotsThere(
  target: Place,
  from: Record<string, string>,
): Promise<Map<string, SnapshotInfo> | null> {
  const store = await storeOf(target);
  if (!(await store.has('run.json'))) return null;
  const { training, snapshots } = await readManifest(store);
  guard(
    JSON.stringify(training?.importedFrom) === JSON.stringify(from),
    'argument',
    () =>
      `${store.name} holds a run that was not imported from ${from.folder}; choose another folder, or --overwrite it`,
    { path: store.name },
  );
  const kept = new Map<string, SnapshotInfo>();
  for (const info of snapshots)
    for (const file of ['weights.safetensors', 'weights.json'])
      if (await store.has(`snapshots/${info.id}/${file}`)) kept.set(info.id, info);
  return kept;
}

async function readAll(stored: ReadonlyMap<string, StoredTensor>): Promise<Map<string, Tensor>> {
  const tensors = new Map<string, Tensor>();
  for (const [name, tensor] of stored) tensors.set(name, await readStored(tensor));
  return tensors;
}

/** Tensors of the net that the file does not hold in that form. */
const ownOf = (graph: Graph | null, stored: ReadonlyMap<string, StoredTensor>) =>
  [...(graph?.weights ?? [])].filter(([name]) => !stored.has(name));

/** Pixels are divided by 255; token ids are not. */
const isBytes = (inputs: Tensor, graph: Graph): boolean =>
  inputs.data instanceof Uint8Array &&
  !graph.nodes.some(({ kind, inputs: [from] }) => kind === 'embedding' && from === INPUT);

function checkSamples(samples: number | null, { labels, inputs }: ImportOptions): void {
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

function classesOf({ classes, labels }: ImportOptions): string[] | null {
  if (classes || !labels?.length) return classes ?? null;
  const largest = labels.reduce((a, b) => Math.max(a, b), 0);
  guard(largest < 10_000, 'argument', () => `labels: expected classes 0 … 9999, got ${largest}`, {
    got: largest,
  });
  return Array.from({ length: largest + 1 }, (_, i) => String(i));
}

/** Layers with outputs come last, in their order: that is where readers look for predictions. */
function mergeLayers(weights: readonly LayerInfo[], outputs: readonly LayerInfo[]): LayerInfo[] {
  const named = new Map(weights.map((layer) => [layer.name, layer]));
  return [
    ...weights.filter(({ name }) => !outputs.some((layer) => layer.name === name)),
    ...outputs.map((layer) => {
      const own = named.get(layer.name);
      return own ? { ...own, shape: layer.shape } : layer;
    }),
  ];
}

/** Throws unless both hold the same names with the same shapes. */
function checkAlike(first: CanonicalPlan | null, other: CanonicalPlan | null, path: string): void {
  const fail: (message: string) => never = (message) => {
    throw new EpochscopeError('shape', `${path}: ${message}`, { path });
  };
  if (!first && !other) return;
  if (!first || !other) fail(`has ${first ? 'no weights' : 'weights'}, unlike the first snapshot`);
  const gone = [...first.recipes.keys()].filter((name) => !other.recipes.has(name));
  const added = [...other.recipes.keys()].filter((name) => !first.recipes.has(name));
  if (gone.length) fail(`has no tensor ${some(gone)}, which the first snapshot has`);
  if (added.length) fail(`has tensors that the first snapshot lacks: ${some(added)}`);
  for (const [name, { shape }] of first.recipes) {
    const got = other.recipes.get(name)!.shape;
    if (shape.join() !== got.join()) fail(`tensor ${name} is [${got}], and [${shape}] in the first snapshot`);
  }
}
