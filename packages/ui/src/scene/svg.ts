import { PAPER, resolveColour, type Theme } from './colour.js';
import { enlarged } from './pixels.js';
import { shapeOf } from './shape.js';
import type { Pixels, Scene, SceneItem } from './types.js';

export interface SvgOptions {
  /** Pixels as a PNG's address, "data:image/png;base64,…". */
  encode: (pixels: Pixels) => string;
  /** Default ink on white. */
  theme?: Theme;
  /** Families in order; default Inter and what stands in for it. */
  font?: string;
  /** Read out by screen readers. */
  title?: string;
  /** What is drawn, in full: the caption. */
  description?: string;
  /** Small pictures are enlarged, for viewers that smooth; default true. */
  enlarge?: boolean;
  /** Width and height as written: "85mm". Default CSS pixels. */
  size?: readonly [width: string, height: string];
}

export const FONT = "Inter, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif";

const escaped = (text: string) =>
  text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
const attributesText = (attributes: Record<string, string | number | undefined>) =>
  Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}="${escaped(String(value))}"`)
    .join('');

/** A scene as the text of an SVG that stands alone: no styles, classes or scripts. Pictures stand in it as PNGs. */
export function sceneSvg(scene: Scene, options: SvgOptions): string {
  const { encode, theme = PAPER, font = FONT, title = '', description = '' } = options;
  const colour = (name: string) => resolveColour(name, theme);
  let clips = 0;
  const write = (item: SceneItem): string => {
    if (item.kind === 'group') {
      const { x = 0, y = 0, clip, items } = item;
      const move = x || y ? ` transform="translate(${x} ${y})"` : '';
      if (!clip) return `<g${move}>${items.map(write).join('')}</g>`;
      const id = `clip-${++clips}`;
      return `<g${move}><clipPath id="${id}"><rect${attributesText(clip)}/></clipPath><g clip-path="url(#${id})">${items.map(write).join('')}</g></g>`;
    }
    if (item.kind === 'image') {
      const { x, y, width, height, opacity } = item;
      const pixels = options.enlarge === false ? item.pixels : enlarged(item.pixels, width, height);
      // The attribute alone: a renderer that does not know "pixelated" smooths, and style attributes are against strict policies.
      return `<image${attributesText({ x, y, width, height, opacity })} preserveAspectRatio="none" image-rendering="optimizeSpeed" href="${encode(pixels)}"/>`;
    }
    const { tag, attributes, text } = shapeOf(item, colour)!;
    return `<${tag}${attributesText(attributes)}${text === undefined ? '/>' : `>${escaped(text)}</${tag}>`}`;
  };
  const [width, height] = options.size ?? [scene.width, scene.height];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${scene.width} ${scene.height}" font-family="${font}" role="img"${title ? ` aria-label="${escaped(title)}"` : ''}>`,
    ...(title ? [`<title>${escaped(title)}</title>`] : []),
    ...(description ? [`<desc>${escaped(description)}</desc>`] : []),
    `<rect width="${scene.width}" height="${scene.height}" fill="${theme.surface}"/>`,
    ...scene.items.map(write),
    '</svg>\n',
  ].join('\n');
}
