import { basename } from 'node:path';
import {
  type GeometryResult,
  type GeometryRunOptions,
  geometryOfRun,
  type WorkflowOptions,
  withFile,
} from '@epochscope/analysis';
import { readNpz, readSafetensors } from '@epochscope/analysis/formats';
import { GEOMETRY_DEFAULTS, geometryOfAlexnet, readArray } from '@epochscope/analysis/workflows';
import { guard } from '@epochscope/core-wasm';
import type { Command } from 'commander';
import { analyseFrom, analyseRun } from '../analyse.js';
import { readHierarchy } from '../hierarchy.js';
import { arrayPlace } from '../matrix-file.js';
import type { Output } from '../output.js';
import { geometryPictures } from '../pictures/geometry.js';
import { type PictureOptions, writePictures } from '../pictures/index.js';
import { refuseGiven } from '../usage.js';
import { pictureOptions, picturesOf } from './_pictures.js';
import { type CommonOptions, names, oneOf, table, whole } from './_shared.js';

const MAPS = ['depth', 'layer', 'both'] as const;

export function define(command: Command): Command {
  command
    .argument('<run>', 'run directory, or "alexnet": a net of AlexNet\'s shape')
    .option('--layers <names>', 'layers to look at (default: the end of each stage)', names)
    .option('--snapshots <which>', 'ids, epochs, "first", "last", "init" or "all" (default: last)', names)
    .option(
      '--inputs <n>',
      'inputs to linearise at, in turn from each class',
      whole(1),
      GEOMETRY_DEFAULTS.inputs,
    )
    .option('--k <n>', 'singular triplets of each Jacobian', whole(1), GEOMETRY_DEFAULTS.k)
    .option(
      '--maps <which>',
      'depth: input → layer; layer: from the layer before among --layers; both',
      oneOf(MAPS),
      'depth' as const,
    )
    .option('--no-tangents', 'leave out tangent vectors and steps along and across')
    .option(
      '--pictures <n>',
      'largest singular vectors kept as pictures',
      whole(0),
      GEOMETRY_DEFAULTS.pictures,
    )
    .option('--picture-inputs <n>', 'of how many inputs', whole(0), GEOMETRY_DEFAULTS.pictureInputs)
    .option('--hierarchy <file>', 'JSON of nested class names, to hold the tree of classes against')
    .option('--weights <file>', 'alexnet: .safetensors or .npz (default: random weights)')
    .option(
      '--images <file>',
      'alexnet: n × 227 × 227 × 3, .npy or .npz:name; RGB bytes, or floats as the net takes them (default: random)',
    )
    .option('--seed <n>', 'starting vectors, random directions', whole(0), 1)
    .option('--name <name>', 'name of this result', 'default')
    .option('-o, --output <dir>', 'where to write (default: the run itself; needed for alexnet)');
  return pictureOptions(command, 'singular vectors, spectra and the other figures').addHelpText(
    'after',
    `
Examples:
  epochscope geometry my-run --layers P1,R3,S5 --inputs 16 --k 100 --snapshots init,last
  epochscope geometry alexnet --weights alexnet.npz --images cats.npy --layers fc7 --k 500 --no-tangents -o fc7`,
  );
}

interface Options extends CommonOptions, Partial<PictureOptions> {
  layers?: string[];
  snapshots?: string[];
  inputs: number;
  k: number;
  maps: (typeof MAPS)[number];
  tangents: boolean;
  pictures: number;
  pictureInputs: number;
  hierarchy?: string;
  weights?: string;
  images?: string;
  seed: number;
}

export async function run([target]: string[], o: Options, output: Output): Promise<void> {
  const { layers, k, tangents, pictureInputs, seed, name, inputs } = o;
  const options: Partial<GeometryRunOptions> = {
    layers,
    k,
    maps: o.maps === 'both' ? ['depth', 'layer'] : [o.maps],
    tangents,
    pictures: o.pictures,
    pictureInputs,
    hierarchy: o.hierarchy === undefined ? null : await readHierarchy(o.hierarchy),
    seed,
    name,
    inputs,
  };
  if (target === 'alexnet')
    refuseGiven({ '--snapshots': o.snapshots }, 'only for a run: alexnet has one set of weights');
  else refuseGiven({ '--weights': o.weights, '--images': o.images }, `only for alexnet; ${target} is a run`);
  const { result, folder } =
    target === 'alexnet'
      ? await analyseFrom(o.output ?? 'alexnet-geometry', output, (how) => alexnet(o, options, how))
      : await analyseRun('geometry', target!, o, output, (run, how) =>
          geometryOfRun(run, { ...options, snapshots: o.snapshots ?? ['last'] }, how),
        );
  const pictures = await writePictures(folder, geometryPictures(result), picturesOf(o), output);
  output.result(`${text(result)}\nwritten to ${folder}`, { folder, pictures, spectra: summary(result) });
}

async function alexnet(
  { weights, images }: Options,
  options: Partial<GeometryRunOptions>,
  how: WorkflowOptions,
): Promise<GeometryResult> {
  guard(
    weights === undefined || /\.(npz|safetensors)$/.test(weights),
    'unsupported',
    () => `${weights}: expected weights as .npz or .safetensors`,
    { file: weights! },
  );
  return geometryOfAlexnet(
    {
      images:
        images === undefined ? null : { name: images, tensor: await readArray(await arrayPlace(images)) },
      weights:
        weights === undefined
          ? null
          : {
              name: basename(weights),
              tensors: await withFile(weights, weights.endsWith('.npz') ? readNpz : readSafetensors),
            },
    },
    options,
    how,
  );
}

function text({ spectra }: GeometryResult): string {
  // Float32 products leave 1e-7 where nothing is.
  const figure = (x: number) => (Math.abs(x) < 1e-6 ? '0' : x < 0.01 ? x.toExponential(1) : x.toFixed(2));
  const spread = ({ mean, sd }: { mean: number; sd: { value: number | null } }) =>
    sd.value === null ? figure(mean) : `${figure(mean)} ± ${figure(sd.value)}`;
  return table([
    ['map', 'size', 'k', 'σ1', 'σk', 'σ ≥ 1', 'effective rank', 'participation', 'not converged'],
    ...spectra.map((s) => [
      `${s.snapshot.id} ${s.kind === 'depth' ? '' : `${s.from} → `}${s.to}`,
      `${s.rows}×${s.columns}`,
      s.k,
      figure(s.mean[0]!),
      figure(s.mean[s.k - 1]!),
      // All k of some input are ≥ 1, and there are more: more may be.
      `${!s.whole && s.dimensions.atLeastOne.values.some((n) => n === s.k) ? '≥ ' : ''}${spread(s.dimensions.atLeastOne)}`,
      spread(s.dimensions.effectiveRank),
      spread(s.dimensions.participationRatio),
      s.unconverged,
    ]),
  ]);
}

function summary({ spectra }: GeometryResult) {
  return spectra.map((s) => ({
    snapshot: s.snapshot.id,
    kind: s.kind,
    from: s.from,
    to: s.to,
    rows: s.rows,
    columns: s.columns,
    k: s.k,
    first: s.mean[0],
    last: s.mean[s.k - 1],
    atLeastOne: s.dimensions.atLeastOne.mean,
    effectiveRank: s.dimensions.effectiveRank.mean,
    participationRatio: s.dimensions.participationRatio.mean,
    unconverged: s.unconverged,
  }));
}
