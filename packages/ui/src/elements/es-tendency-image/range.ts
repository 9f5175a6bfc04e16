/** Positions shown: from … to − 1. */
export type Range = readonly [from: number, to: number];

/** Fewest positions shown. */
const SMALLEST_ZOOM = 4;

/** What is shown of `n` positions; NaN for the ends, all of them where nothing is left. */
export function shownRange(n: number, wantedFrom: number, wantedTo: number): Range {
  const from = Number.isFinite(wantedFrom) ? Math.min(Math.max(0, Math.round(wantedFrom)), n) : 0;
  const to = Number.isFinite(wantedTo) ? Math.min(Math.max(from, Math.round(wantedTo)), n) : n;
  return from < to ? [from, to] : [0, n];
}

/** Whole positions within `n`; null where fewer are left than a picture needs. */
export function wholeRange(n: number, from: number, to: number): Range | null {
  const low = Math.max(0, Math.floor(from));
  const high = Math.min(n, Math.ceil(to));
  return high - low < Math.min(SMALLEST_ZOOM, n) ? null : [low, high];
}

/** Larger or smaller around a share 0 … 1 of it, which stays where it is. */
export function zoomed([from, to]: Range, share: number, factor: number): Range {
  const centre = from + share * (to - from);
  return [centre - (centre - from) * factor, centre + (to - centre) * factor];
}

/** What a key asks for: arrows, Home and End pan, + and − zoom, 0 shows all; null for any other. */
export function rangeByKey(key: string, [from, to]: Range, n: number): Range | null {
  const size = to - from;
  const step = Math.max(1, Math.round(size / 10));
  const pan = (by: number): Range => [
    Math.min(Math.max(0, from + by), n - size),
    Math.min(Math.max(size, to + by), n),
  ];
  switch (key) {
    case 'ArrowLeft':
    case 'ArrowUp':
      return pan(-step);
    case 'ArrowRight':
    case 'ArrowDown':
      return pan(step);
    case 'Home':
      return pan(-n);
    case 'End':
      return pan(n);
    case '+':
      return [from + size / 8, to - size / 8];
    case '-':
      return [from - size / 6, to + size / 6];
    case '0':
      return [0, n];
    default:
      return null;
  }
}
