// Sweeps over sizes that cost much: half of their cases in `npm test`, all of them in `npm run test:e2e`.

const full = process.env.EPOCHSCOPE_SWEEPS === 'full';

/**
 * Every pair of an `a` and a `b`; in the fast suite those of one colour of a chessboard, so that each `a` and each `b` is
 * still tried with others beside it.
 */
export function pairs<A, B>(as: readonly A[], bs: readonly B[]): [A, B][] {
  return as.flatMap((a, i) => bs.flatMap((b, j) => (full || (i + j) % 2 === 0 ? [[a, b] as [A, B]] : [])));
}

/** The first `fast` numbers from 1 on in the fast suite, the first `all` otherwise: seeds. */
export function seeds(fast: number, all: number): number[] {
  return Array.from({ length: full ? all : fast }, (_, i) => i + 1);
}
