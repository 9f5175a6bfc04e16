import { EpochscopeError } from '@epochscope/core-wasm';
import { type Fonts, readFont } from '../scene/font.js';

let loading: Promise<Fonts> | undefined;
let folder: string | undefined;

/** Where `Inter-Regular.ttf` and `Inter-SemiBold.ttf` are fetched from, for pages whose script stands elsewhere. */
export function setFontFolder(address: string): void {
  folder = address.endsWith('/') ? address : `${address}/`;
  loading = undefined;
}

/** Fonts as base64, for scripts that have no files beside them: PDFs embed them, and the page draws with them. */
export async function setFonts({ regular, bold }: { regular: string; bold: string }): Promise<void> {
  loading = Promise.resolve({ regular: readFont(bytesIn(regular)), bold: readFont(bytesIn(bold)) });
  await drawWith({ regular, bold });
}

/** Adds Inter to what the page draws with. */
export async function drawWith({ regular, bold }: { regular: string; bold: string }): Promise<void> {
  for (const [data, weight] of [
    [regular, '100 500'],
    [bold, '510 900'],
  ] as const)
    document.fonts.add(await new FontFace('Inter', bytesIn(data), { weight }).load());
}
const bytesIn = (text: string) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

/** The fonts that PDFs embed, once for the page: out of a script element `#epochscope-fonts` (a page opened from disk), or fetched. */
export function pageFonts(): Promise<Fonts> {
  loading ??= load().catch((error) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function load(): Promise<Fonts> {
  const inside = document.getElementById('epochscope-fonts')?.textContent;
  if (inside) {
    const { regular, bold } = JSON.parse(inside) as { regular: string; bold: string };
    return { regular: readFont(bytesIn(regular)), bold: readFont(bytesIn(bold)) };
  }
  // Classic scripts have no address of their own: they say it by `setFontFolder`.
  const base = folder ?? new URL(/* @vite-ignore */ '../fonts/', import.meta.url || document.baseURI).href;
  const [regular, bold] = await Promise.all(
    ['Inter-Regular.ttf', 'Inter-SemiBold.ttf'].map(async (name) => {
      const address = new URL(name, base).href;
      const answer = await fetch(address).catch(() => null);
      if (!answer?.ok)
        throw new EpochscopeError(
          'missing',
          `${address}: the font that a PDF embeds could not be loaded; serve it there, or save as SVG`,
          { path: address },
        );
      return readFont(new Uint8Array(await answer.arrayBuffer()), address);
    }),
  );
  return { regular: regular!, bold: bold! };
}
