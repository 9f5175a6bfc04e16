import type {
  GeometryResult,
  GeometrySpectrum,
  PerturbationCurves,
  TangentAlignment,
} from '@epochscope/analysis';
import { principalCosines } from '@epochscope/analysis/methods';
import { guard } from '@epochscope/core-wasm';
import type { Claim } from './claims.js';

/** The snapshots compared: after pre-training, after fine-tuning; and the hidden layers from the input on. */
export interface Phases {
  pretrained: string;
  finetuned: string;
  layers: readonly string[];
}

const fixed = (x: number, digits = 2) => x.toFixed(digits);

export function spectrumAt(result: GeometryResult, snapshot: string, to: string): GeometrySpectrum {
  const found = result.spectra.find((s) => s.kind === 'depth' && s.snapshot.id === snapshot && s.to === to);
  guard(found, 'missing', () => `the result holds no spectrum of ${to} at ${snapshot}`);
  return found;
}

/** log10(σ₁/σ_n) of the mean spectrum, n = 50 or the last. */
export function steepness({ mean, k }: GeometrySpectrum): { value: number; at: number } {
  const at = Math.min(50, k);
  return { value: Math.log10(mean[0]! / Math.max(mean[at - 1]!, 1e-12 * mean[0]!)), at };
}

/** "Layer spectra get steeper with depth" (figure 6, top left). */
export function depthClaim(result: GeometryResult, { pretrained, layers }: Phases): Claim {
  const found = layers.map((layer) => steepness(spectrumAt(result, pretrained, layer)));
  const rising = found.every(({ value }, i) => i === 0 || value > found[i - 1]!.value);
  return {
    id: 'steeper-with-depth',
    claim: 'After pre-training, spectra get steeper from layer to layer',
    where: '§6, fig. 6 top left',
    paper: null,
    measured: `log10(σ1/σ${found[0]!.at}) ${layers.map((layer, i) => `${layer} ${fixed(found[i]!.value)}`).join(', ')}`,
    figures: Object.fromEntries(layers.map((layer, i) => [layer, found[i]!.value])),
    holds: rising,
    rule: 'log10(σ1/σ50) of the mean spectrum rises with every layer',
  };
}

/** "O(1) singular values ≥ 1 in the third layer". */
export function dimensionClaim(result: GeometryResult, { pretrained, layers }: Phases): Claim {
  const last = layers[layers.length - 1]!;
  const { atLeastOne } = spectrumAt(result, pretrained, last).dimensions;
  return {
    id: 'dimension',
    claim: `After pre-training, the third layer has O(1) singular values ≥ 1`,
    where: '§6',
    paper: 'O(1)',
    measured: `${fixed(atLeastOne.mean, 1)} ± ${fixed(atLeastOne.sd.value ?? 0, 1)} at ${last}`,
    figures: { mean: atLeastOne.mean, sd: atLeastOne.sd.value },
    holds: atLeastOne.mean >= 1 && atLeastOne.mean <= 10,
    rule: 'the mean over inputs lies between 1 and 10',
  };
}

/** "Values grow on the whole, and more are ≥ 1, after fine-tuning". */
export function finetuningClaim(result: GeometryResult, { pretrained, finetuned, layers }: Phases): Claim {
  const last = layers[layers.length - 1]!;
  const before = spectrumAt(result, pretrained, last);
  const after = spectrumAt(result, finetuned, last);
  const k = Math.min(before.k, after.k);
  let larger = 0;
  for (let i = 0; i < k; i++) larger += Number(after.mean[i]! > before.mean[i]!) / k;
  const [b, a] = [before.dimensions.atLeastOne.mean, after.dimensions.atLeastOne.mean];
  return {
    id: 'larger-after-fine-tuning',
    claim: 'After fine-tuning, singular values are larger on the whole, and more are ≥ 1',
    where: '§6, fig. 6 top right',
    paper: null,
    measured: `${Math.round(100 * larger)} % of the first ${k} larger at ${last}, σ1 ${fixed(before.mean[0]!)} → ${fixed(after.mean[0]!)}; σ ≥ 1: ${fixed(b, 1)} → ${fixed(a, 1)}`,
    figures: {
      shareLarger: larger,
      firstBefore: before.mean[0]!,
      firstAfter: after.mean[0]!,
      atLeastOneBefore: b,
      atLeastOneAfter: a,
    },
    holds: larger >= 0.9 && a > b,
    rule: 'at least 90 % of the mean σ are larger, and more are ≥ 1',
  };
}

/** "The vectors change with fine-tuning": principal angles between the kept right vectors before and after. */
export function vectorClaim(result: GeometryResult, { pretrained, finetuned, layers }: Phases): Claim {
  const last = layers[layers.length - 1]!;
  const before = spectrumAt(result, pretrained, last);
  const after = spectrumAt(result, finetuned, last);
  const cosines = before.vectors.map((one, i) => {
    const other = after.vectors[i]!;
    // The first ones; the last kept triplet is the smallest.
    const count = Math.max(1, Math.min(6, one.triplets.length - 1, other.triplets.length - 1));
    const rows = Array.from({ length: count }, (_, t) =>
      Float64Array.from(one.right.subarray(t * before.columns, (t + 1) * before.columns)),
    );
    const right = Float64Array.from(other.right.subarray(0, count * before.columns));
    const found = Array.from(principalCosines(rows, right, count, before.columns)).filter((c) => c >= 0);
    return found.reduce((sum, c) => sum + c, 0) / found.length;
  });
  const mean = cosines.length ? cosines.reduce((sum, c) => sum + c, 0) / cosines.length : null;
  return {
    id: 'vectors-change',
    claim: 'Fine-tuning changes the singular vectors',
    where: '§6, fig. 6 bottom',
    paper: null,
    measured:
      mean === null
        ? 'no vectors were kept'
        : `mean cosine ${fixed(mean)} between the spans of the first right vectors at ${last} before and after`,
    figures: { cosine: mean },
    holds: mean === null ? null : mean < 0.9,
    rule: 'the mean cosine of the principal angles is under 0.9 (1: the same span)',
  };
}

const LIKE = ['rotation', 'translation x', 'translation y'] as const;

/** Cosine of a named direction at the largest k not over `most`. */
export function cosineAt(
  alignment: TangentAlignment,
  name: string,
  most = Number.POSITIVE_INFINITY,
): { mean: number; sd: number; k: number } {
  let s = 0;
  alignment.ks.forEach((k, i) => {
    if (k <= most) s = i;
  });
  const at = alignment.names.indexOf(name) * alignment.ks.length + s;
  return { mean: alignment.cosine[at]!, sd: alignment.sd[at]!, k: alignment.ks[s]! };
}

/** "Right singular vectors look like rotation and translation". */
export function tangentClaim(result: GeometryResult, { pretrained, layers }: Phases): Claim {
  const last = layers[layers.length - 1]!;
  const alignment = result.alignments.find((a) => a.snapshot.id === pretrained && a.to === last);
  guard(alignment, 'missing', () => `the result holds no alignment of ${last} at ${pretrained}`);
  const names = [...LIKE, 'shuffled', 'random'];
  const found = names.map((name) => cosineAt(alignment, name));
  const base = found[3]!.mean;
  return {
    id: 'vectors-like-tangents',
    claim: 'Right singular vectors are like tangent vectors of rotation and translation',
    where: '§6, figs 6 and 7',
    paper: null,
    measured: `cosine to the span of the first ${found[0]!.k} at ${last}: ${names.map((name, i) => `${name} ${fixed(found[i]!.mean)}`).join(', ')}`,
    figures: Object.fromEntries(names.map((name, i) => [name, found[i]!.mean])),
    holds: found.slice(0, 3).every(({ mean }) => mean > 1.5 * base),
    rule: "each is over 1.5 times as near to the span as its own pixels shuffled (a random picture's cosine)",
  };
}

/** "Normal directions move the output less". */
export function perturbationClaim(result: GeometryResult, { pretrained, layers }: Phases): Claim {
  const last = layers[layers.length - 1]!;
  const curves = result.perturbations.find((c) => c.snapshot.id === pretrained && c.to === last);
  guard(curves, 'missing', () => `the result holds no steps of ${last} at ${pretrained}`);
  const step = curves.lengths.indexOf(1);
  const moved = (name: string) => movedBy(curves, name, step);
  const [tangent, normal] = [moved('tangent'), moved('normal')];
  return {
    id: 'normal-moves-less',
    claim: 'Steps along normal directions move the output less than steps along tangent ones',
    where: '§7 (said of ImageNet)',
    paper: null,
    measured:
      tangent === null || normal === null
        ? 'there is no normal direction'
        : `a step of 1 moves ${last} by ${fixed(normal, 3)} across and ${fixed(tangent, 3)} along (random mixtures of the first ${curves.k} right vectors)`,
    figures: { tangent, normal, rotation: moved('rotation'), random: moved('random') },
    holds: tangent === null || normal === null ? null : normal < 0.5 * tangent,
    rule: 'across is under half of along',
  };
}

function movedBy(curves: PerturbationCurves, name: string, step: number): number | null {
  const row = curves.names.indexOf(name);
  return row < 0 ? null : curves.moved[row * curves.lengths.length + step]!;
}

/** "The larger the value, the more local the vector" (said of ImageNet): pixels a vector lives on. */
export function localityClaim(result: GeometryResult, { pretrained, layers }: Phases): Claim {
  const last = layers[layers.length - 1]!;
  const { vectors, columns, k } = spectrumAt(result, pretrained, last);
  const pixels = (right: Float32Array, row: number) => {
    let [squares, fourths] = [0, 0];
    for (const v of right.subarray(row * columns, (row + 1) * columns)) {
      squares += v * v;
      fourths += v ** 4;
    }
    return (squares * squares) / fourths;
  };
  const mean = (pick: (v: (typeof vectors)[number]) => number) =>
    vectors.reduce((sum, v) => sum + pick(v), 0) / vectors.length;
  const first = mean(({ right }) => pixels(right, 0));
  const smallest = mean(({ right, triplets }) => pixels(right, triplets.length - 1));
  return {
    id: 'large-is-local',
    claim: 'Vectors of large values are local in space, those of small values spread widely',
    where: '§7, fig. 9 (ImageNet; "MNIST is similar")',
    paper: null,
    measured: `the first right vector at ${last} lives on ${fixed(first, 0)} of ${columns} pixels, the ${k}th on ${fixed(smallest, 0)}`,
    figures: { first, smallest, pixels: columns },
    holds: vectors.length ? first < smallest : null,
    rule: 'the first lives on fewer pixels ((Σv²)²/Σv⁴) than the smallest computed',
  };
}

/** "Spectra alone recover the semantic hierarchy" needs ImageNet's classes. */
export function hierarchyClaim(): Claim {
  return {
    id: 'class-hierarchy',
    claim: 'Spectra of classes alone recover their semantic hierarchy',
    where: '§7 (ImageNet)',
    paper: null,
    measured: 'not measured',
    figures: {},
    holds: null,
    rule: 'cophenetic correlation with WordNet over 0.5',
    note: 'digits have no such hierarchy; epochscope geometry --hierarchy measures it where classes have one',
  };
}
