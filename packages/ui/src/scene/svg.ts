import type { GreyItem, Scene } from './types.js';

const escapeText = (text: string) =>
  text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');

/**
 * A scene as SVG text. Grey pictures stand in it as PNGs, which `encodeGrey` makes (base64); their pixels stay sharp when enlarged.
 * `title` is read out by screen readers.
 */
export function sceneSvg(scene: Scene, encodeGrey: (item: GreyItem) => string, title = ''): string {
  const { width, height, background } = scene;
  const lines = scene.items.map((item) => {
    const box = `x="${item.x}" y="${item.y}"`;
    if (item.kind === 'grey')
      return `<image ${box} width="${item.width}" height="${item.height}" preserveAspectRatio="none" style="image-rendering:pixelated" href="data:image/png;base64,${encodeGrey(item)}"/>`;
    if (item.kind === 'fill')
      return `<rect ${box} width="${item.width}" height="${item.height}" fill="${item.colour}"/>`;
    return `<text ${box} font-size="${item.size}" text-anchor="${item.anchor}" fill="${item.colour}">${escapeText(item.text)}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="'DejaVu Sans', Verdana, sans-serif" shape-rendering="crispEdges" role="img"${title ? ` aria-label="${escapeText(title)}"` : ''}>`,
    ...(background ? [`<rect width="${width}" height="${height}" fill="${background}"/>`] : []),
    ...lines,
    '</svg>\n',
  ].join('\n');
}
