import { FONT, PAPER, paintScene, pngAddress, type Scene, sceneSvg } from '../scene/index.js';
import { pageFonts } from './fonts.js';
import type { Measure } from './text.js';

/** Words that go with a file. */
export interface ExportTexts {
  title: string;
  description: string;
}

/** A scene as SVG, in a browser. */
export const svgOf = (scene: Scene, texts: ExportTexts): string =>
  sceneSvg(scene, { encode: pngAddress, ...texts });

/** A scene as PNG at `scale` pixels per CSS pixel, in a browser. */
export function pngOf(scene: Scene, scale: number): Promise<Blob> {
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(scene.width * scale));
  canvas.height = Math.max(1, Math.round(scene.height * scale));
  const context = canvas.getContext('2d')!;
  context.fillStyle = PAPER.surface;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.scale(scale, scale);
  paintScene(context, scene.items, PAPER, FONT);
  return new Promise((resolve, reject) =>
    canvas.toBlob(
      (blob) => (blob ? resolve(blob) : reject(new Error('the picture could not be encoded'))),
      'image/png',
    ),
  );
}

/** A scene laid out with the fonts of a PDF, as PDF. Loads them. */
export async function pdfOf(make: (measure: Measure) => Scene, texts: ExportTexts): Promise<Blob> {
  const [fonts, { fontMeasure }, { scenePdf }] = await Promise.all([
    pageFonts(),
    import('../scene/font.js'),
    import('../scene/pdf.js'),
  ]);
  const bytes = await scenePdf(make(fontMeasure(fonts)), { fonts, ...texts });
  return new Blob([bytes], { type: 'application/pdf' });
}

/** Hands a file to the person; works from `file:` too. */
export function download(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
