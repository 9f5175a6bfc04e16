import type { GeometryResult, GeometrySpectrum } from '@epochscope/analysis';
import { describe, expect, it } from 'vitest';
import {
  depthClaim,
  dimensionClaim,
  finetuningClaim,
  hierarchyClaim,
  localityClaim,
  perturbationClaim,
  tangentClaim,
  vectorClaim,
} from './mototake-claims.js';

const phases = { pretrained: 'rbm-3', finetuned: 'last', layers: ['H1', 'H2', 'H3'] };
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
      localityClaim,
    ])
      expect(claim(r, phases).holds, claim.name).toBe(true);
    expect(dimensionClaim(r, phases).figures.mean).toBe(4);
    expect(tangentClaim(r, phases).measured).toContain('rotation 0.80');
    expect(perturbationClaim(r, phases).figures).toMatchObject({ tangent: 1, normal: 0.1 });
    expect(vectorClaim(r, phases).figures.cosine).toBe(0);
    expect(hierarchyClaim().holds).toBeNull();
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
      localityClaim,
    ])
      expect(claim(flat, phases).holds, claim.name).toBe(false);
    expect(() => depthClaim(result({ spectra: spectra.slice(1) }), phases)).toThrow(/no spectrum of H1/);
  });
});
