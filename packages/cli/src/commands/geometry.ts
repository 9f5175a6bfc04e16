import type { GeometryResult } from '@epochscope/analysis';
import type { Command } from 'commander';
import { readHierarchy } from '../geometry/hierarchy.js';
import { geometryOfAlexnet } from '../geometry/of-alexnet.js';
import { geometryOfRun } from '../geometry-run.js';
import type { Output } from '../output.js';
import { geometryPictures } from '../pictures/geometry.js';
import { writePictures } from '../pictures/index.js';
import { pictureOptions, picturesOf } from './_pictures.js';
import { names, oneOf, table, whole } from './_shared.js';

const MAPS = ['depth', 'layer', 'both'] as const;

export function define(command: Command): Command {
  command
    .description('Singular values and vectors of Jacobians: how a net bends the space of its inputs')
    .argument('<run>', 'run directory, or "alexnet": a net of AlexNet\'s shape')
    .option('--layers <names>', 'layers to look at (default: the end of each stage)', names)
    .option('--snapshots <which>', 'ids, epochs, "first", "last", "init" or "all"', names, ['last'])
    .option('--inputs <n>', 'inputs to linearise at, in turn from each class', whole(1), 16)
    .option('--k <n>', 'singular triplets of each Jacobian', whole(1), 100)
    .option(
      '--maps <which>',
      'depth: input → layer; layer: from the layer before among --layers; both',
      oneOf(MAPS),
      'depth' as const,
    )
    .option('--no-tangents', 'leave out tangent vectors and steps along and across')
    .option('--pictures <n>', 'largest singular vectors kept as pictures', whole(0), 8)
    .option('--picture-inputs <n>', 'of how many inputs', whole(0), 4)
    .option('--hierarchy <file>', 'JSON of nested class names, to hold the tree of classes against')
    .option('--weights <file>', 'alexnet: .safetensors or .npz (default: random weights)')
    .option(
      '--images <file>',
      'alexnet: n × 227 × 227 × 3, .npy or .npz:name; RGB bytes, or floats as the net takes them (default: random)',
    )
    .option('--seed <n>', 'starting vectors, random directions', whole(0), 1)
    .option('--name <name>', 'name of this result', 'default')
    .option('-o, --output <dir>', 'where to write (default: the run itself; needed for alexnet)')
    .option('--resume', 'go on with what an earlier, cut-off call has finished');
  return pictureOptions(command, 'singular vectors, spectra and the other figures').addHelpText(
    'after',
    `
Examples:
  epochscope geometry my-run --layers P1,R3,S5 --inputs 16 --k 100 --snapshots init,last
  epochscope geometry alexnet --weights alexnet.npz --images cats.npy --layers fc7 --k 500 --no-tangents -o fc7`,
  );
}

export async function run([target]: string[], o: Record<string, never>, output: Output): Promise<void> {
  const maps = o.maps as (typeof MAPS)[number];
  const options = {
    layers: o.layers as string[] | undefined,
    k: o.k as number,
    maps: maps === 'both' ? (['depth', 'layer'] as ('depth' | 'layer')[]) : [maps],
    tangents: o.tangents as boolean,
    pictures: o.pictures as number,
    pictureInputs: o.pictureInputs as number,
    hierarchy: o.hierarchy ? await readHierarchy(o.hierarchy) : null,
    seed: o.seed as number,
    name: o.name as string,
    resume: Boolean(o.resume),
    inputs: o.inputs as number,
  };
  const { result, folder } =
    target === 'alexnet'
      ? await geometryOfAlexnet(
          {
            ...options,
            weights: o.weights as string | undefined,
            images: o.images as string | undefined,
            output: (o.output as string | undefined) ?? 'alexnet-geometry',
          },
          output,
        )
      : await geometryOfRun(
          target!,
          { ...options, snapshots: o.snapshots as string[], output: o.output as string | undefined },
          output,
        );
  const pictures = await writePictures(folder, geometryPictures(result), picturesOf(o), output);
  output.result(`${text(result)}\nwritten to ${folder}`, { folder, pictures, spectra: summary(result) });
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
