import { openFile } from '@epochscope/analysis';
import { readNpy } from '@epochscope/analysis/formats';

// A sample that a person drops on an opened run: an array, or a picture.

/** A picture that is darker inside than at its rim is ink on paper: digits of data sets are light on dark. */
const PAPER = 128;

/** Values of samples of a shape, one after the other; null for a file that is none. Pictures are scaled to the shape, bytes 0 … 255. */
export async function samplesOf(file: File, shape: readonly number[]): Promise<number[] | null> {
  const size = shape.reduce((a, b) => a * b, 1);
  if (/\.npy$/i.test(file.name)) {
    // The values may come with or without a first axis of samples, and with or without one channel.
    if (file.size > 64e6) return null;
    const { data, shape: got } = await readNpy(await openFile(file));
    const plain = (list: readonly number[]) => (list.at(-1) === 1 ? list.slice(0, -1) : list).join();
    const fits = plain(got) === plain(shape) || plain(got.slice(1)) === plain(shape);
    return fits && data.length % size === 0 ? Array.from(data as ArrayLike<number | bigint>, Number) : null;
  }
  const [height, width, channels] = shape;
  if (!/^image\//.test(file.type) || shape.length !== 3 || (channels !== 1 && channels !== 3)) return null;
  const bitmap = await createImageBitmap(file);
  const canvas = new OffscreenCanvas(width!, height!);
  const context = canvas.getContext('2d')!;
  context.fillStyle = '#fff';
  context.fillRect(0, 0, width!, height!);
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, width!, height!);
  const { data } = context.getImageData(0, 0, width!, height!);
  const values: number[] = [];
  for (let i = 0; i < data.length; i += 4) {
    const rgb = [data[i]!, data[i + 1]!, data[i + 2]!];
    if (channels === 3) values.push(...rgb);
    else values.push(Math.round((rgb[0]! + rgb[1]! + rgb[2]!) / 3));
  }
  if (channels === 3) return values;
  const rim = values.filter((_, i) => {
    const [x, y] = [i % width!, Math.floor(i / width!)];
    return x === 0 || y === 0 || x === width! - 1 || y === height! - 1;
  });
  const ink = rim.reduce((a, b) => a + b, 0) / rim.length > PAPER;
  return ink ? values.map((value) => 255 - value) : values;
}
