import { createEngine } from '@epochscope/analysis';
import {
  curvatureAlong,
  manifolds,
  principalCosines,
  random,
  type SmoothJvp,
  spectrumOf,
  TANGENTS,
  tangentVectors,
} from '@epochscope/analysis/methods';
import type { Claim } from './claims.js';

/** Places on each artificial surface: two coordinates of its own. */
const PLACES: Record<string, readonly (readonly [number, number])[]> = {
  sphere: [
    [0.7, 0.4],
    [-2, 1.2],
  ],
  torus: [
    [0.3, 0],
    [1, 0.8],
    [-1, 3],
  ],
  'Swiss roll': [
    [5, 0],
    [9, 2],
    [13, -4],
  ],
};
const COLUMNS = 20;

/** The paper's check on artificial data: dimension, tangents and curvature where they are known. */
export async function manifoldClaim(seed: number): Promise<Claim> {
  const engine = createEngine();
  let [right, places, leastCosine, error, estimate] = [0, 0, 1, 0, 0];
  try {
    for (const manifold of manifolds({ columns: COLUMNS, seed }))
      for (const [u, v] of PLACES[manifold.name]!) {
        const { x, tangents, curvatures } = manifold.point(u, v);
        const product = (block: Float32Array, count: number) => {
          const out = new Float32Array(count * COLUMNS);
          for (let i = 0; i < count; i++)
            out.set(
              manifold.jvp(x, Float64Array.from(block.subarray(i * COLUMNS, (i + 1) * COLUMNS))),
              i * COLUMNS,
            );
          return out;
        };
        const found = await spectrumOf(
          engine,
          { rows: COLUMNS, columns: COLUMNS, jvp: product, vjp: product },
          { k: 6, seed },
        );
        places++;
        right += Number(found.sigma.filter((s) => s >= 1).length === manifold.dimension);
        const cosines = principalCosines(tangents, found.v.data, manifold.dimension, COLUMNS);
        leastCosine = Math.min(leastCosine, cosines[manifold.dimension - 1]!);
        for (const [i, tangent] of tangents.entries()) {
          const own = curvatureAlong(manifold.jvp, x, tangent);
          error = Math.max(
            error,
            Math.abs((own.curvature.value ?? Number.MAX_VALUE) - curvatures[i]! / manifold.scale),
          );
          estimate = Math.max(estimate, own.error ?? Number.MAX_VALUE);
        }
      }
  } finally {
    await engine.close();
  }
  return {
    id: 'artificial-manifolds',
    claim: 'On artificial manifolds of known shape, dimension, tangents and curvature come out right',
    where: '§6 (“verification with artificial data”, not shown)',
    paper: null,
    measured: `sphere, torus and Swiss roll in ${COLUMNS} dimensions: dimension right at {right:%0} of ${places} places, least cosine to the known tangents {cosine:6}, curvature off by at most {error:e} (estimated {estimate:e})`,
    figures: { right: right / places, cosine: leastCosine, error, estimate },
    holds: right === places && leastCosine > 1 - 1e-5 && error < 1e-6,
    rule: 'the dimension everywhere, cosines over 1 − 1e-5, curvatures within 1e-6 of the known ones',
  };
}

/** How a map bends along the tangents of pictures, and along random directions. */
export interface Bending {
  snapshot: string;
  /** Why there is none: a net with ReLUs. */
  reason: string | null;
  /** Per direction, at each input: curvature with its error, and how fast the output moves; null where it does not settle. */
  along: Map<string, ({ curvature: number; error: number; speed: number } | null)[]>;
}

export function bendingOf(
  map: { jvp: SmoothJvp } | { reason: string },
  snapshot: string,
  pixels: { data: ArrayLike<number> },
  samples: readonly number[],
  shape: readonly [number, number, number],
  seed: number,
): Bending {
  const along: Bending['along'] = new Map();
  if ('reason' in map) return { snapshot, reason: map.reason, along };
  const size = shape[0] * shape[1] * shape[2];
  samples.forEach((sample, input) => {
    const x = Float64Array.from({ length: size }, (_, i) => Number(pixels.data[sample * size + i]) / 255);
    const source = random(seed, 0xc0, input);
    const directions: [string, Float64Array][] = [
      ...tangentVectors(x, shape),
      ['random', Float64Array.from({ length: size }, () => source.normal())],
    ];
    for (const [name, direction] of directions) {
      const list = along.get(name) ?? [];
      along.set(name, list);
      if (!direction.some((value) => value !== 0)) {
        list.push(null);
        continue;
      }
      const { curvature, error, speed } = curvatureAlong(map.jvp, x, direction);
      list.push(curvature.value === null ? null : { curvature: curvature.value, error: error!, speed });
    }
  });
  return { snapshot, reason: null, along };
}

/** Radians that the output's path turns in a step of 1 of the input; mean over inputs and directions. */
function turning({ along }: Bending, names: readonly string[]): number | null {
  const known = names.flatMap((name) => (along.get(name) ?? []).filter((one) => one !== null));
  return known.length
    ? known.reduce((sum, { curvature, speed }) => sum + curvature * speed, 0) / known.length
    : null;
}

/** The paper's open point, measured: how much the map bends along each direction, with the error, before and after fine-tuning. Markdown. */
export function curvatureRemark(bending: readonly Bending[], layer: string): string {
  const rows = bending.flatMap(({ snapshot, reason, along }) =>
    reason !== null
      ? [`| ${snapshot} | all | – | – | – | ${reason} |`]
      : [...along].map(([name, list]) => {
          const known = list.filter((one) => one !== null);
          const mean = (pick: (one: (typeof known)[number]) => number) =>
            known.reduce((sum, one) => sum + pick(one), 0) / known.length;
          return `| ${snapshot} | ${name} | ${known.length ? mean((one) => one.curvature).toFixed(3) : '–'} | ${known.length ? mean((one) => one.error).toExponential(1) : '–'} | ${known.length ? mean((one) => one.speed).toFixed(3) : '–'} | ${known.length} of ${list.length} inputs |`;
        }),
  );
  const text = (value: number | null) => value?.toFixed(2) ?? '–';
  const turns = bending
    .filter(({ reason }) => reason === null)
    .map(
      (one) =>
        `${text(turning(one, TANGENTS))} along tangents and ${text(turning(one, ['random']))} along random directions at ${one.snapshot}`,
    );
  return [
    [
      `The paper’s open point, the curvature of the map along tangents: of the path that ${layer} takes along a direction, |f″⊥| / |f′|², by central differences of J·v in float64; means over the inputs at which it can be told from its error.`,
      'Nets with ReLUs have none: they are piecewise linear.',
      ...(turns.length ? [`Radians that the path turns in a step of 1: ${turns.join('; ')}.`] : []),
    ].join(' '),
    '',
    '| snapshot | direction | curvature | estimated error | speed | |',
    '| --- | --- | ---: | ---: | ---: | --- |',
    ...rows,
  ].join('\n');
}
