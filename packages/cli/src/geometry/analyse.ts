import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  alignmentSize,
  alignmentSteps,
  type ClassTree,
  classTree,
  type Engine,
  type Evaluate,
  type GeometryOfInput,
  type GeometryResult,
  type GeometrySpectrum,
  geometryOfInput,
  type Hierarchy,
  isExplicit,
  type LinearMap,
  PERTURBATION_LENGTHS,
  RESULT_FORMAT,
  type ResultBase,
  summariseAlignment,
  summarisePerturbation,
  summariseSpectrum,
  toolInfo,
} from '@epochscope/analysis';
import { createEngine } from '@epochscope/analysis/engine';
import { type GraphRunner, readResult, writeFileAtomic, writeResult } from '@epochscope/analysis/node';
import { EpochscopeError, formatBytes, guard, truncatedSvdOperatorBytes } from '@epochscope/core-wasm';
import type { Output } from '../output.js';

export interface GeometryOptions {
  /** Layers to look at; default: the end of each stage. */
  layers?: string[];
  k: number;
  /** "depth": from the input; "layer": from the chosen layer before (the first: from the input). */
  maps: ('depth' | 'layer')[];
  /** Tangent vectors and steps along and across; only for pictures. */
  tangents: boolean;
  /** Largest vectors kept for each input, and of how many inputs. */
  pictures: number;
  pictureInputs: number;
  /** A hierarchy of the classes to hold the class tree against. */
  hierarchy?: Hierarchy | null;
  seed: number;
  name: string;
  resume: boolean;
  /** Bytes the SVD of one map may take; default 4 GB less a page. */
  memoryLimit?: number;
}

/** What is analysed: a run, or a net given by its weights. */
export interface GeometrySource {
  source: string;
  sha256: Record<string, string>;
  /** What decides the figures, beside the options: parts of another source are not gone on with. */
  key: unknown;
  inputShape: number[];
  /** n × input values, as the net takes them. */
  inputs: Float32Array;
  samples: GeometryResult['samples'];
  snapshots: {
    info: GeometrySpectrum['snapshot'];
    /** A net for this snapshot; disposed when the next one is asked for. */
    open(): Promise<GraphRunner>;
  }[];
}

/** Bytes of tfjs's heap that a block of vectors may take. */
const BLOCK_BYTES = 400e6;
const PARAMETRIC = new Set(['dense', 'conv2d']);

/** Default layers: the last node before each parametric one but the first, and the end. */
export function stageEnds(runner: GraphRunner): string[] {
  const { nodes } = runner.graph;
  const ends: string[] = [];
  const quiet = new Set(['flatten', 'flatten-channels-first', 'reshape', 'identity', 'pad']);
  let current: string | null = null;
  let begun = false;
  for (const node of nodes) {
    if (PARAMETRIC.has(node.kind)) {
      if (begun && current) ends.push(current);
      begun = true;
      current = null;
    }
    if (!quiet.has(node.kind)) current = node.name;
  }
  if (current) ends.push(current);
  return ends;
}

interface MapPlace {
  kind: 'depth' | 'layer';
  from: string;
  to: string;
}

/**
 * Geometry of every snapshot, map and input of a source. Each (snapshot, map, input) is saved when it is done, under
 * `${folder}.partial`; with `resume` those are taken over. Throws `missing`, `memory` (before any work), `cancelled`.
 */
export async function analyseGeometry(
  source: GeometrySource,
  folder: string,
  options: GeometryOptions,
  output: Output,
): Promise<GeometryResult> {
  const begun = performance.now();
  const n = source.samples.indices.length;
  const size = source.inputShape.reduce((a, b) => a * b, 1);
  guard(n > 0, 'argument', 'geometry: expected at least one input, got none');
  const shape = pictureShape(source.inputShape);
  const engine = createEngine({ threads: 1, memoryLimit: options.memoryLimit });
  const progress = output.progress('Geometry');
  const parts = new Parts(`${folder}.partial`);
  const spectra: GeometryResult['spectra'] = [];
  const alignments: GeometryResult['alignments'] = [];
  const perturbations: GeometryResult['perturbations'] = [];
  const classTrees: ClassTree[] = [];
  let runner: GraphRunner | null = null;
  try {
    await parts.begin({ ...keyOf(options), source: source.key }, options.resume, output);
    for (const [s, { info, open }] of source.snapshots.entries()) {
      runner?.dispose();
      runner = null;
      const net = await open();
      runner = net;
      const layers = options.layers ?? stageEnds(net);
      const places = placesOf(net, layers, options.maps);
      if (s === 0) foretell(net, places, options, output);
      const found = places.map((): GeometryOfInput[] => []);
      for (let input = 0; input < n; input++) {
        const x = source.inputs.subarray(input * size, (input + 1) * size);
        const names = places.map(({ kind, to }) => partName(info.id, kind, to, input));
        const before = await Promise.all(names.map((name) => parts.read(name)));
        const at = before.every((part) => part) ? null : net.at(x);
        try {
          for (const [p, place] of places.entries()) {
            const done =
              ((s * n + input) * places.length + p) / (source.snapshots.length * n * places.length);
            const share = 1 / (source.snapshots.length * n * places.length);
            const note = `${info.id} ${place.to}, input ${input + 1} of ${n}`;
            progress.update(done, 1, note);
            const ready = before[p];
            if (ready) {
              found[p]!.push(ready);
              continue;
            }
            if (output.signal.aborted) throw new EpochscopeError('cancelled', 'geometry was cancelled');
            const { from, to } = place;
            const map: LinearMap = {
              rows: net.sizeOf(to),
              columns: net.sizeOf(from),
              jvp: async (v, count) => breathe(() => at!.jvp(v, count, from, to)),
              vjp: async (u, count) => breathe(() => at!.vjp(u, count, from, to)),
            };
            const pictured = options.tangents && shape && place.kind === 'depth' ? { x, shape } : null;
            const evaluate: Evaluate = (block, count) => net.run(block, count, [to]).get(to)!;
            const one = await geometryOfInput(engine, map, {
              k: options.k,
              seed: options.seed,
              input,
              pictures: options.pictures,
              block: blockOf(at!.bytesPerVector),
              picture: pictured,
              evaluate: pictured ? evaluate : null,
              signal: output.signal,
              onProgress: (part, whole) => progress.update(done + (share * part) / whole, 1, note),
            });
            await parts.write(names[p]!, one);
            found[p]!.push(one);
          }
        } finally {
          at?.dispose();
        }
      }
      for (const [p, place] of places.entries()) {
        const inputs = found[p]!;
        const spectrum = summariseSpectrum(
          {
            ...place,
            snapshot: info,
            rows: net.sizeOf(place.to),
            columns: net.sizeOf(place.from),
            rowShape: [...net.shapes.get(place.to)!],
            columnShape: [...net.shapes.get(place.from)!],
          },
          inputs,
          options.pictureInputs,
        );
        spectra.push(spectrum);
        if (place.kind !== 'depth') continue;
        const aligned = inputs.map(({ alignment }) => alignment).filter((a) => a !== null);
        const width = alignmentSize(spectrum.k, spectrum.columns);
        if (aligned.length)
          alignments.push(summariseAlignment(info, place.to, alignmentSteps(width), aligned));
        const moved = inputs.map((one) => one.moved).filter((m) => m !== null);
        if (moved.length)
          perturbations.push(summarisePerturbation(info, place.to, width, PERTURBATION_LENGTHS, moved));
        const { labels, classes } = source.samples;
        const tree =
          labels && (await classTree(engine, spectrum, labels, classes, options.hierarchy ?? null));
        if (tree) classTrees.push(tree);
      }
    }
    if (output.signal.aborted) throw new EpochscopeError('cancelled', 'geometry was cancelled');
    const result: GeometryResult = {
      format: RESULT_FORMAT,
      method: 'geometry',
      name: options.name,
      tool: toolInfo,
      input: { source: source.source, sha256: source.sha256 },
      parameters: { ...keyOf(options), layers: [...new Set(spectra.map(({ to }) => to))] },
      seeds: { analysis: options.seed },
      seconds: (performance.now() - begun) / 1000,
      samples: source.samples,
      spectra,
      alignments,
      perturbations,
      classTrees,
    };
    await writeResult(folder, result);
    await parts.remove();
    return result;
  } catch (cause) {
    if (cause instanceof EpochscopeError && cause.code === 'cancelled' && parts.written)
      throw new EpochscopeError(
        'cancelled',
        `${cause.message}; ${parts.written} ${parts.written === 1 ? 'spectrum is' : 'spectra are'} kept, --resume goes on`,
        cause.fields,
        { cause },
      );
    throw cause;
  } finally {
    progress.stop();
    runner?.dispose();
    await engine.close();
  }
}

/** Lets signals and timers run between products. */
async function breathe<T>(work: () => T): Promise<T> {
  await new Promise((resolve) => setImmediate(resolve));
  return work();
}

const blockOf = (bytes: number) => Math.max(1, Math.min(32, Math.floor(BLOCK_BYTES / bytes)));

function keyOf({ layers, k, maps, tangents, pictures, pictureInputs, hierarchy, seed }: GeometryOptions) {
  return {
    layers: layers ?? null,
    k,
    maps,
    tangents,
    pictures,
    pictureInputs,
    hierarchy: hierarchy ?? null,
    seed,
  };
}

function pictureShape(shape: readonly number[]): [number, number, number] | null {
  return shape.length === 3 && (shape[2] === 1 || shape[2] === 3) ? [shape[0]!, shape[1]!, shape[2]] : null;
}

function placesOf(runner: GraphRunner, layers: readonly string[], kinds: readonly string[]): MapPlace[] {
  const places: MapPlace[] = [];
  for (const to of layers) runner.sizeOf(to);
  const order = ['input', ...runner.graph.nodes.map(({ name }) => name)];
  const sorted = [...new Set(layers)].sort((a, b) => order.indexOf(a) - order.indexOf(b));
  for (const [i, to] of sorted.entries()) {
    if (kinds.includes('depth')) places.push({ kind: 'depth', from: 'input', to });
    if (kinds.includes('layer')) places.push({ kind: 'layer', from: sorted[i - 1] ?? 'input', to });
  }
  return places;
}

/** Says what the largest map takes, and refuses what cannot fit, before any work. */
function foretell(
  runner: GraphRunner,
  places: readonly MapPlace[],
  { k, tangents, memoryLimit = 65535 * 65536 }: GeometryOptions,
  output: Output,
): void {
  let worst = { bytes: 0, place: places[0]! };
  for (const place of places) {
    const [rows, columns] = [runner.sizeOf(place.to), runner.sizeOf(place.from)];
    const most = Math.min(k, rows, columns);
    const bytes = isExplicit(rows, columns, most)
      ? 16 * rows * columns
      : truncatedSvdOperatorBytes(rows, columns, most, {
          vectors: tangents && place.kind === 'depth' ? alignmentSize(most, columns) : 10,
        });
    if (bytes > worst.bytes) worst = { bytes, place };
  }
  const net = 4 * [...runner.graph.weights.values()].reduce((sum, { data }) => sum + data.length, 0);
  const block = BLOCK_BYTES;
  guard(
    worst.bytes <= memoryLimit,
    'memory',
    () =>
      `geometry of ${worst.place.from} → ${worst.place.to} with k = ${k} needs ${formatBytes(worst.bytes)}, the limit is ${formatBytes(memoryLimit)}; ask for a smaller --k or other --layers`,
    { needed: worst.bytes, limit: memoryLimit },
  );
  if (worst.bytes + net > 300e6)
    output.say(
      `  memory: up to ${formatBytes(worst.bytes)} for ${worst.place.from} → ${worst.place.to}, ${formatBytes(2 * net)} of weights, ${formatBytes(block)} of products`,
    );
}

const partName = (snapshot: string, kind: string, to: string, input: number) =>
  `${snapshot}-${kind}-${to.replace(/[^\w.-]/g, '_')}-${input}`;

interface Part extends ResultBase {
  part: GeometryOfInput;
}

/** Finished inputs beside the result to be. */
class Parts {
  written = 0;
  private known = new Set<string>();

  constructor(private readonly folder: string) {}

  async begin(key: unknown, resume: boolean, output: Output): Promise<void> {
    const file = join(this.folder, 'key.json');
    const text = JSON.stringify(key);
    const found = await readFile(file, 'utf8').catch(() => null);
    if (found !== null && resume) {
      guard(
        found === text,
        'argument',
        () =>
          `${this.folder} was begun with other options or inputs; repeat those, or start again without --resume`,
        { path: this.folder },
      );
      this.known = new Set(await readdir(this.folder));
      this.written = this.known.size - 1;
      output.say(`  going on: ${this.written} spectra are there`);
      return;
    }
    if (found !== null) await rm(this.folder, { recursive: true, force: true });
    this.key = text;
  }
  private key: string | null = null;

  async read(name: string): Promise<GeometryOfInput | null> {
    if (!this.known.has(name)) return null;
    return (await readResult<Part>(join(this.folder, name))).part;
  }

  async write(name: string, part: GeometryOfInput): Promise<void> {
    const wrapped: Part = {
      format: RESULT_FORMAT,
      method: 'geometry-part',
      name,
      tool: toolInfo,
      input: { source: '', sha256: {} },
      parameters: {},
      seeds: {},
      seconds: 0,
      part,
    };
    await writeResult(join(this.folder, name), wrapped);
    if (this.key !== null) await writeFileAtomic(join(this.folder, 'key.json'), this.key);
    this.key = null;
    this.written++;
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

export type GeometryEngine = Pick<Engine, 'truncatedSvd' | 'truncatedSvdOperator' | 'linkage'>;
