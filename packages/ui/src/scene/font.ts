import { guard } from '@epochscope/core-wasm';
import type { Measure } from './types.js';

/** What layout and PDF ask of a TrueType or OpenType font. Lengths in thousandths of the size. */
export interface Font {
  bytes: Uint8Array<ArrayBuffer>;
  /** "Inter-Regular". */
  name: string;
  family: string;
  /** OpenType with PostScript outlines. */
  cff: boolean;
  box: readonly [number, number, number, number];
  ascent: number;
  descent: number;
  capHeight: number;
  /** Number of a character's glyph; 0 for none. */
  glyph(codePoint: number): number;
  advance(glyph: number): number;
}

/**
 * Reads a font file's tables: `head`, `hhea`, `hmtx`, `cmap` (formats 4 and 12), `name`, `OS/2` (OpenType specification 1.9). Kerning is
 * left out. Throws `format` for what is no such file.
 */
export function readFont(bytes: Uint8Array<ArrayBuffer>, path = 'font'): Font {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kind = bytes.length > 12 ? view.getUint32(0) : 0;
  const fail = (what: string) => `${path}: expected a TrueType or OpenType font (.ttf, .otf), got ${what}`;
  guard(
    kind === 0x00010000 || kind === 0x4f54544f || kind === 0x74727565,
    'format',
    () => fail(kind === 0x774f4646 || kind === 0x774f4632 ? 'a web font: unpack it first' : 'another file'),
    { path },
  );
  const tables = new Map<string, number>();
  for (let i = 0; i < view.getUint16(4); i++) {
    const at = 12 + 16 * i;
    guard(at + 16 <= bytes.length, 'format', () => fail('a table list that is cut off'), { path });
    const tag = String.fromCharCode(...bytes.subarray(at, at + 4));
    const [from, size] = [view.getUint32(at + 8), view.getUint32(at + 12)];
    guard(from + size <= bytes.length, 'format', () => fail(`a table ${tag} beyond its end`), { path });
    tables.set(tag, from);
  }
  const table = (tag: string) => {
    const at = tables.get(tag);
    guard(at !== undefined, 'format', () => fail(`a file without the table ${tag}`), { path });
    return at;
  };
  const [head, hhea, hmtx] = [table('head'), table('hhea'), table('hmtx')];
  const em = view.getUint16(head + 18);
  const part = (at: number) => (1000 * view.getInt16(at)) / em;
  const widths = view.getUint16(hhea + 34);
  const os2 = tables.get('OS/2');
  const names = namesOf(view, tables.get('name'));
  return {
    bytes,
    name: (names.get(6) ?? 'Font').replace(/[^\w-]/g, ''),
    family: names.get(16) ?? names.get(1) ?? 'Font',
    cff: kind === 0x4f54544f,
    box: [part(head + 36), part(head + 38), part(head + 40), part(head + 42)],
    ascent: part(hhea + 4),
    descent: part(hhea + 6),
    capHeight: os2 !== undefined && view.getUint16(os2) >= 2 ? part(os2 + 88) : 700,
    glyph: glyphsOf(view, table('cmap'), () => fail('a file without a Unicode table'), path),
    advance: (glyph) => (1000 * view.getUint16(hmtx + 4 * Math.min(glyph, widths - 1))) / em,
  };
}

function namesOf(view: DataView, at: number | undefined): Map<number, string> {
  const found = new Map<number, string>();
  if (at === undefined) return found;
  const texts = at + view.getUint16(at + 4);
  for (let i = 0; i < view.getUint16(at + 2); i++) {
    const record = at + 6 + 12 * i;
    if (view.getUint16(record) !== 3) continue;
    const from = texts + view.getUint16(record + 10);
    let text = '';
    for (let k = 0; k < view.getUint16(record + 8); k += 2)
      text += String.fromCharCode(view.getUint16(from + k));
    if (!found.has(view.getUint16(record + 6))) found.set(view.getUint16(record + 6), text);
  }
  return found;
}

function glyphsOf(view: DataView, cmap: number, message: () => string, path: string): Font['glyph'] {
  let at = -1;
  for (let i = 0; i < view.getUint16(cmap + 2); i++) {
    const table = cmap + view.getUint32(cmap + 4 + 8 * i + 4);
    const format = view.getUint16(table);
    if (format === 12 || (format === 4 && (at < 0 || view.getUint16(at) !== 12))) at = table;
  }
  guard(at >= 0, 'format', message, { path });
  if (view.getUint16(at) === 12)
    return (code) => {
      for (let i = 0; i < view.getUint32(at + 12); i++) {
        const group = at + 16 + 12 * i;
        const first = view.getUint32(group);
        if (code >= first && code <= view.getUint32(group + 4))
          return view.getUint32(group + 8) + code - first;
      }
      return 0;
    };
  const twice = view.getUint16(at + 6);
  return (code) => {
    for (let i = 0; i < twice; i += 2) {
      if (code > view.getUint16(at + 14 + i)) continue;
      const first = view.getUint16(at + 16 + twice + i);
      if (code < first) return 0;
      const delta = view.getUint16(at + 16 + 2 * twice + i);
      const offset = at + 16 + 3 * twice + i;
      const range = view.getUint16(offset);
      if (!range) return (code + delta) & 0xffff;
      const glyph = view.getUint16(offset + range + 2 * (code - first));
      return glyph ? (glyph + delta) & 0xffff : 0;
    }
    return 0;
  };
}

/** Regular and bold; one font may be both. */
export interface Fonts {
  regular: Font;
  bold: Font;
}

/** Widths by the fonts that a file is drawn with, so that layouts need no browser. */
export const fontMeasure =
  ({ regular, bold }: Fonts): Measure =>
  (text, size = 12, heavy = false) => {
    const font = heavy ? bold : regular;
    let sum = 0;
    for (const character of text) sum += font.advance(font.glyph(character.codePointAt(0)!));
    return (sum * size) / 1000;
  };

/** Characters that a font has no glyph for, each once. */
export function missingGlyphs(texts: Iterable<string>, { regular, bold }: Fonts): string[] {
  const missing = new Set<string>();
  for (const text of texts)
    for (const character of text) {
      const code = character.codePointAt(0)!;
      if (!regular.glyph(code) || !bold.glyph(code)) missing.add(character);
    }
  return [...missing];
}
