/**
 * Points of a line that look the same in `width` pixels: the first, least, greatest and last of each pixel column, in order. Lines of
 * 5 000 steps become as long as the screen is wide. O(n); points must be in the order of x.
 */
export function decimate(
  length: number,
  point: (index: number) => readonly [x: number, y: number],
  width: number,
): [number, number][] {
  if (length <= 4 * width) return Array.from({ length }, (_, i) => [...point(i)] as [number, number]);
  const out: [number, number][] = [];
  let column = Number.NaN;
  let first: number[] = [];
  const flush = () => {
    for (const i of [...new Set(first)].sort((a, b) => a - b)) out.push([...point(i)] as [number, number]);
  };
  let low = 0;
  let high = 0;
  for (let i = 0; i < length; i++) {
    const [x, y] = point(i);
    if (Math.floor(x) !== column) {
      flush();
      column = Math.floor(x);
      low = high = y;
      first = [i, i, i, i];
    }
    if (y < low) [low, first[1]] = [y, i];
    if (y > high) [high, first[2]] = [y, i];
    first[3] = i;
  }
  flush();
  return out;
}
