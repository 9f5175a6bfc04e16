import type { Pixels } from './types.js';

/** Pixels per CSS pixel that a small picture is enlarged to in files, for viewers that smooth whatever they enlarge. */
const DENSITY = 2;
const MOST = 1024;

/** A picture with each pixel repeated, so that it is sharp where a viewer smooths; itself where it is large enough. */
export function enlarged(pixels: Pixels, width: number, height: number): Pixels {
  const by = Math.min(
    Math.ceil(DENSITY * Math.max(width / pixels.width, height / pixels.height)),
    Math.floor(MOST / Math.max(pixels.width, pixels.height)),
  );
  if (!(by > 1)) return pixels;
  const { channels } = pixels;
  const data = new Uint8Array(channels * pixels.width * by * pixels.height * by);
  const line = channels * pixels.width * by;
  for (let y = 0; y < pixels.height; y++) {
    const first = y * by * line;
    for (let x = 0; x < pixels.width; x++) {
      const from = channels * (y * pixels.width + x);
      for (let k = 0; k < by; k++)
        for (let c = 0; c < channels; c++) data[first + channels * (x * by + k) + c] = pixels.data[from + c]!;
    }
    for (let k = 1; k < by; k++) data.copyWithin(first + k * line, first, first + line);
  }
  return { width: pixels.width * by, height: pixels.height * by, channels, data };
}

/** As a browser takes them: four bytes each. */
export function rgba({ width, height, channels, data }: Pixels): Uint8ClampedArray<ArrayBuffer> {
  const out = new Uint8ClampedArray(4 * width * height);
  const words = new Uint32Array(out.buffer);
  // Byte order of this machine; a loop over words is several times as fast as one over bytes.
  const opaque = new Uint32Array(Uint8Array.of(0, 0, 0, 255).buffer)[0]!;
  const grey = new Uint32Array(Uint8Array.of(1, 1, 1, 0).buffer)[0]!;
  if (channels === 1) for (let i = 0; i < words.length; i++) words[i] = opaque | (data[i]! * grey);
  else if (channels === 4) out.set(data);
  else
    for (let i = 0; i < words.length; i++) {
      out[4 * i] = data[3 * i]!;
      out[4 * i + 1] = data[3 * i + 1]!;
      out[4 * i + 2] = data[3 * i + 2]!;
      out[4 * i + 3] = 255;
    }
  return out;
}

/** A matrix of values as RGB pixels, or RGBA where `colour` leaves some clear (null). Row-major. */
export function matrixPixels(
  [rows, columns]: readonly [number, number],
  colour: (index: number) => readonly [number, number, number] | null,
): Pixels {
  const data = new Uint8Array(4 * rows * columns);
  for (let i = 0; i < rows * columns; i++) {
    const rgb = colour(i);
    if (!rgb) continue;
    data[4 * i] = rgb[0];
    data[4 * i + 1] = rgb[1];
    data[4 * i + 2] = rgb[2];
    data[4 * i + 3] = 255;
  }
  return { width: columns, height: rows, channels: 4, data };
}
