import { checkCounts, checkKernels, checkOneOf, checkOptions, nameOf } from '../../src/arguments.js';
import { EpochscopeError, formatBytes, guard } from '../../src/errors.js';
import type { Kernels } from '../../src/load.js';
import { apart, checkFinite, checkMatrix, type Matrix } from '../../src/matrix.js';
import { MAX_BYTES } from '../../src/memory.js';
import { checkWatchers, type SyncJobOptions } from '../../src/steps.js';
import { Algebra } from './algebra.js';
import { iterate, type Plan, REFINED_BYTES, type Tell, type Triplets } from './iterate.js';
import { lanczos } from './lanczos/index.js';
import { apply, checkOperator } from './operator.js';
import type { LinearOperator, SvdMethod, TruncatedSvdOptions, TruncatedSvdResult } from './types.js';

export type { LinearOperator, SvdMethod, TruncatedSvdOptions, TruncatedSvdResult } from './types.js';

/** What is not asked for: how images are kept, vectors a block, basis beyond 4k, block steps. */
interface Defaults {
  width: 4 | 8;
  block: Record<SvdMethod, number>;
  spare: number;
  iterations: Record<SvdMethod, number>;
}
const MATRIX: Defaults = {
  width: 8,
  block: { krylov: 2, power: 8 },
  spare: 400,
  iterations: { krylov: 4000, power: 1000 },
};
const OPERATOR: Defaults = {
  width: 4,
  block: { krylov: 16, power: 16 },
  spare: 100,
  iterations: { krylov: 1000, power: 1000 },
};

/**
 * The k largest singular values of a matrix and their vectors: A·v = σ·u, Aᵀ·u = σ·v.
 *
 * A is float32, every sum and vector float64: σ within about 1e-8·σ₁ by default, also where values are repeated or
 * zero (of values within 1e-7·σ₁ of σ_k, such as rounding to float32 makes of equal ones, some may stand for others:
 * within 1e-7·σ₁); where they fall below 1e-4·σ₁ Rayleigh–Ritz on A itself keeps their own digits. Of a repeated
 * value any orthonormal set of its vectors is right; of zero ones too.
 * @param a float32[m × n], finite. Not changed.
 * @returns σ descending; u and v as rows; per triplet its residual and whether it converged. Same seed, same bits.
 * @throws `shape`, `argument` (k outside 0 … min(m, n)), `not-finite` with row and column, `memory`, `cancelled`.
 * Time about 4·m·n·p flops for the p basis vectors (1.4k to 9k; most on flat spectra and for small k) plus 2·min(m,
 * n)·p²; memory `truncatedSvdBytes`. Source: Golub & Underwood 1977 (block Lanczos); docs in lanczos/index.ts.
 */
export function truncatedSvd(
  kernels: Kernels,
  a: Matrix,
  options: TruncatedSvdOptions & SyncJobOptions,
): TruncatedSvdResult {
  checkOptions(options, 'k');
  checkWatchers(options);
  const steps = truncatedSvdSteps(kernels, a, options);
  try {
    for (;;) {
      if (options.signal?.aborted) throw new EpochscopeError('cancelled', 'truncated SVD was cancelled');
      const step = steps.next();
      if (step.done) return step.value;
      options.onProgress?.(...step.value);
    }
  } finally {
    steps.return(undefined as never);
  }
}

/** The same, a block step at a time; yields vectors found so far plus triplets converged, of 2k. */
export function* truncatedSvdSteps(
  kernels: Kernels,
  from: Matrix,
  options: TruncatedSvdOptions,
): Generator<[done: number, total: number], TruncatedSvdResult> {
  checkKernels(kernels);
  checkMatrix(from, 'a');
  const a: Matrix = { ...from, data: apart(kernels, from.data) };
  const [m, n] = a.shape;
  const plan = planOf(m, n, options, MATRIX, 1e-8);
  checkFinite(a, 'a');
  if (plan.k === 0) return nothing(m, n);
  refuse(truncatedSvdBytes(m, n, plan.k, options), m, n);
  const algebra = new Algebra(kernels, normals(options.seed ?? 1));
  try {
    const wide = m < n;
    const { short, long, k } = plan;
    const rows = algebra.rows(long, short, widthOf(m, n, plan.method));
    const memory =
      rows.width === 8 ? algebra.f64(rows.pointer, m * n) : kernels.arena.f32(rows.pointer, m * n);
    if (wide) transpose(a.data, memory, m, n);
    else memory.set(a.data);
    let told = 0;
    const tell = rising(k, (done) => {
      told = done;
    });
    if (plan.method === 'krylov') {
      const iteration = lanczos(algebra, plan, rows, tell);
      for (;;) {
        const step = iteration.next();
        if (step.done) return resultOf(step.value, plan, m, n, wide);
        yield [told, 2 * k];
      }
    }
    // Its transpose too, so that either product runs along rows.
    const turned = algebra.rows(short, long, 4);
    if (wide) kernels.arena.f32(turned.pointer, m * n).set(a.data);
    else transpose(a.data, kernels.arena.f32(turned.pointer, m * n), m, n);
    const iteration = iterate(algebra, { ...plan, matrix: rows }, tell);
    for (;;) {
      const step = iteration.next();
      if (step.done) return resultOf(step.value, plan, m, n, wide);
      yield [told, 2 * k];
      const { kind, from, start, to, at, count } = step.value;
      // "up" goes to the longer side.
      const map = kind === 'up' ? rows : turned;
      algebra.products(map, to.length, from, start, count, algebra.row(to, at), to.length);
    }
  } finally {
    algebra.release();
  }
}

/**
 * The same for a map known only by its products (matrix-free). Products are float32, so σ are good to about 1e-6·σ₁
 * where they lie apart (their error is of the order of the residual squared, over gaps), and to the tolerance where
 * they do not; images of the basis are kept as float32. A product that answers NaN or infinity is refused, naming it.
 * The map's scale does not matter while J·v of unit vectors are normal float32: what goes back to the adjoint is
 * brought to a length near 1.
 */
export async function truncatedSvdOperator(
  kernels: Kernels,
  operator: LinearOperator,
  options: TruncatedSvdOptions & SyncJobOptions,
): Promise<TruncatedSvdResult> {
  checkKernels(kernels);
  checkWatchers(options);
  checkOperator(operator);
  const [m, n] = operator.shape;
  const plan = planOf(m, n, options, OPERATOR, 1e-5);
  if (plan.k === 0) return nothing(m, n);
  refuse(truncatedSvdOperatorBytes(m, n, plan.k, options), m, n);
  const algebra = new Algebra(kernels, normals(options.seed ?? 1));
  try {
    const wide = m < n;
    const iteration = iterate(
      algebra,
      plan,
      rising(plan.k, (done) => options.onProgress?.(done, 2 * plan.k)),
    );
    for (;;) {
      if (options.signal?.aborted) throw new EpochscopeError('cancelled', 'truncated SVD was cancelled');
      const step = iteration.next();
      if (step.done) return resultOf(step.value, plan, m, n, wide);
      await apply(kernels, operator, step.value, (step.value.kind === 'up') !== wide, plan.block);
    }
  } finally {
    algebra.release();
  }
}

/** Bytes of WebAssembly memory `truncatedSvd` takes at most. */
export function truncatedSvdBytes(
  m: number,
  n: number,
  k: number,
  options: Partial<TruncatedSvdOptions> = {},
): number {
  checkCounts({ m, n, k });
  checkOptions(options);
  const { method = 'krylov' } = options;
  return (method === 'power' ? 8 : widthOf(m, n, method)) * m * n + basisBytes(m, n, k, options, MATRIX);
}

/** Bytes of WebAssembly memory `truncatedSvdOperator` takes at most, without the operator's own. */
export function truncatedSvdOperatorBytes(
  m: number,
  n: number,
  k: number,
  options: Partial<TruncatedSvdOptions> = {},
): number {
  checkCounts({ m, n, k });
  checkOptions(options);
  return basisBytes(m, n, k, options, OPERATOR);
}

function basisBytes(
  m: number,
  n: number,
  k: number,
  options: Partial<TruncatedSvdOptions>,
  { width, block, spare }: Defaults,
): number {
  const short = Math.min(m, n);
  const long = Math.max(m, n);
  const method = options.method ?? 'krylov';
  const b = Math.min(short, options.block ?? block[method]);
  const p =
    method === 'power'
      ? Math.min(short, k + Math.max(b, Math.ceil(k / 2)))
      : Math.min(short, Math.max(options.basis ?? 4 * k + spare, k + 2 * b));
  const picks = typeof options.vectors === 'number' ? options.vectors : (options.vectors?.length ?? k);
  const products = width === 4;
  // Basis, images, what comes back from them, next block; the eigenproblem's squares; scratch; the vectors given back.
  return (
    8 * short * p +
    width * long * p +
    8 * short * (method === 'power' ? 2 * p : products ? 2 * b : p + Math.max(2 * b, k)) +
    // Images in float64 where small σ are refined, and the vectors whose residuals are measured.
    (products ? (8 * long * p <= REFINED_BYTES ? 8 * long * p : 0) + 8 * b * (long + short) : 0) +
    32 * p * p +
    8 * Math.max(picks, p) * 1024 +
    8 * picks * (long + short) +
    64 * 32
  );
}

function planOf(
  m: number,
  n: number,
  options: TruncatedSvdOptions,
  { width, block, spare, iterations }: Defaults,
  tolerance: number,
): Plan {
  checkOptions(options, 'k');
  const whole = (value: number, name: string, least: number, most: number) =>
    guard(
      Number.isInteger(value) && value >= least && value <= most,
      'argument',
      () => `${name}: expected an integer ${least} … ${most}, got ${nameOf(value)}`,
      { name, got: value },
    );
  whole(m, 'rows', 0, 2 ** 31 - 1);
  whole(n, 'columns', 0, 2 ** 31 - 1);
  const short = Math.min(m, n);
  whole(options.k, 'k', 0, short);
  const method = options.method ?? 'krylov';
  const plan: Plan = {
    k: options.k,
    method,
    tolerance: options.tolerance ?? tolerance,
    maxIterations: options.maxIterations ?? iterations[method],
    block: options.block ?? block[method],
    basis: options.basis ?? 4 * options.k + spare,
    short,
    long: Math.max(m, n),
    width,
    picks: [],
    matrix: null,
  };
  checkOneOf('method', plan.method, ['krylov', 'power']);
  guard(
    typeof plan.tolerance === 'number' && plan.tolerance > 0 && plan.tolerance < 1,
    'argument',
    () => `tolerance: expected a number between 0 and 1, got ${nameOf(plan.tolerance)}`,
  );
  whole(options.seed ?? 1, 'seed', -(2 ** 53), 2 ** 53);
  whole(plan.maxIterations, 'maxIterations', 1, 2 ** 31 - 1);
  whole(plan.block, 'block', 1, 1024);
  whole(plan.basis, 'basis', 1, 2 ** 31 - 1);
  const { vectors = options.k } = options;
  guard(
    typeof vectors === 'number' || Array.isArray(vectors),
    'argument',
    () => `vectors: expected a number or an array of indices, got ${nameOf(vectors)}`,
  );
  if (typeof vectors === 'number') whole(vectors, 'vectors', 0, options.k);
  else for (const index of vectors) whole(index, 'vectors', 0, options.k - 1);
  plan.picks = typeof vectors === 'number' ? Array.from({ length: vectors }, (_, i) => i) : [...vectors];
  return plan;
}

function refuse(bytes: number, m: number, n: number): void {
  guard(
    bytes < MAX_BYTES - 65536,
    'memory',
    () =>
      `truncated SVD of ${m}×${n} needs ${formatBytes(bytes)}, the limit is ${formatBytes(MAX_BYTES)}; ask for fewer triplets, or set a smaller basis`,
    { needed: bytes, limit: MAX_BYTES },
  );
}

function resultOf(
  { sigma, near, far, residuals, iterations, products }: Triplets,
  plan: Plan,
  m: number,
  n: number,
  wide: boolean,
): TruncatedSvdResult {
  const u = wide ? near : far;
  const v = wide ? far : near;
  plan.picks.forEach((_, i) => {
    let at = 0;
    for (let j = 1; j < n; j++) if (Math.abs(v[i * n + j]!) > Math.abs(v[i * n + at]!)) at = j;
    if (v[i * n + at]! >= 0) return;
    for (let j = i * n; j < (i + 1) * n; j++) v[j] = -v[j]!;
    for (let j = i * m; j < (i + 1) * m; j++) u[j] = -u[j]!;
  });
  return {
    sigma,
    u: { data: u, shape: [plan.picks.length, m] },
    v: { data: v, shape: [plan.picks.length, n] },
    indices: Uint32Array.from(plan.picks),
    residuals,
    converged: Uint8Array.from(residuals, (r) => Number(r <= plan.tolerance)),
    iterations,
    products,
  };
}

function nothing(m: number, n: number): TruncatedSvdResult {
  return {
    sigma: new Float64Array(0),
    u: { data: new Float64Array(0), shape: [0, m] },
    v: { data: new Float64Array(0), shape: [0, n] },
    indices: new Uint32Array(0),
    residuals: new Float64Array(0),
    converged: new Uint8Array(0),
    iterations: 0,
    products: 0,
  };
}

/**
 * Vectors found plus triplets converged, never falling: a wider block begins again, and a larger basis may show that
 * one more is missing.
 */
function rising(k: number, report: (done: number) => void): Tell {
  let most = 0;
  return (vectors, converged) => {
    most = Math.max(most, Math.min(vectors, k) + converged);
    report(most);
  };
}

/** Float64 in memory while it fits into the caches: nothing to convert, a fifth faster. */
const widthOf = (m: number, n: number, method: SvdMethod) =>
  method === 'krylov' && m * n <= 2 ** 20 ? 8 : 4;

function transpose(from: Float32Array, to: Float32Array | Float64Array, m: number, n: number): void {
  for (let i0 = 0; i0 < m; i0 += 32)
    for (let j0 = 0; j0 < n; j0 += 32)
      for (let i = i0; i < Math.min(m, i0 + 32); i++)
        for (let j = j0; j < Math.min(n, j0 + 32); j++) to[j * m + i] = from[i * n + j]!;
}

/**
 * Seeded numbers of mean 0 and variance 1, nearly normal (four of splitmix32 added): Math.log and Math.cos would
 * differ between engines.
 */
function normals(seed: number): () => number {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x9e3779b9) >>> 0;
    let x = state ^ (state >>> 16);
    x = Math.imul(x, 0x21f0aaad);
    x ^= x >>> 15;
    x = Math.imul(x, 0x735a2d97);
    return ((x ^ (x >>> 15)) >>> 0) / 4294967296;
  };
  return () => (uniform() + uniform() + uniform() + uniform() - 2) * Math.sqrt(3);
}
