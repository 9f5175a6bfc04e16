/**
 * A centroid as RGB bytes: mid grey is no correlation; the largest magnitude is white (+) or black (−), in each channel by itself for
 * three channels (Watanabe, figures 3–6). values: height × width × channels, row-major; missing ones at the end are 0.
 */
export function centroidPixels(
  values: ArrayLike<number>,
  [height, width, channels]: readonly [number, number, number],
): Uint8Array {
  let top = 0;
  for (let k = 0; k < values.length; k++) top = Math.max(top, Math.abs(values[k]!));
  const level = (value: number) => Math.round(127.5 * (1 + (top ? value / top : 0)));
  const out = new Uint8Array(3 * height * width);
  for (let p = 0; p < height * width; p++)
    for (let c = 0; c < 3; c++) out[3 * p + c] = level(values[channels === 3 ? 3 * p + c : p] ?? 0);
  return out;
}
