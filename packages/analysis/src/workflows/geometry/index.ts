import { EpochscopeError, guard } from '@epochscope/core-wasm';
import {
  alignmentSize,
  alignmentSteps,
  type ClassTree,
  classTree,
  type GeometryOfInput,
  type GeometryResult,
  geometryOfInput,
  PERTURBATION_LENGTHS,
  summariseAlignment,
  summarisePerturbation,
  summariseSpectrum,
} from '../../methods/geometry/index.js';
import { GraphRunner, inputScaleOf, type LinearisedGraph } from '../../models/graph/index.js';
import { prepareTf } from '../../models/index.js';
import { RESULT_FORMAT } from '../../results/types.js';
import { pictureShape } from '../../run/images.js';
import type { Run, SnapshotInfo } from '../../run/types.js';
import { toolInfo } from '../../version.js';
import { yieldToEventLoop } from '../../yield.js';
import { graphAt } from '../graph-at.js';
import { inputOfResult, PlanInput } from '../input.js';
import { keyOf } from '../keys.js';
import { checkNotCancelled, runWorkflow, type WorkflowOptions } from '../run.js';
import { chooseSnapshots, pick, placeOf } from '../select.js';
import { type Part, type PartContext, PLAN_FORMAT, type Workflow } from '../types.js';
import { type GeometryRunOptions, geometryOptions } from './options.js';
import { blockOf, checkSvd, type MapPlace, memoryNote, netBytes, placesOf, svdBytes } from './places.js';

export { GEOMETRY_DEFAULTS, type GeometryRunOptions } from './options.js';

/** One map at one input. */
interface GeometryTask {
  snapshot: Pick<SnapshotInfo, 'id' | 'epoch' | 'step'>;
  place: MapPlace;
  /** Which of the inputs, and which sample of the run that is. */
  input: number;
  sample: number;
  k: number;
  tangents: boolean;
  pictures: number;
  seed: number;
}

/** Spectra, singular vectors, tangents, steps and class trees (methods/geometry): a part a snapshot, input and map. */
export const geometryWorkflow: Workflow<GeometryRunOptions, GeometryTask, GeometryOfInput, GeometryResult> = {
  method: 'geometry',

  async plan(run, given) {
    const options = geometryOptions(given);
    const { manifest, store } = run;
    const snapshots = chooseSnapshots(run, options.snapshots);
    if (!manifest.model)
      throw new EpochscopeError(
        'unsupported',
        `${store.name} does not say which net made it, and Jacobians need the net`,
        { path: store.name },
      );
    for (const layer of options.layers ?? []) run.layer(layer);
    const input = new PlanInput(run);
    const inputs = await input.inputs();
    guard(
      inputs && manifest.inputShape && manifest.samples,
      'missing',
      () => `${store.name} holds no samples/inputs.npy to linearise the net at`,
      { path: store.name },
    );
    const indices = inTurn(await run.labels(), manifest.samples.count, options.inputs);
    guard(indices.length > 0, 'argument', 'geometry: expected at least one input, got none');
    const graph = await graphAt(run, snapshots[0]!.id);
    const places = placesOf(graph, options.layers, options.maps, store.name);
    const { k, tangents, pictures, seed } = options;
    const bytes = places.map((place) => svdBytes(place, k, tangents));
    for (const [p, place] of places.entries()) checkSvd(place, k, bytes[p]!);
    const most = bytes.indexOf(Math.max(...bytes));
    const parts: Part<GeometryTask>[] = [];
    for (const snapshot of snapshots) {
      const weights = await input.weights(snapshot.id);
      for (const [i, sample] of indices.entries())
        for (const [p, place] of places.entries()) {
          const task = {
            snapshot: placeOf(snapshot),
            place,
            input: i,
            sample,
            k,
            tangents,
            pictures,
            seed,
          };
          parts.push({
            key: keyOf('geometry', {
              ...task,
              weights,
              inputs,
              model: manifest.model,
              inputShape: manifest.inputShape,
            }),
            stage: 'Geometry',
            title: `${snapshot.id} ${place.kind === 'depth' ? '' : `${place.from} → `}${place.to}, input ${i + 1} of ${indices.length}`,
            after: [],
            memory: netBytes(graph) + bytes[p]!,
            work: Math.min(k, place.rows, place.columns),
            task,
          });
        }
    }
    return {
      format: PLAN_FORMAT,
      method: 'geometry',
      tool: toolInfo,
      options: {
        ...options,
        layers: [...new Set(places.map(({ to }) => to))],
        snapshots: snapshots.map(({ id }) => id),
      },
      input: input.plan(),
      parts,
      hint: 'ask for a smaller k or other layers',
      notes: memoryNote(places[most]!, bytes[most]!, graph),
      facts: { places, samples: [...indices] },
    };
  },

  async compute({ task }, context) {
    const { engine, signal, onProgress } = context;
    const { place, snapshot, sample, input } = task;
    const { from, to, kind } = place;
    checkNotCancelled(signal, 'geometry was cancelled');
    const { net, at, x } = await linearised(snapshot.id, sample, context);
    const shape = pictureShape(context.run.manifest.inputShape);
    const pictured = task.tangents && shape && kind === 'depth' ? { x, shape } : null;
    return geometryOfInput(
      engine,
      {
        rows: place.rows,
        columns: place.columns,
        // Signals and timers run between products.
        jvp: (v, count) => yieldToEventLoop().then(() => at.jvp(v, count, from, to)),
        vjp: (u, count) => yieldToEventLoop().then(() => at.vjp(u, count, from, to)),
      },
      {
        k: task.k,
        seed: task.seed,
        input,
        pictures: task.pictures,
        block: blockOf(at.bytesPerVector),
        picture: pictured,
        evaluate: pictured ? (block, count) => net.run(block, count, [to]).get(to)! : null,
        signal,
        onProgress: (done, total) => onProgress?.(done / (total || 1)),
      },
    );
  },

  async join(plan, { run, engine, output, seconds, reads }) {
    const { options } = plan;
    const { places, samples } = plan.facts as unknown as { places: MapPlace[]; samples: number[] };
    const indices = Uint32Array.from(samples);
    const { classes } = run.manifest;
    const labels = pick(await run.labels(), indices);
    const spectra: GeometryResult['spectra'] = [];
    const alignments: GeometryResult['alignments'] = [];
    const perturbations: GeometryResult['perturbations'] = [];
    const classTrees: ClassTree[] = [];
    for (const id of options.snapshots) {
      const snapshot = placeOf(run.snapshot(id));
      for (const place of places) {
        const inputs: GeometryOfInput[] = [];
        for (const { key, task } of plan.parts)
          if (
            task.snapshot.id === snapshot.id &&
            task.place.kind === place.kind &&
            task.place.to === place.to
          )
            inputs.push(await output(key));
        const spectrum = summariseSpectrum({ ...place, snapshot }, inputs, options.pictureInputs);
        spectra.push(spectrum);
        if (place.kind !== 'depth') continue;
        const aligned = inputs.flatMap(({ alignment }) => alignment ?? []);
        const width = alignmentSize(spectrum.k, spectrum.columns);
        if (aligned.length)
          alignments.push(summariseAlignment(snapshot, place.to, alignmentSteps(width), aligned));
        const moved = inputs.flatMap((one) => (one.moved ? [one.moved] : []));
        if (moved.length)
          perturbations.push(summarisePerturbation(snapshot, place.to, width, PERTURBATION_LENGTHS, moved));
        const tree = labels && (await classTree(engine, spectrum, labels, classes, options.hierarchy));
        if (tree) classTrees.push(tree);
      }
    }
    const { k, maps, tangents, pictures, pictureInputs, hierarchy, seed } = options;
    return {
      format: RESULT_FORMAT,
      method: 'geometry',
      name: options.name,
      tool: toolInfo,
      input: await inputOfResult(plan, run, reads),
      parameters: { k, maps, tangents, pictures, pictureInputs, hierarchy, seed, layers: options.layers },
      seeds: { analysis: seed },
      seconds,
      samples: { indices, labels, classes, images: await run.images(indices) },
      spectra,
      alignments,
      perturbations,
      classTrees,
    };
  },
};

/**
 * Geometry of a run's snapshots on its own samples: spectra, singular vectors, tangents, steps, class trees (`methods/geometry`).
 * Throws `unsupported` for a run whose net is not known, `missing`, `memory`, `cancelled`.
 */
export const geometryOfRun = (
  run: Run,
  options: Partial<GeometryRunOptions> = {},
  how: WorkflowOptions = {},
): Promise<GeometryResult> => runWorkflow(geometryWorkflow, run, options, how);

/** The net of a snapshot and what it is near a sample, kept for the maps that follow. */
async function linearised(
  snapshot: string,
  sample: number,
  { run, reads, keep }: PartContext,
): Promise<{ net: GraphRunner; at: LinearisedGraph; x: Float32Array }> {
  const held = await keep('graph', snapshot, async () => {
    const net = new GraphRunner(await prepareTf(), await graphAt(run, snapshot, reads));
    const near: { sample: number; x: Float32Array; at: LinearisedGraph | null } = {
      sample: -1,
      x: new Float32Array(0),
      at: null,
    };
    return {
      net,
      near,
      dispose() {
        near.at?.dispose();
        net.dispose();
      },
    };
  });
  const { net, near } = held;
  if (near.sample !== sample || !near.at) {
    near.at?.dispose();
    near.at = null;
    const row = (await run.inputs({ rows: Uint32Array.of(sample) }))!;
    const scale = inputScaleOf(run.manifest);
    near.x = row.data.map((value) => value / scale);
    near.at = net.at(near.x);
    near.sample = sample;
  }
  return { net, at: near.at, x: near.x };
}

/** The first sample of each class, then the second of each, …; without labels the first ones. */
function inTurn(labels: Uint32Array | null, n: number, wanted: number): Uint32Array {
  const count = Math.min(n, wanted);
  if (!labels) return Uint32Array.from({ length: count }, (_, i) => i);
  const turn = new Map<number, number>();
  const rank = Array.from(labels, (label, i) => {
    const nth = turn.get(label) ?? 0;
    turn.set(label, nth + 1);
    return { i, nth, label };
  });
  rank.sort((a, b) => a.nth - b.nth || a.label - b.label);
  return Uint32Array.from(rank.slice(0, count), ({ i }) => i);
}
