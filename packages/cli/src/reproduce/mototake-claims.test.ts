import type { GeometryResult, GeometrySpectrum } from '@epochscope/analysis';
import { describe, expect, it } from 'vitest';
import { combineClaims } from './claims.js';
import {
  depthClaim,
  dimensionClaim,
  finetuningClaim,
  hierarchyClaim,
  leftClaim,
  localityClaim,
  localityOf,
  perturbationClaim,
  spectrumAt,
  tangentClaim,
  vectorClaim,
} from './mototake-claims.js';
import { bendingOf, curvatureRemark, manifoldClaim } from './mototake-curvature.js';

const phases = { pretrained: 'rbm-3', finetuned: 'last', layers: ['H1', 'H2', 'H3'] };
const locality = (r: GeometryResult, { pretrained, layers }: typeof phases) =>
  localityClaim(spectrumAt(r, pretrained, layers.at(-1)!), 'large-is-local', 'net');
const spread = (mean: number) => ({ mean, sd: { value: 1 }, values: Float64Array.of(mean) });

/** A spectrum falling by `fall` a value from `first`; vectors: unit vectors from `axis` on, the last one flat. */
function spectrum(id: string, to: string, first: number, fall: number, axis = 0): GeometrySpectrum {
  const mean = Float64Array.from({ length: 60 }, (_, i) => first * fall ** i);
  const right = new Float64Array(3 * 9);
  right[axis] = 1;
  right[9 + axis + 1] = 1;
  right.fill(1 / 3, 18);
  return {
    snapshot: { id, epoch: null, step: null },
    kind: 'depth',
    from: 'input',
    to,
    rows: 60,
    columns: 9,
    rowShape: [60],
    columnShape: [3, 3, 1],
    k: 60,
    whole: true,
    explicit: true,
    sigma: mean,
    mean,
    sd: new Float64Array(60),
    dimensions: {
      atLeastOne: spread(mean.filter((s) => s >= 1).length),
      effectiveRank: spread(3),
      participationRatio: spread(2),
    },
    unconverged: 0,
    worstResidual: 0,
    vectors: [
      {
        input: 0,
        triplets: Uint32Array.of(0, 1, 59),
        right: Float32Array.from(right),
        left: new Float32Array(0),
      },
    ],
  };
}

function result(change: Partial<GeometryResult> = {}): GeometryResult {
  return {
    spectra: [
      spectrum('rbm-3', 'H1', 2, 0.99),
      spectrum('rbm-3', 'H2', 2, 0.9),
      spectrum('rbm-3', 'H3', 2, 0.8),
      spectrum('last', 'H3', 4, 0.8, 4),
    ],
    alignments: [
      {
        snapshot: { id: 'rbm-3', epoch: null, step: null },
        to: 'H3',
        names: ['rotation', 'translation x', 'translation y', 'random', 'shuffled'],
        ks: Uint32Array.of(1, 50),
        cosine: Float64Array.of(0.1, 0.8, 0.1, 0.7, 0.1, 0.6, 0, 0.25, 0, 0.3),
        sd: new Float64Array(10),
        principal: new Float64Array(0),
        principalRandom: new Float64Array(0),
        vanished: {},
      },
    ],
    perturbations: [
      {
        snapshot: { id: 'rbm-3', epoch: null, step: null },
        to: 'H3',
        lengths: Float64Array.of(0.1, 1),
        names: ['tangent', 'normal', 'random', 'rotation'],
        k: 50,
        moved: Float64Array.of(0.1, 1, 0.01, 0.1, 0.05, 0.4, 0.1, 0.9),
        sd: new Float64Array(8),
      },
    ],
    ...change,
  } as GeometryResult;
}

describe('the claims of Mototake & Ikegami', () => {
  it('hold for figures that show them', () => {
    const r = result();
    for (const claim of [
      depthClaim,
      dimensionClaim,
      finetuningClaim,
      vectorClaim,
      tangentClaim,
      perturbationClaim,
      locality,
    ])
      expect(claim(r, phases).holds, claim.name).toBe(true);
    expect(dimensionClaim(r, phases).figures.mean).toBe(4);
    expect(combineClaims([tangentClaim(r, phases)]).measured).toContain('rotation 0.80');
    expect(perturbationClaim(r, phases).figures).toMatchObject({ tangent: 1, normal: 0.1 });
    expect(vectorClaim(r, phases).figures.cosine).toBe(0);
    expect(hierarchyClaim(null, 'not given')).toMatchObject({ holds: null, note: 'not given' });
  });

  it('do not hold for figures that deny them', () => {
    const { spectra, alignments, perturbations } = result();
    const flat = result({
      spectra: [
        spectrum('rbm-3', 'H1', 0.5, 0.8),
        spectrum('rbm-3', 'H2', 0.5, 0.9),
        spectrum('rbm-3', 'H3', 0.5, 0.99),
        spectrum('last', 'H3', 0.4, 0.99),
      ],
      alignments: [{ ...alignments[0]!, cosine: new Float64Array(10).fill(0.3) }],
      perturbations: [{ ...perturbations[0]!, moved: new Float64Array(8).fill(1) }],
    });
    flat.spectra[2]!.vectors[0]!.right.reverse();
    flat.spectra[3]!.vectors[0]!.right.reverse();
    for (const claim of [
      depthClaim,
      dimensionClaim,
      finetuningClaim,
      vectorClaim,
      tangentClaim,
      perturbationClaim,
      locality,
    ])
      expect(claim(flat, phases).holds, claim.name).toBe(false);
    expect(() => depthClaim(result({ spectra: spectra.slice(1) }), phases)).toThrow(/no spectrum of H1/);
  });

  it('judges fine-tuning input by input', () => {
    const r = result();
    const [before, after] = [r.spectra[2]!, r.spectra[3]!];
    // The mean grows by one input alone.
    const two = (s: GeometrySpectrum, counts: number[], first: number[]) => ({
      ...s,
      sigma: Float64Array.from(first.flatMap((x) => [x, ...new Array(59).fill(0)])),
      dimensions: { ...s.dimensions, atLeastOne: { ...spread(3), values: Float64Array.from(counts) } },
    });
    const one = {
      ...r,
      spectra: [r.spectra[0]!, r.spectra[1]!, two(before, [2, 2], [1, 1]), two(after, [9, 1], [9, 0.5])],
    };
    expect(finetuningClaim(one, phases)).toMatchObject({
      holds: false,
      figures: { moreAtLeastOne: 0.5, largerSum: 0.5 },
    });
  });

  it('left vectors: the same space at every input, and others', () => {
    const at = (axis: number) => {
      const left = new Float32Array(3 * 60);
      left[axis] = 1;
      left[60 + axis + 1] = 1;
      left[120 + axis + 2] = 1;
      return { input: 0, triplets: Uint32Array.of(0, 1, 59), right: new Float32Array(27), left };
    };
    const of = (...axes: number[]) => {
      const r = result();
      r.spectra[2] = { ...r.spectra[2]!, vectors: axes.map(at) };
      return leftClaim(r, phases, 1);
    };
    expect(of(0, 0, 0)).toMatchObject({ holds: true, figures: { cosine: 1 } });
    expect(of(0, 10)).toMatchObject({ holds: false, figures: { cosine: 0 } });
    expect(of(0, 10).figures.chance).toBeLessThan(0.4);
    expect(of(0).holds).toBeNull();
  });

  it('locality: pixels and radius, over channels, without vectors of no σ', () => {
    const point = new Float32Array(27);
    point[12] = 1;
    expect(localityOf(point, [3, 3, 3])).toEqual({ pixels: 1, radius: 0 });
    const even = localityOf(new Float32Array(27).fill(1), [3, 3, 3]);
    expect(even.pixels).toBeCloseTo(9);
    // Mean square distance from the centre of a 3 × 3 square: 2 · (2/3).
    expect(even.radius).toBeCloseTo(Math.sqrt(4 / 3));
    const own = spectrum('a', 'H3', 2, 0.8);
    expect(localityClaim(own, 'x', 'net').figures.which).toBe(60);
    const vanished = { ...own, sigma: own.sigma.map((s, i) => (i === 59 ? 1e-9 : s)) };
    expect(localityClaim(vanished, 'x', 'net').figures.which).toBe(2);
    expect(localityClaim(null, 'x', 'net', 'not run')).toMatchObject({ holds: null, note: 'not run' });
  });
});

describe('artificial manifolds and curvature', () => {
  it('come out right on surfaces that are known', async () => {
    const { holds, figures } = await manifoldClaim(2);
    expect(holds).toBe(true);
    expect(figures.right).toBe(1);
    expect(figures.error).toBeLessThan(1e-7);
  });

  it('of pictures: along each direction, left out where there is none, with the reason for other nets', () => {
    const pixels = { data: Uint8Array.from({ length: 2 * 25 }, (_, i) => (i < 25 ? (i * 37) % 256 : 0)) };
    // x ↦ (Σx, (Σx)²/2): a path that bends.
    const jvp = (x: Float64Array, v: Float64Array) => {
      const sum = (list: Float64Array) => list.reduce((a, b) => a + b, 0);
      return Float64Array.of(sum(v), sum(x) * sum(v));
    };
    const bending = bendingOf({ jvp }, 'last', pixels, [0, 1], [5, 5, 1], 1);
    const random = bending.along.get('random')!;
    const s = pixels.data.slice(0, 25).reduce((a, b) => a + b / 255, 0);
    // Of the parabola (t, t²/2) at t = Σx.
    expect(random[0]!.curvature).toBeCloseTo(1 / (1 + s * s) ** 1.5, 8);
    // A blank picture has no tangent.
    expect(bending.along.get('rotation')![1]).toBeNull();
    const other = bendingOf({ reason: 'R1 is a relu' }, 'init', pixels, [0], [5, 5, 1], 1);
    const text = curvatureRemark([other, bending], 'H3');
    expect(text).toContain('| init | all | – | – | – | R1 is a relu |');
    expect(text).toMatch(/\| last \| rotation \| .* \| 1 of 2 inputs \|/);
    expect(text).toMatch(/Radians .* along tangents and .* along random directions at last/);
  });
});
