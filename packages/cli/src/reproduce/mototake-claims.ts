import type {
  ClassTree,
  GeometryResult,
  GeometrySpectrum,
  PerturbationCurves,
  TangentAlignment,
} from '@epochscope/analysis';
import { type HierarchyTest, principalCosines, type Random, random } from '@epochscope/analysis/methods';
import { guard } from '@epochscope/core-wasm';
import type { Claim } from './claims.js';

/** The snapshots compared: after pre-training, after fine-tuning; and the hidden layers from the input on. */
export interface Phases {
  pretrained: string;
  finetuned: string;
  layers: readonly string[];
}

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
    measured: `log10(σ1/σ${found[0]!.at}) ${layers.map((layer) => `${layer} {${layer}}`).join(', ')}`,
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
    measured: `{mean:1} at ${last} (over the inputs ± {sd:1})`,
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
  // Input by input: means hide inputs at which it goes the other way.
  const { values } = before.dimensions.atLeastOne;
  const inputs = values.length;
  const sumAt = ({ sigma, k: width }: GeometrySpectrum, i: number) =>
    sigma.subarray(i * width, (i + 1) * width).reduce((sum, s) => sum + s, 0);
  let [more, sums] = [0, 0];
  for (let i = 0; i < inputs; i++) {
    more += Number(after.dimensions.atLeastOne.values[i]! > values[i]!) / inputs;
    sums += Number(sumAt(after, i) > sumAt(before, i)) / inputs;
  }
  return {
    id: 'larger-after-fine-tuning',
    claim: 'After fine-tuning, singular values are larger on the whole, and more are ≥ 1',
    where: '§6, fig. 6 top right',
    paper: null,
    measured: `{shareLarger:%0} of the first ${k} larger at ${last}, σ1 {firstBefore} → {firstAfter}; σ ≥ 1: {atLeastOneBefore:1} → {atLeastOneAfter:1}; of ${inputs} inputs {moreAtLeastOne:%0} have more σ ≥ 1, {largerSum:%0} a larger Σσ`,
    figures: {
      shareLarger: larger,
      firstBefore: before.mean[0]!,
      firstAfter: after.mean[0]!,
      atLeastOneBefore: b,
      atLeastOneAfter: a,
      moreAtLeastOne: more,
      largerSum: sums,
    },
    holds: more >= 0.9 && sums >= 0.9,
    rule: 'at nine inputs of ten more σ are ≥ 1, and Σσ is larger',
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
    measured: `mean cosine {cosine} between the spans of the first right vectors at ${last} before and after`,
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
    measured: `cosine to the span of the first ${found[0]!.k} at ${last}: ${names.map((name) => `${name} {${name}}`).join(', ')}`,
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
    measured: `a step of 1 moves ${last} by {normal:3} across and {tangent:3} along (random mixtures of the first ${curves.k} right vectors)`,
    figures: { tangent, normal, rotation: moved('rotation'), random: moved('random') },
    holds: tangent === null || normal === null ? null : normal < 0.5 * tangent,
    rule: 'across is under half of along',
  };
}

function movedBy(curves: PerturbationCurves, name: string, step: number): number | null {
  const row = curves.names.indexOf(name);
  return row < 0 ? null : curves.moved[row * curves.lengths.length + step]!;
}

/** σ at or below this part of the largest is 0 within rounding, and its vector any of a null space. */
const NULL_SHARE = 1e-6;

/** Where a vector lives: on how many pixels ((Σv²)²/Σv⁴ over pixels, channels together), and how far from its centre (root mean square, pixels). */
export function localityOf(
  right: Float32Array,
  [, width = 1, channels = 1]: readonly number[],
): { pixels: number; radius: number } {
  let [squares, fourths, sx, sy] = [0, 0, 0, 0];
  const energy = Float64Array.from({ length: right.length / channels }, (_, p) => {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += right[p * channels + c]! ** 2;
    return sum;
  });
  energy.forEach((e, p) => {
    squares += e;
    fourths += e * e;
    sx += e * (p % width);
    sy += e * Math.floor(p / width);
  });
  const [cx, cy] = [sx / squares, sy / squares];
  let spread = 0;
  energy.forEach((e, p) => {
    spread += e * ((p % width) - cx) ** 2 + e * (Math.floor(p / width) - cy) ** 2;
  });
  return { pixels: (squares * squares) / fourths, radius: Math.sqrt(spread / squares) };
}

/**
 * "The larger the value, the more local the vector" (said of ImageNet): pixels the first right vector lives on, and the last kept one
 * whose σ is no rounding. `spectrum` null: that net was not run.
 */
export function localityClaim(
  spectrum: GeometrySpectrum | null,
  id: string,
  net: string,
  reason = '',
): Claim {
  const shared = {
    id,
    claim: `Vectors of large values are local in space, those of small values spread widely (${net})`,
    where: '§7, fig. 9 (ImageNet; "MNIST is similar")',
    paper: null,
    rule: 'the first lives on fewer pixels ((Σv²)²/Σv⁴) than the smallest with σ over 1e-6 of the largest',
  };
  const none = { first: null, last: null, firstRadius: null, lastRadius: null };
  if (!spectrum?.vectors.length)
    return {
      ...shared,
      measured: 'not measured',
      figures: none,
      holds: null,
      note: reason || 'no vectors were kept',
    };
  const { vectors, columns, columnShape, sigma, k, to } = spectrum;
  const rows = vectors.map(({ input, triplets, right }) => {
    const own = sigma.subarray(input * k, (input + 1) * k);
    let last = triplets.length - 1;
    while (last > 0 && own[triplets[last]!]! <= NULL_SHARE * own[0]!) last--;
    const at = (row: number) => localityOf(right.subarray(row * columns, (row + 1) * columns), columnShape);
    return { first: at(0), last: at(last), which: triplets[last]! + 1 };
  });
  const mean = (pick: (row: (typeof rows)[number]) => number) =>
    rows.reduce((sum, row) => sum + pick(row), 0) / rows.length;
  const figures = {
    first: mean((row) => row.first.pixels),
    last: mean((row) => row.last.pixels),
    firstRadius: mean((row) => row.first.radius),
    lastRadius: mean((row) => row.last.radius),
    which: mean((row) => row.which),
  };
  return {
    ...shared,
    measured: `at ${to} the first right vector lives on {first:0} pixels within a radius of {firstRadius:1}, the smallest that is no rounding, number {which:0} on average, on {last:0} within {lastRadius:1}`,
    figures,
    holds: figures.first < figures.last,
  };
}

/** "The output is a global coordinate system": the first left vectors span about the same space at every input. */
export function leftClaim(result: GeometryResult, { pretrained, layers }: Phases, seed: number): Claim {
  const last = layers[layers.length - 1]!;
  const { vectors, rows } = spectrumAt(result, pretrained, last);
  const count = Math.max(1, Math.min(LEFT, rows, ...vectors.map(({ triplets }) => triplets.length - 1)));
  const spaces = vectors.map(({ left }) => Float64Array.from(left.subarray(0, count * rows)));
  const source = random(seed, 0x1ef7);
  const others = vectors.map(() => orthonormal(count, rows, source));
  const cosine = meanCosine(spaces, count, rows);
  const chance = meanCosine(others, count, rows);
  return {
    id: 'left-vectors-agree',
    claim:
      'The layer is a global coordinate system: the first left vectors span the same space at every input',
    where: '§6 (said of the output layer)',
    paper: null,
    measured: `mean cosine of the principal angles between the spaces of the first ${count} left vectors of two inputs at ${last}: {cosine}; of random spaces {chance}`,
    figures: { cosine, chance },
    holds: cosine === null || chance === null ? null : cosine > 0.9,
    rule: 'the mean cosine is over 0.9 (1: the same space at every input)',
    ...(cosine === null ? { note: 'fewer than two inputs keep vectors' } : {}),
  };
}
const LEFT = 6;

/** Mean over pairs of spaces of the mean cosine of their principal angles; null for fewer than two. */
function meanCosine(spaces: readonly Float64Array[], count: number, rows: number): number | null {
  let [sum, pairs] = [0, 0];
  spaces.forEach((a, i) => {
    const vectors = Array.from({ length: count }, (_, t) => a.subarray(t * rows, (t + 1) * rows));
    for (const b of spaces.slice(i + 1)) {
      const cosines = Array.from(principalCosines(vectors, b, count, rows)).filter((c) => c >= 0);
      sum += cosines.reduce((x, y) => x + y, 0) / cosines.length;
      pairs++;
    }
  });
  return pairs ? sum / pairs : null;
}

/** So many random orthonormal rows (Gram–Schmidt, twice). */
function orthonormal(count: number, size: number, source: Random): Float64Array {
  const out = new Float64Array(count * size);
  for (let t = 0; t < count; t++) {
    const row = out.subarray(t * size, (t + 1) * size);
    for (let i = 0; i < size; i++) row[i] = source.normal();
    for (let pass = 0; pass < 2; pass++) {
      for (let s = 0; s < t; s++) {
        const other = out.subarray(s * size, (s + 1) * size);
        const part = row.reduce((sum, v, i) => sum + v * other[i]!, 0);
        for (let i = 0; i < size; i++) row[i]! -= part * other[i]!;
      }
      const length = Math.sqrt(row.reduce((sum, v) => sum + v * v, 0));
      for (let i = 0; i < size; i++) row[i]! /= length;
    }
  }
  return out;
}

/** "Spectra of classes recover their semantic hierarchy" (ImageNet), on CIFAR-10; null: that net was not run. */
export function hierarchyClaim(
  found: { tree: ClassTree; test: HierarchyTest } | null,
  reason: string,
): Claim {
  const shared = {
    id: 'class-hierarchy',
    claim: 'Spectra of classes alone recover their semantic hierarchy',
    where: '§7 (ImageNet; here CIFAR-10)',
    paper: null,
    rule: 'the cophenetic correlation with a hierarchy of the ten classes is larger than of classes shuffled, p under 0.05',
  };
  if (!found)
    return {
      ...shared,
      measured: 'not measured',
      figures: { correlation: null, p: null },
      holds: null,
      note: reason,
    };
  const { correlation, p } = found.test;
  return {
    ...shared,
    measured: `r {correlation}, p {p:3} at ${found.tree.to} (shuffled classes, ${found.test.permutations} times)`,
    figures: { correlation: correlation.value, p: p.value },
    holds: p.value === null ? null : p.value < 0.05,
    ...(p.value === null ? { note: correlation.reason ?? p.reason } : {}),
  };
}
