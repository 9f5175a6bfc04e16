import {
  alignmentSize,
  alignmentSteps,
  type ClassTree,
  classTree,
  createEngine,
  type Evaluate,
  type GeometryOfInput,
  type GeometryResult,
  type GraphRunner,
  geometryOfInput,
  type LinearMap,
  PERTURBATION_LENGTHS,
  pictureShape,
  RESULT_FORMAT,
  summariseAlignment,
  summarisePerturbation,
  summariseSpectrum,
  toolInfo,
} from '@epochscope/analysis';
import { guard } from '@epochscope/core-wasm';
import { checkCancelled, noted } from '../cancelled.js';
import { writeResultTo } from '../files.js';
import type { Output } from '../output.js';
import { blockOf, foretell } from './memory.js';
import { type GeometryOptions, type GeometrySource, keyOf } from './options.js';
import { Parts, partName } from './parts.js';
import { placesOf, stageEnds } from './places.js';

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
        const names = places.map((_, p) => partName(info.id, p, input));
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
            checkCancelled(output, 'geometry was cancelled');
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
    checkCancelled(output, 'geometry was cancelled');
    const result: GeometryResult = {
      format: RESULT_FORMAT,
      method: 'geometry',
      name: options.name,
      tool: toolInfo,
      input: { source: source.source, files: source.files },
      parameters: { ...keyOf(options), layers: [...new Set(spectra.map(({ to }) => to))] },
      seeds: { analysis: options.seed },
      seconds: (performance.now() - begun) / 1000,
      samples: source.samples,
      spectra,
      alignments,
      perturbations,
      classTrees,
    };
    await writeResultTo(folder, result);
    await parts.remove();
    return result;
  } catch (cause) {
    throw noted(cause, () =>
      parts.written
        ? `${parts.written} ${parts.written === 1 ? 'spectrum is' : 'spectra are'} kept, --resume goes on`
        : null,
    );
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
