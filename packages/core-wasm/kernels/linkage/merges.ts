import { checkOneOf, checkOptions } from '../../src/arguments.js';
import type { Kernels } from '../../src/load.js';
import { Area, State } from './memory.js';
import { LINKAGE_METHODS, type Linkage, type LinkageMethod } from './result.js';

interface MergesExports {
  linkageStart(n: number, area: number): void;
  linkageRun(d: number, n: number, area: number, method: number, until: number): void;
  linkageSmall(d: number, n: number, area: number, method: number): void;
  linkageLabel(n: number, area: number): void;
}

/** Yields work done and work in all. */
export type LinkageSteps<T = Linkage> = Generator<[done: number, total: number], T, void>;

/** Values one chunk may touch: some 10 ms of work. */
export const CHUNK = 2 ** 25;
/** From here on merges are logged in blocks: single values of a larger matrix come too slowly. */
export const LOGGED = 2048;

/** The arrays over n, the state, and the counts of sorting. */
export const areaBytes = (n: number) => 4 * (Area.state * Math.ceil(n / 4) * 4 + State.size + 1024);

/** Throws `argument`. */
export function methodOf(options: { method?: LinkageMethod }): LinkageMethod {
  checkOptions(options);
  const { method = 'average' } = options;
  checkOneOf('method', method, LINKAGE_METHODS);
  return method;
}

/** The tree of no or one sample. */
export function none(n: number, method: LinkageMethod, { diameters }: { diameters?: boolean }): Linkage {
  return {
    n,
    method,
    left: new Uint32Array(0),
    right: new Uint32Array(0),
    heights: new Float32Array(0),
    sizes: new Uint32Array(0),
    diameters: diameters ? new Float32Array(0) : null,
  };
}

/** Where row i of the upper triangle begins in a condensed matrix of n samples. */
export const rowStart = (n: number, i: number) => i * n - (i * (i + 1)) / 2;

/** The part of the progress that a stage goes through. */
export interface Stage {
  from: number;
  to: number;
  total: number;
}
export const progress = ({ from, to, total }: Stage, share: number): [number, number] => [
  from + (to - from) * share,
  total,
];

/** Links the square matrix of n ≥ 2 samples at d, which is used up. */
export function* merges(
  kernels: Kernels,
  d: number,
  n: number,
  method: LinkageMethod,
  stage: Stage,
): LinkageSteps {
  const fn = kernels.exports as unknown as MergesExports;
  const { arena } = kernels;
  const area = arena.alloc(areaBytes(n));
  const id = LINKAGE_METHODS.indexOf(method);
  try {
    if (n >= 4 && n < LOGGED) {
      yield progress(stage, 0);
      fn.linkageSmall(d, n, area, id);
    } else {
      fn.linkageStart(n, area);
      const step = Math.max(16, Math.ceil(CHUNK / (8 * n)));
      for (let done = 0; done < n - 1; ) {
        yield progress(stage, 1 - (1 - done / n) ** 2);
        done = Math.min(n - 1, done + step);
        fn.linkageRun(d, n, area, id, done);
      }
    }
    fn.linkageLabel(n, area);
    return labelled(kernels, area, n, method);
  } finally {
    arena.dealloc(area);
  }
}

/**
 * The tree in a work area whose merges are labelled, copied out: into one buffer, as four take longer to make than
 * fifty merges.
 */
export function labelled({ arena }: Kernels, area: number, n: number, method: LinkageMethod): Linkage {
  const stride = 16 * Math.ceil(n / 4);
  const { buffer } = arena.u8(area + Area.scratch * stride, 4 * stride).slice();
  return {
    n,
    method,
    left: new Uint32Array(buffer, 0, n - 1),
    right: new Uint32Array(buffer, stride, n - 1),
    heights: new Float32Array(buffer, 2 * stride, n - 1),
    sizes: new Uint32Array(buffer, 3 * stride, n - 1),
    diameters: null,
  };
}
