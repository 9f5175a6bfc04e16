import { guard } from '@epochscope/core-wasm';
import { cos, sin } from '../../elementary.js';

export const TANGENTS = [
  'rotation',
  'translation x',
  'translation y',
  'scale',
  'shear',
  'thickness',
] as const;
export type Tangent = (typeof TANGENTS)[number];

/**
 * How a picture changes under small transformations (Simard et al. 1992; the paper's figure 7): central differences
 * (T₊x − T₋x)/2 with bilinear resampling about the centre, zero outside. Steps move the rim by about half a pixel.
 * thickness: half the difference of 3×3-cross dilation and erosion.
 * @param picture height × width × channels, row-major.
 * @returns float64 of the same size each, not normalised; zero for a picture that the transformation leaves alone.
 */
export function tangentVectors(
  picture: ArrayLike<number>,
  [height, width, channels]: readonly [number, number, number],
): Map<Tangent, Float64Array> {
  guard(
    picture.length === height * width * channels,
    'shape',
    () =>
      `picture: ${height}×${width}×${channels} needs ${height * width * channels} values, got ${picture.length}`,
  );
  const reach = Math.max(1, Math.max(height, width) / 2);
  const angle = 0.5 / reach;
  // Each takes an offset from the centre to where the value comes from, for a signed step.
  const maps: [Tangent, (x: number, y: number, s: number) => [number, number]][] = [
    [
      'rotation',
      (x, y, s) => {
        const c = cos(s * angle);
        const n = sin(s * angle);
        return [c * x + n * y, -n * x + c * y];
      },
    ],
    ['translation x', (x, y, s) => [x - 0.5 * s, y]],
    ['translation y', (x, y, s) => [x, y - 0.5 * s]],
    ['scale', (x, y, s) => [x / (1 + s * angle), y / (1 + s * angle)]],
    ['shear', (x, y, s) => [x + s * angle * y, y]],
  ];
  const out = new Map<Tangent, Float64Array>();
  for (const [name, map] of maps) {
    const plus = resample(picture, height, width, channels, (x, y) => map(x, y, 1));
    const minus = resample(picture, height, width, channels, (x, y) => map(x, y, -1));
    out.set(
      name,
      plus.map((value, i) => (value - minus[i]!) / 2),
    );
  }
  out.set('thickness', thickness(picture, height, width, channels));
  return out;
}

function resample(
  picture: ArrayLike<number>,
  height: number,
  width: number,
  channels: number,
  source: (x: number, y: number) => [number, number],
): Float64Array {
  const out = new Float64Array(height * width * channels);
  const [cx, cy] = [(width - 1) / 2, (height - 1) / 2];
  const at = (row: number, column: number, c: number) =>
    row < 0 || column < 0 || row >= height || column >= width
      ? 0
      : picture[(row * width + column) * channels + c]!;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const [dx, dy] = source(column - cx, row - cy);
      const [x, y] = [dx + cx, dy + cy];
      const [x0, y0] = [Math.floor(x), Math.floor(y)];
      const [fx, fy] = [x - x0, y - y0];
      for (let c = 0; c < channels; c++)
        out[(row * width + column) * channels + c] =
          (1 - fy) * ((1 - fx) * at(y0, x0, c) + fx * at(y0, x0 + 1, c)) +
          fy * ((1 - fx) * at(y0 + 1, x0, c) + fx * at(y0 + 1, x0 + 1, c));
    }
  }
  return out;
}

function thickness(
  picture: ArrayLike<number>,
  height: number,
  width: number,
  channels: number,
): Float64Array {
  const out = new Float64Array(height * width * channels);
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++)
      for (let c = 0; c < channels; c++) {
        let least = Number.POSITIVE_INFINITY;
        let most = Number.NEGATIVE_INFINITY;
        for (const [r, q] of [
          [row, column],
          [row - 1, column],
          [row + 1, column],
          [row, column - 1],
          [row, column + 1],
        ] as const) {
          if (r < 0 || q < 0 || r >= height || q >= width) continue;
          const value = picture[(r * width + q) * channels + c]!;
          least = Math.min(least, value);
          most = Math.max(most, value);
        }
        out[(row * width + column) * channels + c] = (most - least) / 2;
      }
  return out;
}
