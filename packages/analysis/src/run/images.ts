import type { Matrix } from '@epochscope/core-wasm';

type Shape = [height: number, width: number, channels: number];

/** Pictures of samples, for galleries. */
export interface SampleImages {
  /** uint8, count × height × width × channels. */
  data: Uint8Array;
  shape: [count: number, height: number, width: number, channels: number];
  /** Where they stand in a run, so that a result in it need not carry them: `rows` of samples/inputs.npy, all if null. */
  from?: { samples: 'inputs'; rows: Uint32Array | null };
}

/** The shape of one sample if it can be shown as a picture, grey or in colour; else null. */
export function pictureShape(shape: readonly number[] | null | undefined): Shape | null {
  return shape?.length === 3 && (shape[2] === 1 || shape[2] === 3) ? (shape as unknown as Shape) : null;
}

/**
 * Pictures for galleries of samples that are images: bytes as they are, numbers 0 … 1 as bytes. Null for what is neither:
 * values that were centred or scaled in a way that is not known.
 */
export function imagesOf(
  { data, shape: [count] }: Matrix,
  sample: readonly number[] | null | undefined,
): SampleImages | null {
  const shape = pictureShape(sample);
  if (!shape) return null;
  let [least, most] = [0, 0];
  let whole = true;
  for (const value of data) {
    least = Math.min(least, value);
    most = Math.max(most, value);
    whole &&= Number.isInteger(value);
  }
  const unit = most <= 1;
  if (!(least >= 0 && most <= 255 && (unit || whole))) return null;
  const bytes = new Uint8Array(data.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = unit ? Math.round(255 * data[i]!) : data[i]!;
  return { data: bytes, shape: [count, ...shape] };
}
