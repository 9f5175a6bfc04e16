import { PAPER, resolveColour, rgbOf, type Theme } from './colour.js';
import type { Font, Fonts } from './font.js';
import { enlarged } from './pixels.js';
import { baselineShift, type ImageItem, type Scene, type SceneItem, type TextItem } from './types.js';

export interface PdfOptions {
  fonts: Fonts;
  theme?: Theme;
  title?: string;
  /** The caption; kept as the document's subject. */
  description?: string;
}

type Outlined = Exclude<SceneItem, { kind: 'text' | 'image' | 'group' }>;

const POINT = 0.75; // a CSS pixel in points
/** Control points of a quarter circle. */
const ROUND = 0.5523;
const n = (value: number) => String(Math.round(value * 1000) / 1000);

/**
 * A scene as a PDF of one page (ISO 32000-1): shapes as shapes, text as text with the fonts embedded and readable by search, pictures
 * unsmoothed. No date or chance: the same scene gives the same bytes. Needs `CompressionStream` (browsers, Node 18).
 */
export async function scenePdf(scene: Scene, options: PdfOptions): Promise<Uint8Array<ArrayBuffer>> {
  const { fonts, theme = PAPER, title = '', description = '' } = options;
  const file = new PdfFile();
  const [catalog, pages, page, content, info] = [1, 2, 3, 4, 5].map(() => file.reserve()) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const faces = [new Face('F1', fonts.regular), new Face('F2', fonts.bold)];
  const images = new Map<string, ImageItem>();
  const alphas = new Map<string, string>();
  const out: string[] = [`${POINT} 0 0 ${-POINT} 0 ${n(scene.height * POINT)} cm`];
  const ink = (colour: string) =>
    rgbOf(resolveColour(colour, theme))
      .map((byte) => n(byte / 255))
      .join(' ');
  const alpha = (fill: number, stroke: number) => {
    if (fill >= 1 && stroke >= 1) return '';
    const key = `/ca ${n(fill)} /CA ${n(stroke)}`;
    if (!alphas.has(key)) alphas.set(key, `G${alphas.size + 1}`);
    return `/${alphas.get(key)} gs`;
  };

  const writeText = (item: TextItem) => {
    const { x, y, text, anchor = 'start', size = 12, bold, rotate = 0, fill = 'var(--_text)', halo } = item;
    const face = faces[bold ? 1 : 0]!;
    const { hex, width } = face.encode(text, size);
    const left = anchor === 'end' ? -width : anchor === 'middle' ? -width / 2 : 0;
    const [cos, sin] = [Math.cos((rotate * Math.PI) / 180), Math.sin((rotate * Math.PI) / 180)];
    const down = baselineShift(item);
    const place = [cos, sin, sin, -cos, x + left * cos - down * sin, y + left * sin + down * cos].map(n);
    const draw = (mode: number) =>
      `BT /${face.key} ${n(size)} Tf ${mode} Tr ${place.join(' ')} Tm <${hex}> Tj ET`;
    out.push('q', alpha(item.opacity ?? 1, item.opacity ?? 1));
    if (halo) out.push(`${ink('var(--_surface)')} RG 3 w 1 j`, draw(1));
    out.push(`${ink(fill)} rg`, draw(0), 'Q');
  };
  const writeImage = (item: ImageItem) => {
    const key = `I${images.size + 1}`;
    images.set(key, { ...item, pixels: enlarged(item.pixels, item.width, item.height) });
    out.push('q', alpha(item.opacity ?? 1, 1));
    out.push(
      `${n(item.width)} 0 0 ${n(-item.height)} ${n(item.x)} ${n(item.y + item.height)} cm /${key} Do Q`,
    );
  };
  const write = (item: SceneItem): void => {
    if (item.kind === 'text') writeText(item);
    else if (item.kind === 'image') writeImage(item);
    else if (item.kind === 'group') {
      out.push('q', `1 0 0 1 ${n(item.x ?? 0)} ${n(item.y ?? 0)} cm`);
      if (item.clip)
        out.push(`${[item.clip.x, item.clip.y, item.clip.width, item.clip.height].map(n).join(' ')} re W n`);
      for (const one of item.items) write(one);
      out.push('Q');
    } else if (item.fill || item.stroke) writeShape(item);
  };
  const writeShape = (item: Outlined): void => {
    const { opacity = 1, fillOpacity = 1, strokeWidth = 1 } = item;
    out.push('q', alpha(opacity * fillOpacity, opacity));
    if (item.fill) out.push(`${ink(item.fill)} rg`);
    if (item.stroke) {
      out.push(`${ink(item.stroke)} RG ${n(strokeWidth)} w`);
      if (item.join) out.push('1 j');
      if (item.dash) out.push(`[${item.dash.map(n).join(' ')}] 0 d`);
    }
    out.push(outlineOf(item), item.fill && item.stroke ? 'B' : item.fill ? 'f' : 'S', 'Q');
  };
  out.push(`${ink('var(--_surface)')} rg 0 0 ${n(scene.width)} ${n(scene.height)} re f`);
  for (const item of scene.items) write(item);

  const used = faces.filter((face) => face.used.size);
  const fontRefs = [];
  for (const face of used) fontRefs.push(`/${face.key} ${await face.write(file)} 0 R`);
  const imageRefs = [];
  for (const [key, { pixels }] of images) imageRefs.push(`/${key} ${await writePixels(file, pixels)} 0 R`);
  const states = [...alphas].map(([values, key]) => `/${key} << ${values} >>`);
  await file.stream(content, '', new TextEncoder().encode(out.filter(Boolean).join('\n')));
  const box = `[0 0 ${n(scene.width * POINT)} ${n(scene.height * POINT)}]`;
  file.put(
    page,
    `<< /Type /Page /Parent ${pages} 0 R /MediaBox ${box} /Contents ${content} 0 R /Resources << /Font << ${fontRefs.join(' ')} >> /XObject << ${imageRefs.join(' ')} >> /ExtGState << ${states.join(' ')} >> >> >>`,
  );
  file.put(pages, `<< /Type /Pages /Kids [${page} 0 R] /Count 1 >>`);
  file.put(catalog, `<< /Type /Catalog /Pages ${pages} 0 R >>`);
  file.put(
    info,
    `<< /Title ${unicode(title)} /Subject ${unicode(description)} /Creator (Epochscope) /Producer (Epochscope) >>`,
  );
  return file.end(catalog, info);
}

/** Path operators of a shape. */
function outlineOf(item: Outlined): string {
  switch (item.kind) {
    case 'rect': {
      const { x, y, width, height } = item;
      const r = Math.min(item.radius ?? 0, width / 2, height / 2);
      if (!r) return `${n(x)} ${n(y)} ${n(width)} ${n(height)} re`;
      const [k, right, bottom] = [r * (1 - ROUND), x + width, y + height];
      const corner = (...p: number[]) => `${p.map(n).join(' ')} c`;
      return [
        `${n(x + r)} ${n(y)} m ${n(right - r)} ${n(y)} l`,
        corner(right - k, y, right, y + k, right, y + r),
        `${n(right)} ${n(bottom - r)} l`,
        corner(right, bottom - k, right - k, bottom, right - r, bottom),
        `${n(x + r)} ${n(bottom)} l`,
        corner(x + k, bottom, x, bottom - k, x, bottom - r),
        `${n(x)} ${n(y + r)} l`,
        corner(x, y + k, x + k, y, x + r, y),
        'h',
      ].join(' ');
    }
    case 'line':
      return `${n(item.x1)} ${n(item.y1)} m ${n(item.x2)} ${n(item.y2)} l`;
    case 'circle': {
      const { x, y, r } = item;
      const k = r * ROUND;
      const arc = (...p: number[]) => `${p.map(n).join(' ')} c`;
      return [
        `${n(x + r)} ${n(y)} m`,
        arc(x + r, y + k, x + k, y + r, x, y + r),
        arc(x - k, y + r, x - r, y + k, x - r, y),
        arc(x - r, y - k, x - k, y - r, x, y - r),
        arc(x + k, y - r, x + r, y - k, x + r, y),
        'h',
      ].join(' ');
    }
    case 'polygon':
      return `${item.points.map(([x, y], i) => `${n(x)} ${n(y)} ${i ? 'l' : 'm'}`).join(' ')} h`;
    case 'path':
      return pathOperators(item.d);
  }
}

/** `d` of M, L, H, V, C and Z, absolute, as operators. */
function pathOperators(d: string): string {
  const out: string[] = [];
  let [x, y] = [0, 0];
  for (const [, command, rest] of d.matchAll(/([A-DF-Za-df-z])([^A-DF-Za-df-z]*)/g)) {
    const values = rest!.match(/-?\d*\.?\d+(?:e[-+]?\d+)?/gi)?.map(Number) ?? [];
    const take = command === 'C' ? 6 : command === 'H' || command === 'V' ? 1 : 2;
    if (command === 'Z') {
      out.push('h');
      continue;
    }
    if (!'MLHVC'.includes(command!)) throw new Error(`path command ${command} is not one of M L H V C Z`);
    for (let i = 0; i + take <= values.length; i += take) {
      const now = values.slice(i, i + take);
      if (command === 'H') x = now[0]!;
      else if (command === 'V') y = now[0]!;
      else [x, y] = now.slice(-2) as [number, number];
      if (command === 'C') out.push(`${now.map(n).join(' ')} c`);
      else out.push(`${n(x)} ${n(y)} ${command === 'M' && !i ? 'm' : 'l'}`);
    }
  }
  return out.join(' ');
}

/** A font in a file, with the glyphs used. */
class Face {
  readonly used = new Map<number, string>();
  constructor(
    readonly key: string,
    private readonly font: Font,
  ) {}

  /** Glyph numbers as hexadecimal, and the width in CSS pixels. */
  encode(text: string, size: number): { hex: string; width: number } {
    let hex = '';
    let sum = 0;
    for (const character of text) {
      const glyph = this.font.glyph(character.codePointAt(0)!);
      this.used.set(glyph, character);
      hex += glyph.toString(16).padStart(4, '0');
      sum += this.font.advance(glyph);
    }
    return { hex, width: (sum * size) / 1000 };
  }

  /** Number of the font's object. */
  async write(file: PdfFile): Promise<number> {
    const { font } = this;
    const [top, below, descriptor, program, names] = Array.from({ length: 5 }, () => file.reserve()) as [
      number,
      number,
      number,
      number,
      number,
    ];
    const widths = [...this.used.keys()]
      .sort((a, b) => a - b)
      .map((glyph) => `${glyph} [${n(font.advance(glyph))}]`);
    file.put(
      top,
      `<< /Type /Font /Subtype /Type0 /BaseFont /${font.name} /Encoding /Identity-H /DescendantFonts [${below} 0 R] /ToUnicode ${names} 0 R >>`,
    );
    file.put(
      below,
      `<< /Type /Font /Subtype /${font.cff ? 'CIDFontType0' : 'CIDFontType2'} /BaseFont /${font.name} /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /FontDescriptor ${descriptor} 0 R /DW 0 /W [${widths.join(' ')}]${font.cff ? '' : ' /CIDToGIDMap /Identity'} >>`,
    );
    file.put(
      descriptor,
      `<< /Type /FontDescriptor /FontName /${font.name} /Flags 4 /FontBBox [${font.box.map(n).join(' ')}] /ItalicAngle 0 /Ascent ${n(font.ascent)} /Descent ${n(font.descent)} /CapHeight ${n(font.capHeight)} /StemV 80 /${font.cff ? 'FontFile3' : 'FontFile2'} ${program} 0 R >>`,
    );
    await file.stream(program, font.cff ? '/Subtype /OpenType' : `/Length1 ${font.bytes.length}`, font.bytes);
    const lines = [...this.used].map(
      ([glyph, character]) => `<${glyph.toString(16).padStart(4, '0')}> <${utf16(character)}>`,
    );
    // A block holds at most 100 entries.
    const blocks = Array.from({ length: Math.ceil(lines.length / 100) }, (_, i) => {
      const some = lines.slice(100 * i, 100 * i + 100);
      return `${some.length} beginbfchar\n${some.join('\n')}\nendbfchar`;
    });
    const cmap = `/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /Epochscope def /CMapType 2 def\n1 begincodespacerange <0000> <ffff> endcodespacerange\n${blocks.join('\n')}\nendcmap CMapName currentdict /CMap defineresource pop end end`;
    await file.stream(names, '', new TextEncoder().encode(cmap));
    return top;
  }
}

async function writePixels(
  file: PdfFile,
  { width, height, channels, data }: ImageItem['pixels'],
): Promise<number> {
  const at = file.reserve();
  const head = (space: string) =>
    `/Type /XObject /Subtype /Image /Width ${width} /Height ${height} /ColorSpace /${space} /BitsPerComponent 8 /Interpolate false`;
  if (channels !== 4) {
    await file.stream(at, head(channels === 1 ? 'DeviceGray' : 'DeviceRGB'), new Uint8Array(data));
    return at;
  }
  const colours = new Uint8Array(3 * width * height);
  const clear = new Uint8Array(width * height);
  let opaque = true;
  for (let i = 0; i < clear.length; i++) {
    for (let c = 0; c < 3; c++) colours[3 * i + c] = data[4 * i + c]!;
    clear[i] = data[4 * i + 3]!;
    if (clear[i] !== 255) opaque = false;
  }
  let mask = '';
  if (!opaque) {
    const ref = file.reserve();
    await file.stream(ref, head('DeviceGray'), clear);
    mask = ` /SMask ${ref} 0 R`;
  }
  await file.stream(at, `${head('DeviceRGB')}${mask}`, colours);
  return at;
}

const utf16 = (text: string) =>
  Array.from({ length: text.length }, (_, i) => text.charCodeAt(i).toString(16).padStart(4, '0')).join('');
const unicode = (text: string) => `<feff${utf16(text)}>`;

/** Objects, their places and the table of them. */
class PdfFile {
  private readonly objects: (Uint8Array<ArrayBuffer> | null)[] = [];

  reserve(): number {
    return this.objects.push(null);
  }
  put(at: number, text: string): void {
    this.objects[at - 1] = new TextEncoder().encode(`${at} 0 obj\n${text}\nendobj\n`);
  }
  async stream(at: number, entries: string, data: Uint8Array<ArrayBuffer>): Promise<void> {
    const packed = new Uint8Array(
      await new Response(
        new Blob([data]).stream().pipeThrough(new CompressionStream('deflate')),
      ).arrayBuffer(),
    );
    this.objects[at - 1] = join([
      new TextEncoder().encode(
        `${at} 0 obj\n<< ${entries} /Filter /FlateDecode /Length ${packed.length} >>\nstream\n`,
      ),
      packed,
      new TextEncoder().encode('\nendstream\nendobj\n'),
    ]);
  }
  end(catalog: number, info: number): Uint8Array<ArrayBuffer> {
    const head = new Uint8Array([...new TextEncoder().encode('%PDF-1.7\n%'), 0xe2, 0xe3, 0xcf, 0xd3, 10]);
    let at = head.length;
    const rows = this.objects.map((object) => {
      const row = `${String(at).padStart(10, '0')} 00000 n \n`;
      at += object!.length;
      return row;
    });
    const size = this.objects.length + 1;
    const tail = `xref\n0 ${size}\n0000000000 65535 f \n${rows.join('')}trailer\n<< /Size ${size} /Root ${catalog} 0 R /Info ${info} 0 R >>\nstartxref\n${at}\n%%EOF\n`;
    return join([head, ...this.objects.map((object) => object!), new TextEncoder().encode(tail)]);
  }
}

function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
