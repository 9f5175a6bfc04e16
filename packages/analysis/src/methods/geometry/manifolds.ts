import { cos, sin } from '../../elementary.js';
import { random } from '../../random.js';
import type { SmoothJvp } from './curvature.js';

/** A point of a manifold with what is known of it there. */
export interface ManifoldPoint {
  x: Float64Array;
  /** Unit tangents, orthogonal to each other, along which the manifold curves most and least. */
  tangents: Float64Array[];
  /** Normal curvature along each of them, without its sign. */
  curvatures: number[];
}

/**
 * A surface of known dimension and curvature, as a map: every point goes to `scale` times the nearest one of the surface. On the surface
 * the Jacobian is then `scale` times the projection on the tangent plane: its dimension singular values are `scale`, the others 0; and a line
 * along a tangent goes to a curve that bends as the surface does, over `scale`.
 */
export interface Manifold {
  name: string;
  dimension: number;
  /** Of the space it lies in. */
  columns: number;
  scale: number;
  point(u: number, v: number): ManifoldPoint;
  /** Symmetric, so that Jᵀ·u is the same. */
  jvp: SmoothJvp;
}

type Vector = [number, number, number];
const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => a[0]! * b[0]! + a[1]! * b[1]! + a[2]! * b[2]!;

/** a / |a| and its derivative along da. */
function unit(a: Vector, da: Vector): [Vector, Vector] {
  const length = Math.sqrt(dot(a, a));
  const u = a.map((value) => value / length) as Vector;
  const along = dot(u, da);
  return [u, da.map((value, i) => (value - along * u[i]!) / length) as Vector];
}

interface Surface {
  name: string;
  point(u: number, v: number): { x: Vector; tangents: [Vector, Vector]; curvatures: [number, number] };
  /** Derivative of the nearest point of the surface along v. */
  derivative(x: Vector, v: Vector): Vector;
}

const sphere = (radius: number): Surface => ({
  name: 'sphere',
  point: (u, v) => {
    const x: Vector = [cos(u) * cos(v), sin(u) * cos(v), sin(v)];
    return {
      x: x.map((value) => radius * value) as Vector,
      tangents: [
        [-sin(u), cos(u), 0],
        [-cos(u) * sin(v), -sin(u) * sin(v), cos(v)],
      ],
      curvatures: [1 / radius, 1 / radius],
    };
  },
  derivative: (x, v) => unit(x, v)[1].map((value) => radius * value) as Vector,
});

/** u goes around the axis, v around the tube, from its outer side. */
const torus = (ring: number, tube: number): Surface => ({
  name: 'torus',
  point: (u, v) => {
    const out = ring + tube * cos(v);
    return {
      x: [out * cos(u), out * sin(u), tube * sin(v)],
      tangents: [
        [-sin(u), cos(u), 0],
        [-cos(u) * sin(v), -sin(u) * sin(v), cos(v)],
      ],
      curvatures: [Math.abs(cos(v)) / out, 1 / tube],
    };
  },
  derivative: (x, v) => {
    const [u, du] = unit([x[0], x[1], 0], [v[0], v[1], 0]);
    const off = x.map((value, i) => value - ring * u[i]!) as Vector;
    const dOff = v.map((value, i) => value - ring * du[i]!) as Vector;
    const dn = unit(off, dOff)[1];
    return du.map((value, i) => ring * value + tube * dn[i]!) as Vector;
  },
});

/** The spiral (t cos t, t sin t), rolled along the second axis: u is t, v the height. Flat but for the roll. */
const swissRoll: Surface = {
  name: 'Swiss roll',
  point: (u, v) => {
    const [dx, dz] = spiral(u)[1];
    const speed = Math.sqrt(dx * dx + dz * dz);
    return {
      x: [u * cos(u), v, u * sin(u)],
      tangents: [
        [dx / speed, 0, dz / speed],
        [0, 1, 0],
      ],
      curvatures: [(u * u + 2) / (u * u + 1) ** 1.5, 0],
    };
  },
  derivative: (x, v) => {
    const t = nearestTurn(x[0], x[2]);
    const [[px, pz], [dx, dz], [ddx, ddz]] = spiral(t);
    // (γ − x)·γ′ = 0, differentiated.
    const stretch = dx * dx + dz * dz - (x[0] - px) * ddx - (x[2] - pz) * ddz;
    const dt = (v[0] * dx + v[2] * dz) / stretch;
    return [dx * dt, v[1], dz * dt];
  },
};

/** γ, γ′, γ″ of the spiral. */
function spiral(t: number): [[number, number], [number, number], [number, number]] {
  const [c, s] = [cos(t), sin(t)];
  return [
    [t * c, t * s],
    [c - t * s, s + t * c],
    [-2 * s - t * c, 2 * c - t * s],
  ];
}

/** Where the spiral is nearest: Newton's steps from the turn whose radius and angle fit best. */
function nearestTurn(x: number, z: number): number {
  const radius = Math.sqrt(x * x + z * z);
  const angle = Math.atan2(z, x);
  let t = angle + 2 * Math.PI * Math.round((radius - angle) / (2 * Math.PI));
  for (let i = 0; i < 20; i++) {
    const [[px, pz], [dx, dz], [ddx, ddz]] = spiral(t);
    const slope = (px - x) * dx + (pz - z) * dz;
    const move = slope / (dx * dx + dz * dz + (px - x) * ddx + (pz - z) * ddz);
    t -= move;
    if (Math.abs(move) < 1e-15 * Math.abs(t)) break;
  }
  return t;
}

/** A surface of three dimensions, turned at random into a space of more. */
function embedded(surface: Surface, columns: number, scale: number, seed: number): Manifold {
  const source = random(seed, columns);
  const axes: Float64Array[] = [];
  while (axes.length < 3) {
    const axis = Float64Array.from({ length: columns }, () => source.normal());
    for (let pass = 0; pass < 2; pass++)
      for (const other of axes) {
        const part = axis.reduce((sum, value, i) => sum + value * other[i]!, 0);
        for (let i = 0; i < columns; i++) axis[i]! -= part * other[i]!;
      }
    const length = Math.sqrt(axis.reduce((sum, value) => sum + value * value, 0));
    axes.push(axis.map((value) => value / length));
  }
  const into = (a: Vector) =>
    Float64Array.from({ length: columns }, (_, i) =>
      a.reduce((sum, value, k) => sum + value * axes[k]![i]!, 0),
    );
  const outOf = (x: Float64Array) =>
    axes.map((axis) => axis.reduce((sum, value, i) => sum + value * x[i]!, 0)) as Vector;
  return {
    name: surface.name,
    dimension: 2,
    columns,
    scale,
    point: (u, v) => {
      const { x, tangents, curvatures } = surface.point(u, v);
      return { x: into(x), tangents: tangents.map(into), curvatures };
    },
    jvp: (x, v) => into(surface.derivative(outOf(x), outOf(v)).map((value) => scale * value) as Vector),
  };
}

/**
 * Sphere, torus and Swiss roll in a space of `columns` dimensions, twice as large as they are, so that their tangents have σ = 2: what
 * spectra, tangents and curvature are tried on, since here they are known.
 */
export const manifolds = ({ columns = 20, scale = 2, seed = 1 } = {}): Manifold[] =>
  [sphere(3), torus(4, 1.5), swissRoll].map((surface) => embedded(surface, columns, scale, seed));
