import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { readStored } from '../../formats/dtypes.js';
import type { StoredTensor, Tensor } from '../../formats/types.js';
import { layersOfGraph, specOf } from '../../models/graph/spec.js';
import type { Graph } from '../../models/graph/types.js';
import { RESULT_FORMAT, type ResultBase } from '../../results/types.js';
import { isAdapter, mergedAdapter } from '../../run/import/adapter.js';
import { type CanonicalPlan, planWeights, storedByPlan } from '../../run/import/canonical.js';
import {
  type Architecture,
  checkAlike,
  checkSamples,
  classesOf,
  type FindOptions,
  graphWith,
  type ImportedSamples,
  idsOf,
  isBytes,
  mergeLayers,
  type PlannedSnapshot,
  planImport,
  readArchitecture,
  readWeights,
  type Shape,
  samplesFor,
  sourcesIn,
  storeOfSeries,
  type TensorSource,
  type TensorSources,
  type TorchTensors,
  torchTensors,
  type WeightsPlace,
} from '../../run/import/index.js';
import { some } from '../../run/import/names.js';
import { describeOutputs, readOutput } from '../../run/import/outputs.js';
import { nameOf } from '../../run/import/recognise.js';
import { AT_ONCE, linkTo, readSmall, watchFinite } from '../../run/import/stored.js';
import { cannotRun, type OpenedWeights, openWeights } from '../../run/import/weights.js';
import type { WeightsLink } from '../../run/link.js';
import { readManifest } from '../../run/read.js';
import type { LayerInfo, RunWriter, SnapshotInfo } from '../../run/types.js';
import { checkRunPlace, createRun, resumeRun, UNFINISHED } from '../../run/write.js';
import type { FilePlace } from '../../stores/file.js';
import type { HubOptions } from '../../stores/hub/index.js';
import { type Place, storeOf } from '../../stores/of.js';
import type { Store } from '../../stores/types.js';
import { toolInfo } from '../../version.js';
import { type ArrayPlace, readNumbers } from '../array-file.js';
import { keyOf } from '../keys.js';
import { runWorkflow, type WorkflowOptions } from '../run.js';
import { withDefaults } from '../select.js';
import { type Part, type PartContext, PLAN_FORMAT, type Workflow } from '../types.js';
import { hashOfTree, statesOf } from './identity.js';
import { samplesOf, tokensOf } from './samples.js';

/** From where a run is imported, and to where. */
export interface ImportPlaces extends ImportedSamples {
  from: Store;
  to: Store;
  /** Replaces a run that is there, unless it is this very import, cut off: that goes on. */
  overwrite: boolean;
  /** Goes on with a run of the same series, done or not: snapshots that are there are not read again. */
  resume: boolean;
  /** The net, where the files do not say it themselves: then outputs can be captured. */
  architecture?: Architecture;
  /** The net that adapters are added to (PEFT's LoRA): snapshots are the merged weights. Default: the adapters alone. */
  base?: Store;
}

export interface ImportRunOptions {
  /** Layer outputs by name, from the folder: "epoch_{epoch}/{layer}.npy". */
  outputs: string | null;
  classes: readonly string[] | null;
  /** What numbers in names count that no word explains. */
  numbers: FindOptions['numbers'] | null;
  /** Epoch of the first snapshot, where names count from another number. */
  firstEpoch: number | null;
  /** Which of several series of checkpoints. */
  series: string | null;
  /** How names count, where no rule foresees it. */
  pattern: string | null;
  /** Of a model on a hub: which revisions. */
  revisions: string | null;
  /** Leave the weights where they are: the run holds an index of them (`weights.json`), and needs their files from then on. */
  link: boolean;
  /** Leave PyTorch's [out, in, …] as it is. */
  keepLayout: boolean;
}

export const IMPORT_DEFAULTS: ImportRunOptions = {
  outputs: null,
  classes: null,
  numbers: null,
  firstEpoch: null,
  series: null,
  pattern: null,
  revisions: null,
  link: false,
  keepLayout: false,
};

export interface ImportResult extends ResultBase {
  method: 'import';
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

interface ImportTask extends Pick<ImportRunOptions, 'classes' | 'revisions' | 'link' | 'keepLayout'> {
  snapshot: PlannedSnapshot;
  id: string;
  layout: string;
  /** Layers that have outputs, over all snapshots. */
  outputs: readonly LayerInfo[];
  /** Of the whole import, as run.json keeps it. */
  import: string;
  /** Key of the part before; null for the first. */
  before: string | null;
  /** Of the first: weights of the others, of which some may be those in the file of the net. */
  others?: WeightsPlace[];
}

/** What a part wrote, or why not. */
interface Imported {
  info: SnapshotInfo | null;
  reason: string | null;
  notes: string[];
  /** What is odd in the weights it wrote. */
  broken: string | null;
  /** Key of the part whose snapshot came first into the run, and what it is like: all others must be alike. */
  first: {
    key: string;
    weights: WeightsPlace | null;
    shapes: readonly Shape[] | null;
    net: 'given' | 'own' | null;
    /** Where the net was read from a file of its own: what its tensors are in a snapshot. */
    sources?: Record<string, TensorSource>;
  } | null;
  tensors: number;
  layers: number;
}

const foundBy = ({ outputs, numbers, firstEpoch, series, pattern }: ImportRunOptions): FindOptions => ({
  ...(outputs === null ? {} : { outputs }),
  ...(numbers === null ? {} : { numbers }),
  ...(firstEpoch === null ? {} : { firstEpoch }),
  ...(series === null ? {} : { series }),
  ...(pattern === null ? {} : { pattern }),
});

/** A run from files that other tools wrote: a part a snapshot, each after the one before, since the first that can be read decides what a snapshot is. */
export const importWorkflow: Workflow<ImportRunOptions, ImportTask, Imported, ImportResult, ImportPlaces> = {
  method: 'import',

  async plan(places, given) {
    const options = withDefaults('import', IMPORT_DEFAULTS, given);
    const found = await planImport(places.from, foundBy(options));
    const { snapshots, layout } = found;
    const outputs = await describeOutputs(
      places.from,
      snapshots.flatMap(({ files }) => files),
    );
    checkSamples(outputs.samples, places);
    const samples = hashOfTree({
      labels: places.labels,
      inputs: places.inputs,
      architecture: places.architecture,
      base: places.base && (await baseOf(places.base)).state,
    });
    const ids = idsOf(snapshots);
    const states = await statesOf(places.from, snapshots);
    const own = keyOf('import', {
      options,
      samples,
      states: states.map(({ state }) => state),
      source: nameOf(places.from),
    });
    const resumed = await isCutOff(places.to, own);
    if (!resumed && !(places.resume && (await places.to.has('run.json'))))
      await checkRunPlace(places.to, places.overwrite);
    let before: string | null = null;
    const parts = snapshots.map((snapshot, i): Part<ImportTask> => {
      const key = keyOf('import', { own, i });
      const part: Part<ImportTask> = {
        key,
        stage: `Importing ${nameOf(places.from)}`,
        title: snapshot.path,
        after: before ? [before] : [],
        memory: memoryOf(places, options, snapshot, states[i]!.bytes),
        // By bytes: reading and writing 20 MB a second at least.
        work: 1e8 + (options.link ? 0 : 2500 * states[i]!.bytes),
        task: {
          snapshot,
          id: ids[i]!,
          layout,
          outputs: outputs.layers,
          classes: options.classes,
          revisions: options.revisions,
          link: options.link,
          keepLayout: options.keepLayout,
          import: own,
          before,
          ...(i === 0 && places.architecture
            ? { others: snapshots.slice(1).flatMap(({ weights }) => weights ?? []) }
            : {}),
        },
      };
      before = key;
      return part;
    });
    return {
      format: PLAN_FORMAT,
      method: 'import',
      tool: toolInfo,
      options,
      input: { source: places.from.name, files: {} },
      parts,
      hint: 'import where there is more memory',
      notes: resumed ? [`${places.to.name} holds this import, cut off: it goes on`] : [],
      facts: { layout, notes: found.notes },
    };
  },

  compute: importSnapshot,

  async join(plan, { run: { from, to, labels }, output, seconds }) {
    const written: SnapshotInfo[] = [];
    const leftOut: ImportResult['leftOut'] = [];
    const notes = [...(plan.facts!.notes as string[])];
    const doubts: string[] = [];
    const broken: string[] = [];
    let first: Imported | null = null;
    for (const { key, task } of plan.parts) {
      const part: Imported = await output(key);
      if (part.reason !== null) leftOut.push({ path: task.snapshot.path, reason: part.reason });
      if (!part.info) continue;
      first ??= part;
      written.push(part.info);
      if (part.broken) broken.push(part.broken);
      (part === first ? notes : doubts).push(...part.notes);
    }
    if (!first)
      throw new EpochscopeError(
        'missing',
        `${from.name}: no snapshot could be read: ${leftOut[0]?.reason ?? 'there is none'}`,
        { path: from.name },
      );
    const writer = await resumeRun(to);
    await writer.finish({ snapshots: written });
    return {
      format: RESULT_FORMAT,
      method: 'import',
      name: 'default',
      tool: toolInfo,
      input: { source: from.name, files: {} },
      parameters: { ...plan.options, labels: Boolean(labels) },
      seeds: {},
      seconds,
      layout: plan.facts!.layout as string,
      snapshots: written,
      leftOut,
      notes: [
        ...notes,
        ...(broken.length > 6 ? [...broken.slice(0, 5), `… (${broken.length} snapshots)`] : broken),
        ...(plan.options.link
          ? [
              'the weights stay where they are and were not read: this run needs their files; a check of the series looks at them',
            ]
          : []),
        ...new Set(doubts),
      ],
      tensors: first.tensors,
      layers: first.layers,
      net: first.first!.net !== null,
    };
  },
};

async function importSnapshot(part: Part<ImportTask>, context: PartContext<ImportPlaces>): Promise<Imported> {
  const { task } = part;
  const { from, inputs: given, architecture } = context.run;
  const { snapshot } = task;
  const { path } = snapshot;
  const before = task.before ? await context.output<Imported>(task.before) : null;
  const first = before?.first ?? null;
  const there = await snapshotsThere(task, context);
  const notes: string[] = [];
  const doubts: string[] = [];
  let { step } = snapshot;
  // The first is described again, so that the others are held against it.
  if (first && there?.has(task.id)) {
    const info = there.get(task.id)!;
    return { ...{ info, reason: null, notes: [], broken: null, first, tensors: 0, layers: 0 } };
  }
  let canonical: CanonicalPlan | null = null;
  let graph: Graph | null = null;
  let net: 'given' | 'own' | null = null;
  let opened: OpenedWeights | null = null;
  let stored = new Map<string, StoredTensor>();
  let link: WeightsLink | null = null;
  let sources: TensorSources | null = null;
  /** Tensors of the net that the file does not hold in that form: GPT-2 keeps its matrices as [inputs, units]. */
  let inOtherForm: [string, Tensor][] = [];
  const left = (reason: string): Imported => ({
    ...{ info: null, reason, notes: [], broken: null, first, tensors: 0, layers: 0 },
  });
  try {
    if (snapshot.weights) {
      opened = await openWeights(from, snapshot.weights, given?.shape.slice(1));
      notes.push(...opened.notes);
      let { tensors } = opened;
      if (isAdapter(tensors.keys())) {
        const base = await openBase(context);
        if (base) tensors = await mergedAdapter(from, snapshot.weights.path, tensors, base.tensors);
        else
          notes.push(
            'these are adapters alone (LoRA): their base (option base) adds them to the net they belong to',
          );
      }
      canonical = planWeights(tensors, path, { keepLayout: task.keepLayout });
      stored = storedByPlan(canonical, tensors);
      if (task.link) link = linkTo(from, path, opened, tensors, canonical);
      else stored = await readSmall(stored);
      const { epoch, global_step: inside } = opened.numbers;
      if (
        epoch !== undefined &&
        snapshot.epoch !== null &&
        task.layout !== 'Lightning' &&
        epoch !== snapshot.epoch
      )
        doubts.push(`${path} is taken as epoch ${snapshot.epoch}, but says epoch ${epoch} inside`);
      if (inside !== undefined) step ??= inside;
      const known = first ? await architectureOf(first, context) : (architecture ?? opened.architecture);
      if (!first && known?.kind === 'onnx') notes.push(...known.onnx.notes);
      if (known)
        try {
          const classes = classesOf(task.classes, context.run.labels)?.length ?? null;
          // A net that runs is in memory as a whole.
          const all = await readAll(stored);
          if (!first && architecture) {
            const read = await sourcesIn(known, all, () => othersOf(task, context));
            sources = read?.sources ?? null;
            if (read?.note) notes.push(read.note);
          }
          const own = first?.sources ? new Map(Object.entries(first.sources)) : sources;
          const made = await graphWith(known, all, path, own ?? undefined, classes);
          inOtherForm = [...made.weights].filter(([name, tensor]) => !isSame(all.get(name), tensor));
          guard(
            !link || !inOtherForm.length,
            'unsupported',
            () =>
              `${path}: the net has ${some(inOtherForm.map(([name]) => name))} in another form than the files, which a link cannot name; leave out the link`,
          );
          graph = made;
          net = architecture ? 'given' : 'own';
          if (!first) await context.keep('architecture', part.key, () => ({ found: known }));
        } catch (cause) {
          if (!(cause instanceof EpochscopeError) || first) throw cause;
          // A net that was asked for is missed only where it cannot run; weights that do not fit it are an error.
          if (architecture && (architecture.kind === 'onnx' || cause.code !== 'unsupported')) throw cause;
          notes.push(cannotRun(cause));
        }
    }
    if (first) checkAlike(first.shapes, shapesOf(canonical), path);
  } catch (cause) {
    await opened?.close();
    if (!(cause instanceof EpochscopeError) || cause.code === 'internal') throw cause;
    return left(cause.message);
  }
  const inputs = given && graph ? samplesFor(given, graph.inputShape) : given;
  const layers = mergeLayers(graph ? layersOfGraph(graph) : (canonical?.layers ?? []), task.outputs);
  const writer = await writerOf(task, context, first !== null || there !== null, {
    model: graph ? { ...specOf(graph, inputs && isBytes(inputs, graph) ? 255 : 1) } : null,
    layers,
    inputShape: graph?.inputShape ?? inputs?.shape.slice(1) ?? null,
    inputs: inputs ?? null,
  });
  const info: SnapshotInfo = {
    // A number inside the file may be all there is.
    id: task.id === 'final' ? idsOf([{ ...snapshot, step }])[0]! : task.id,
    epoch: snapshot.epoch,
    step,
    metrics: snapshot.metrics,
  };
  const captured = new Map<string, Tensor>();
  for (const file of snapshot.files) captured.set(file.layer, await readOutput(from, file.path));
  const bad = new Map<string, number>();
  try {
    if (!there?.has(info.id))
      await writer.writeSnapshot(
        info,
        link ?? new Map<string, Tensor | StoredTensor>([...watchFinite(stored, bad), ...inOtherForm]),
        captured,
      );
  } catch (cause) {
    // A large file turns out to be damaged while it is copied.
    if (!(cause instanceof EpochscopeError) || cause.code !== 'format' || !first) throw cause;
    return left(cause.message);
  } finally {
    await opened?.close();
  }
  if (!first && canonical) notes.push(...notesOf(canonical));
  return {
    info,
    reason: null,
    notes: first ? doubts : [...new Set([...notes, ...doubts])],
    broken: bad.size
      ? `${info.id} holds ${[...bad.values()].reduce((a, b) => a + b)} values that are no finite numbers, in ${some([...bad.keys()])}`
      : null,
    first: first ?? {
      key: part.key,
      weights: snapshot.weights,
      shapes: shapesOf(canonical),
      net,
      ...(net && sources ? { sources: Object.fromEntries(sources) } : {}),
    },
    tensors: canonical?.recipes.size ?? 0,
    layers: graph
      ? graph.nodes.length
      : new Set([...(canonical?.layers ?? []), ...task.outputs].map(({ name }) => name)).size,
  };
}

/** The net of the first snapshot: as given, or read from it again in another process. */
async function architectureOf(
  first: NonNullable<Imported['first']>,
  { run: { from, inputs, architecture }, keep }: PartContext<ImportPlaces>,
): Promise<Architecture | null> {
  if (!first.net || first.net === 'given') return first.net ? architecture! : null;
  return (
    await keep('architecture', first.key, async () => ({
      found: first.weights
        ? (
            await readWeights(from, first.weights, inputs?.shape.slice(1))
          ).architecture
        : null,
    }))
  ).found;
}

const shapesOf = (canonical: CanonicalPlan | null): Shape[] | null =>
  canonical && [...canonical.recipes].map(([name, { shape }]) => [name, [...shape]]);

async function readAll(stored: ReadonlyMap<string, StoredTensor>): Promise<Map<string, Tensor>> {
  const tensors = new Map<string, Tensor>();
  for (const [name, tensor] of stored) tensors.set(name, await readStored(tensor));
  return tensors;
}

/** Weights of the snapshots after the first, from the last back: a net is most often exported when training is done. */
async function* othersOf(
  { others = [], keepLayout }: ImportTask,
  { run: { from } }: PartContext<ImportPlaces>,
): AsyncGenerator<{ tensors: TorchTensors }> {
  for (const place of [...others].reverse()) {
    const opened = await openWeights(from, place).catch((cause) => {
      // It is named when its turn comes.
      if (cause instanceof EpochscopeError) return null;
      throw cause;
    });
    if (!opened) continue;
    try {
      const stored = storedByPlan(planWeights(opened.tensors, place.path, { keepLayout }), opened.tensors);
      yield { tensors: torchTensors(stored, async (name) => readStored(stored.get(name)!)) };
    } finally {
      await opened.close();
    }
  }
}

function isSame(stored: Tensor | undefined, { data, shape }: Tensor): boolean {
  if (stored?.shape.join() !== shape.join()) return false;
  for (let i = 0; i < data.length; i++) if (Number(stored.data[i]) !== data[i]) return false;
  return true;
}

function notesOf({ transposed, masked, skipped }: CanonicalPlan): string[] {
  return [
    ...(transposed
      ? [`${transposed} PyTorch kernels were turned to [inputs, units] and [height, width, in, out]`]
      : []),
    ...(masked ? [`${masked} pruned weights are taken as what they compute: weight_orig · weight_mask`] : []),
    ...(skipped.length ? [`left out, being whole numbers: ${some(skipped)}`] : []),
  ];
}

/** Bytes that a snapshot takes at most: whole as read, by our names and axes, and encoded; large ones without a net go a tensor at a time. */
function memoryOf(
  { architecture }: ImportPlaces,
  { link }: ImportRunOptions,
  { weights }: PlannedSnapshot,
  bytes: number,
): number {
  if (link) return 1e6;
  const whole = architecture || ['keras', 'tfjs', 'onnx'].includes(weights?.kind ?? '');
  return 4 * (whole ? bytes : Math.min(bytes, AT_ONCE)) + 1e6;
}

/** The one net of a place, and which state its files are in. Throws `argument` where there are several snapshots. */
async function baseOf(store: Store): Promise<{ weights: WeightsPlace; state: object }> {
  const { snapshots } = await planImport(store);
  const [only] = snapshots;
  guard(
    snapshots.length === 1 && only?.weights,
    'argument',
    () => `${store.name}: expected the one net that adapters are added to, got ${snapshots.length} snapshots`,
    { path: store.name },
  );
  return { weights: only.weights, state: (await statesOf(store, snapshots))[0]!.state };
}

async function openBase({ run: { base }, keep }: PartContext<ImportPlaces>): Promise<OpenedWeights | null> {
  if (!base) return null;
  return keep('base', base.name, async () => {
    const opened = await openWeights(base, (await baseOf(base)).weights);
    return Object.assign(opened, { dispose: () => opened.close() });
  });
}

const sourceOf = (from: Store, { layout, revisions }: ImportTask): Record<string, string> => ({
  folder: nameOf(from),
  layout,
  ...(revisions === null ? {} : { revisions }),
});

/** What the run to go on with holds already, by id; null where it is begun. Throws `argument` for one of another series. */
async function snapshotsThere(
  task: ImportTask,
  { run: { from, to, resume }, keep }: PartContext<ImportPlaces>,
): Promise<ReadonlyMap<string, SnapshotInfo> | null> {
  if (!resume) return null;
  const { found } = await keep('snapshots there', task.import, async () => {
    if (!(await to.has('run.json'))) return { found: null };
    const { training, snapshots } = await readManifest(to);
    const { key: _, ...source } = (training?.importedFrom ?? {}) as Record<string, unknown>;
    guard(
      JSON.stringify(source) === JSON.stringify(sourceOf(from, task)),
      'argument',
      () =>
        `${to.name} holds a run that was not imported from ${nameOf(from)}; choose another place, or replace it (option overwrite)`,
      { path: to.name },
    );
    const kept = new Map<string, SnapshotInfo>();
    for (const info of snapshots)
      for (const file of ['weights.safetensors', 'weights.json'])
        if (await to.has(`snapshots/${info.id}/${file}`)) kept.set(info.id, info);
    return { found: kept };
  });
  return found;
}

/** Whether a place holds this import, not done yet. */
async function isCutOff(store: Store, own: string): Promise<boolean> {
  if (!(await store.has('run.json'))) return false;
  const { complete, training } = await readManifest(store);
  return !complete && (training?.importedFrom as { key?: unknown } | undefined)?.key === own;
}

/** The run that is written: begun by the first snapshot that could be read. */
function writerOf(
  task: ImportTask,
  { run: { from, to, overwrite, labels }, keep }: PartContext<ImportPlaces>,
  begun: boolean,
  about: {
    model: Record<string, unknown> | null;
    layers: LayerInfo[];
    inputShape: readonly number[] | null;
    inputs: Tensor | null;
  },
): Promise<RunWriter> {
  return keep('writer', task.import, async () => {
    const there = begun || (await isCutOff(to, task.import));
    const writer = there
      ? await resumeRun(to)
      : await createRun(
          to,
          {
            model: about.model as never,
            layers: about.layers,
            classes: classesOf(task.classes, labels),
            inputShape: about.inputShape as number[] | null,
            training: { importedFrom: { ...sourceOf(from, task), key: task.import } },
          },
          { overwrite },
        );
    if (!begun && (about.inputs || labels))
      await writer.writeSamples({ inputs: about.inputs, labels: labels ?? null, source: nameOf(from) });
    return Object.assign(writer, { dispose: () => writer.close() });
  });
}

/** What `importRun` takes: files of samples and of the net may be read already. */
export interface ImportOptions extends Partial<ImportRunOptions> {
  /** One label a sample of the outputs: integers, or a file of them. */
  labels?: Uint32Array | ArrayPlace;
  /** The samples themselves, first axis the sample; with `tokenizer`, texts, one a line. */
  inputs?: Tensor | ArrayPlace;
  /** tokenizer.json of the net's writer: `inputs` are texts, and become token ids. */
  tokenizer?: FilePlace;
  /** With `tokenizer`: tokens of a text, to which longer ones are cut; default: as many as the shortest has. */
  length?: number;
  /** The net that adapters are added to (PEFT's LoRA): snapshots are the merged weights. Default: the adapters alone. */
  base?: Place;
  /** How a hub is asked. */
  hub?: HubOptions;
  /** The net: read already, or a file (.onnx, .keras, .h5, .json). */
  architecture?: Architecture | FilePlace;
}

export interface ImportHow extends Omit<WorkflowOptions, 'parts' | 'dataset'> {
  /** Replaces a run that is there, unless it is this very import, cut off: that goes on. */
  overwrite?: boolean;
  /** Goes on with a run of the same series, done or not: snapshots that are there are not read again. Default: only this very import, cut off. */
  resume?: boolean;
}

/**
 * Writes a run from files that other tools made, in any place (a folder, files dropped on a page, a zip, an http address with an
 * index), one snapshot in memory at a time. A snapshot that cannot be read, or holds other tensors than the first, is left out and named.
 * Cut off, it leaves a run that opens; called again, it goes on. Throws `missing` where no snapshot is left, `format`, `io`, `memory`,
 * `cancelled`; nothing is written before the first snapshot was read.
 */
export async function importRun(
  place: Place,
  target: Place,
  { labels, inputs, tokenizer, length, architecture, base, hub, ...options }: ImportOptions = {},
  { overwrite = false, resume = false, ...how }: ImportHow = {},
): Promise<ImportResult> {
  const { revisions } = options;
  const from = await storeOfSeries(place, { ...(revisions ? { revisions } : {}), ...(hub ? { hub } : {}) });
  const to = await storeOf(target);
  const texts = await tokensOf(inputs, tokenizer, length);
  const given = {
    labels: labels instanceof Uint32Array || labels === undefined ? labels : await readNumbers(labels),
    inputs: texts?.inputs ?? (await samplesOf(inputs)),
  };
  const net =
    architecture === undefined || isArchitecture(architecture)
      ? architecture
      : await readArchitecture(architecture, given.inputs?.shape.slice(1));
  const parts = { store: to, folder: `${UNFINISHED}/import`, ready: () => to.has('run.json') };
  const result = await runWorkflow(
    importWorkflow,
    {
      ...(base === undefined ? {} : { base: await storeOfSeries(base, hub ? { hub } : {}) }),
      ...{ from, to, overwrite, resume },
      ...given,
      ...(net ? { architecture: net } : {}),
    },
    options,
    { ...how, parts },
  );
  return texts ? { ...result, notes: [texts.note, ...result.notes] } : result;
}

const isArchitecture = (x: Architecture | FilePlace): x is Architecture =>
  typeof x === 'object' && 'kind' in x;
