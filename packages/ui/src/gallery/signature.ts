/** Cells across and down of a signature. */
export const COLUMNS = 16;
export const ROWS = 12;

/**
 * A picture's perceptual signature: mean luminance of 16 × 12 cells of equal share, two hexadecimal digits each. Fonts and
 * smoothing move it a little, a missing or wrong picture much.
 */
export async function signatureOf(picture: ImageBitmapSource): Promise<string> {
  const bitmap = await createImageBitmap(picture);
  const scale = 8;
  const canvas = new OffscreenCanvas(COLUMNS * scale, ROWS * scale);
  const context = canvas.getContext('2d', { willReadFrequently: true })!;
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  let text = '';
  for (let row = 0; row < ROWS; row++)
    for (let column = 0; column < COLUMNS; column++) {
      let sum = 0;
      for (let y = row * scale; y < (row + 1) * scale; y++)
        for (let x = column * scale; x < (column + 1) * scale; x++) {
          const i = 4 * (y * canvas.width + x);
          sum += 0.2126 * data[i]! + 0.7152 * data[i + 1]! + 0.0722 * data[i + 2]!;
        }
      text += Math.round(sum / scale / scale)
        .toString(16)
        .padStart(2, '0');
    }
  return text;
}

/** Mean and largest difference of two signatures, 0 … 255. Infinite for different sizes. */
export function signatureDistance(a: string, b: string): { mean: number; most: number } {
  if (a.length !== b.length || !a.length)
    return { mean: Number.POSITIVE_INFINITY, most: Number.POSITIVE_INFINITY };
  let sum = 0;
  let most = 0;
  for (let i = 0; i < a.length; i += 2) {
    const difference = Math.abs(
      Number.parseInt(a.slice(i, i + 2), 16) - Number.parseInt(b.slice(i, i + 2), 16),
    );
    sum += difference;
    most = Math.max(most, difference);
  }
  return { mean: sum / (a.length / 2), most };
}
