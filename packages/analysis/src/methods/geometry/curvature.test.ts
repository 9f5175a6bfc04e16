import { createInlineEngine } from '@epochscope/analysis';
import { describe, expect, it } from 'vitest';
import { smoothJvp } from '../../models/graph/index.js';
import type { Graph } from '../../models/graph/types.js';
import { random } from '../../random.js';
import { curvatureAlong, dimensionsOf, manifolds, principalCosines, spectrumOf } from './index.js';

const engine = createInlineEngine();

/** Places on each surface: [u, v] of sphere and torus; turn and height of the Swiss roll. */
const PLACES: Record<string, [number, number][]> = {
  sphere: [
    [0, 0],
    [0.7, 0.4],
    [-2, 1.2],
  ],
  // Outer side, a quarter up, the top (flat around the axis), inner side.
  torus: [
    [0.3, 0],
    [1, Math.PI / 4],
    [2, Math.PI / 2],
    [-1, Math.PI],
  ],
  'Swiss roll': [
    [5, 0],
    [8.5, -3],
    [13, 7],
  ],
};
const cases = manifolds().flatMap((manifold) =>
  PLACES[manifold.name]!.map(([u, v]) => ({ name: `${manifold.name} at ${u}, ${v}`, manifold, u, v })),
);

describe('on surfaces of known shape', () => {
  it.each(cases)('dimension and tangents come out right: $name', async ({ manifold, u, v }) => {
    const { x, tangents } = manifold.point(u, v);
    const { columns, scale } = manifold;
    const product = (block: Float32Array, count: number) => {
      const out = new Float32Array(count * columns);
      for (let i = 0; i < count; i++)
        out.set(
          manifold.jvp(x, Float64Array.from(block.subarray(i * columns, (i + 1) * columns))),
          i * columns,
        );
      return out;
    };
    const found = await spectrumOf(
      engine,
      { rows: columns, columns, jvp: product, vjp: product },
      { k: 6, seed: 1 },
    );
    // Float32 products.
    expect(found.sigma[0]).toBeCloseTo(scale, 5);
    expect(found.sigma[1]).toBeCloseTo(scale, 5);
    expect(found.sigma[2]).toBeLessThan(1e-5);
    const { atLeastOne, effectiveRank, participationRatio } = dimensionsOf(found.sigma, 1, 6);
    expect(atLeastOne.mean).toBe(manifold.dimension);
    expect(effectiveRank.mean).toBeCloseTo(manifold.dimension, 2);
    expect(participationRatio.mean).toBeCloseTo(manifold.dimension, 4);
    const cosines = principalCosines(tangents, found.v.data, 2, columns);
    expect(cosines[1]).toBeGreaterThan(1 - 1e-6);
  });

  it.each(cases)(
    'curvature along each tangent is the known one, within its error: $name',
    ({ manifold, u, v }) => {
      const { x, tangents, curvatures } = manifold.point(u, v);
      tangents.forEach((tangent, i) => {
        const { curvature, error, speed } = curvatureAlong(manifold.jvp, x, tangent);
        const known = curvatures[i]! / manifold.scale;
        expect(speed).toBeCloseTo(manifold.scale, 12);
        expect(curvature.value).toBeCloseTo(known, 7);
        // The estimate is of the right size: what is left is below it, or below rounding.
        expect(Math.abs(curvature.value! - known)).toBeLessThan(10 * error! + 1e-9);
      });
    },
  );

  it('the torus is flat around its axis at the top, and the Swiss roll along its height', () => {
    const [, torus, roll] = manifolds();
    expect(torus!.point(0.5, Math.PI / 2).curvatures[0]).toBeCloseTo(0, 12);
    expect(roll!.point(9, 1).curvatures[1]).toBe(0);
    // Against a difference of the curve itself: the spiral's tangent turns by κ per unit of length.
    const turn = (t: number) => roll!.point(t, 0).tangents[0]!;
    const h = 1e-5;
    const length = 2 * h * Math.sqrt(1 + 81);
    const angle = Math.acos(turn(9 - h).reduce((sum, value, i) => sum + value * turn(9 + h)[i]!, 0));
    expect(angle / length).toBeCloseTo(roll!.point(9, 0).curvatures[0]!, 3);
  });
});

describe('curvatureAlong', () => {
  it('of a parabola is 2a where it turns, and does not depend on the direction’s length', () => {
    // f(t) = (t, 3t²): κ = 6 / (1 + 36 t²)^(3/2).
    const jvp = (x: Float64Array, v: Float64Array) => Float64Array.of(v[0]!, 6 * x[0]! * v[0]!);
    for (const t of [0, 0.3, -1])
      expect(curvatureAlong(jvp, Float64Array.of(t), Float64Array.of(7)).curvature.value).toBeCloseTo(
        6 / (1 + 36 * t * t) ** 1.5,
        9,
      );
  });

  it('of a linear map is 0, and is not defined where nothing moves', () => {
    const linear = (_: Float64Array, v: Float64Array) => Float64Array.of(2 * v[0]!, v[1]!);
    const flat = curvatureAlong(linear, Float64Array.of(1, 2), Float64Array.of(1, 1));
    expect(flat.curvature.value).toBe(0);
    expect(flat.error).toBe(0);
    const still = (_: Float64Array) => new Float64Array(2);
    expect(curvatureAlong(still, Float64Array.of(1), Float64Array.of(1))).toEqual({
      curvature: { value: null, reason: 'the output does not move along this direction' },
      error: null,
      speed: 0,
    });
  });

  it('is null where differences do not settle: a kink at x', () => {
    // (t, |t|): J·v jumps.
    const kink = (x: Float64Array, v: Float64Array) => Float64Array.of(v[0]!, Math.sign(x[0]!) * v[0]!);
    const { curvature, error } = curvatureAlong(kink, Float64Array.of(0), Float64Array.of(1));
    expect(curvature.value).toBeNull();
    expect(curvature.reason).toContain('do not settle');
    expect(error).toBeNull();
  });

  it('refuses directions that are none', () => {
    const jvp = (_: Float64Array, v: Float64Array) => v;
    const at = (v: Float64Array) => () => curvatureAlong(jvp, Float64Array.of(1, 2), v);
    expect(at(Float64Array.of(1))).toThrow('a direction of 1 at 2 numbers');
    expect(at(Float64Array.of(0, 0))).toThrow('expected a direction of some length');
    expect(() =>
      curvatureAlong(() => Float64Array.of(Number.NaN), Float64Array.of(1), Float64Array.of(1)),
    ).toThrow('J·v is NaN long');
  });
});

describe('smoothJvp', () => {
  const source = random(3);
  const tensor = (...shape: number[]) => ({
    dtype: 'float32',
    shape,
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => source.normal()),
  });
  const graph = (...kinds: string[]): Graph =>
    ({
      inputShape: [4],
      nodes: [
        { kind: 'dense', name: 'F1', inputs: ['input'], kernel: 'F1.kernel', bias: 'F1.bias' },
        ...kinds.map((kind, i) => ({ kind, name: `N${i}`, inputs: [i ? `N${i - 1}` : 'F1'] })),
      ],
      weights: new Map([
        ['F1.kernel', tensor(4, 3)],
        ['F1.bias', tensor(3)],
      ]),
    }) as unknown as Graph;

  it.each(['sigmoid', 'tanh', 'softplus', 'log-softmax', 'flatten'])(
    'is the derivative of the net itself: %s',
    (kind) => {
      const net = graph(kind, 'tanh');
      const found = smoothJvp(net, 'N1') as { jvp: (x: Float64Array, v: Float64Array) => Float64Array };
      const weights = net.weights.get('F1.kernel')!.data as Float32Array;
      const bias = net.weights.get('F1.bias')!.data as Float32Array;
      const forward = (x: Float64Array) => {
        const z = Float64Array.from(bias, (b, u) =>
          x.reduce((sum, value, i) => sum + value * weights[i * 3 + u]!, b),
        );
        const total = z.reduce((sum, value) => sum + Math.exp(value), 0);
        const y = z.map((value) =>
          kind === 'sigmoid'
            ? 1 / (1 + Math.exp(-value))
            : kind === 'tanh'
              ? Math.tanh(value)
              : kind === 'softplus'
                ? Math.log1p(Math.exp(value))
                : kind === 'log-softmax'
                  ? value - Math.log(total)
                  : value,
        );
        return y.map(Math.tanh);
      };
      const x = Float64Array.from({ length: 4 }, () => source.normal());
      const v = Float64Array.from({ length: 4 }, () => source.normal());
      const h = 1e-5;
      const [ahead, behind] = [1, -1].map((s) => forward(x.map((value, i) => value + s * h * v[i]!)));
      found.jvp(x, v).forEach((value, i) => {
        // Central differences: h² and rounding / h.
        expect(value).toBeCloseTo((ahead![i]! - behind![i]!) / (2 * h), 8);
      });
    },
  );

  it('says why a net has no curvature', () => {
    expect(smoothJvp(graph('relu'), 'N0')).toEqual({
      reason: 'N0 is a relu: the map is piecewise linear and bends nowhere else',
    });
    expect(smoothJvp(graph('gelu'), 'N0')).toEqual({
      reason: 'N0, a gelu, is not worked out in float64',
    });
    expect(smoothJvp(graph('relu'), 'F1')).toHaveProperty('jvp');
    expect(smoothJvp(graph('relu'), 'F9')).toEqual({ reason: 'the net has no layer F9' });
  });
});
