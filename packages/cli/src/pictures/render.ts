import { readFile } from 'node:fs/promises';
import { withFile } from '@epochscope/analysis';
import { type Fonts, type Pixels, readFont, type Scene, scenePdf, sceneSvg } from '@epochscope/ui/drawing';
import { encode } from 'fast-png';
import { assetPath } from '../assets.js';

// Scenes as files, in Node alone: SVG by us, PNG from it by resvg (wasm), PDF by us. Renderer and fonts are loaded when first used.

/** CSS pixels an inch: the unit of scenes. */
export const PER_INCH = 96;

/** The fonts that figures are measured and drawn with: Inter, or one of the person's own for all weights. Throws `format`. */
export async function loadFonts(file?: string): Promise<Fonts> {
  // Whatever is no file is refused by its kind.
  const read = (path: string) =>
    withFile(path, async (source) => readFont(new Uint8Array(await source.read(0, source.size)), path));
  if (file !== undefined) {
    const font = await read(file);
    return { regular: font, bold: font };
  }
  const [regular, bold] = await Promise.all([
    read(assetPath('Inter-Regular.ttf')),
    read(assetPath('Inter-SemiBold.ttf')),
  ]);
  return { regular, bold };
}

export interface Words {
  title: string;
  /** The caption. */
  description: string;
}

const address = ({ data, width, height, channels }: Pixels): string =>
  `data:image/png;base64,${Buffer.from(encode({ data: Uint8Array.from(data), width, height, channels, depth: 8 })).toString('base64')}`;

const millimetres = (pixels: number) => `${Math.round((pixels * 2540) / PER_INCH) / 100}mm`;

/** A scene as SVG, its size in millimetres. */
export function svgFile(scene: Scene, words: Words, fonts: Fonts): string {
  return sceneSvg(scene, {
    encode: address,
    font: `'${fonts.regular.family}', 'Helvetica Neue', Arial, sans-serif`,
    size: [millimetres(scene.width), millimetres(scene.height)],
    ...words,
  });
}

let renderer: Promise<typeof import('@resvg/resvg-wasm')> | undefined;
async function loadRenderer() {
  const module = await import('@resvg/resvg-wasm');
  await module.initWasm(await readFile(assetPath('resvg.wasm'))).catch((cause: Error) => {
    // By another copy of this file in the same process.
    if (!cause.message.startsWith('Already initialized')) throw cause;
  });
  return module;
}

/** A scene as PNG with so many dots an inch, which the file names too. */
export async function pngFile(scene: Scene, words: Words, fonts: Fonts, dpi: number): Promise<Uint8Array> {
  renderer ??= loadRenderer();
  const { Resvg } = await renderer;
  // This renderer leaves pixels sharp.
  const svg = sceneSvg(scene, {
    encode: address,
    font: `'${fonts.regular.family}'`,
    enlarge: false,
    ...words,
  });
  const drawing = new Resvg(svg, {
    fitTo: { mode: 'zoom', value: dpi / PER_INCH },
    font: {
      fontBuffers: [fonts.regular.bytes, fonts.bold.bytes],
      defaultFontFamily: fonts.regular.family,
      loadSystemFonts: false,
    },
  });
  try {
    const image = drawing.render();
    const png = withDensity(image.asPng(), dpi);
    image.free();
    return png;
  } finally {
    drawing.free();
  }
}

/** A PNG with its dots per metre (chunk pHYs, before the first IDAT). */
function withDensity(png: Uint8Array, dpi: number): Uint8Array {
  const chunk = Buffer.alloc(21);
  chunk.writeUInt32BE(9, 0);
  chunk.write('pHYs', 4, 'latin1');
  chunk.writeUInt32BE(Math.round(dpi / 0.0254), 8);
  chunk.writeUInt32BE(Math.round(dpi / 0.0254), 12);
  chunk[16] = 1;
  chunk.writeUInt32BE(crc(chunk.subarray(4, 17)), 17);
  // After the signature (8) and IHDR (25).
  return Buffer.concat([png.subarray(0, 33), chunk, png.subarray(33)]);
}
/** CRC-32 of a PNG chunk (ISO 3309). */
function crc(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) {
    value ^= byte;
    for (let k = 0; k < 8; k++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  }
  return (value ^ 0xffffffff) >>> 0;
}

/** A scene as PDF of one page. */
export const pdfFile = (scene: Scene, words: Words, fonts: Fonts): Promise<Uint8Array> =>
  scenePdf(scene, { fonts, ...words });
