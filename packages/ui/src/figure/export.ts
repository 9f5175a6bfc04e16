/** Presentation that a stylesheet gives and a stand-alone SVG must carry itself. */
const CARRIED = [
  'fill',
  'fill-opacity',
  'stroke',
  'stroke-width',
  'stroke-opacity',
  'stroke-dasharray',
  'stroke-linecap',
  'stroke-linejoin',
  'opacity',
  'font-family',
  'font-size',
  'font-weight',
  'font-style',
  'text-anchor',
  'dominant-baseline',
  'paint-order',
  'shape-rendering',
  'image-rendering',
  'visibility',
  'display',
] as const;
const NS = 'http://www.w3.org/2000/svg';

/** Those that a child does not take from its parent, with the value that need not be written. */
const OWN: Record<string, string> = { opacity: '1', display: 'inline' };

/** A copy of an SVG with its computed presentation written into it, and without what only the page needs. */
export function standalone(source: SVGSVGElement): SVGSVGElement {
  const copy = source.cloneNode(true) as SVGSVGElement;
  const pairs: [Element, Element, CSSStyleDeclaration | null][] = [[source, copy, null]];
  while (pairs.length) {
    const [from, to, above] = pairs.pop()!;
    const style = getComputedStyle(from);
    for (const name of CARRIED) {
      const value = style.getPropertyValue(name);
      if (value && value !== (OWN[name] ?? above?.getPropertyValue(name))) to.setAttribute(name, value);
    }
    for (const name of ['class', 'style', 'part', 'tabindex', 'data-mark', 'role', 'aria-pressed'])
      to.removeAttribute(name);
    for (let i = 0; i < from.children.length; i++) pairs.push([from.children[i]!, to.children[i]!, style]);
  }
  const walker = document.createTreeWalker(copy, NodeFilter.SHOW_COMMENT);
  const comments: Node[] = [];
  while (walker.nextNode()) comments.push(walker.currentNode);
  for (const comment of comments) comment.parentNode!.removeChild(comment);
  return copy;
}

/**
 * A plot (its canvases and SVGs in their places, in order) as the text of one SVG. Canvases become pictures inside it.
 */
export function plotToSvg(plot: HTMLElement, background: string, label: string): string {
  const box = plot.getBoundingClientRect();
  const size = (value: number) => String(Math.round(value * 100) / 100);
  const root = document.createElementNS(NS, 'svg');
  root.setAttribute('xmlns', NS);
  root.setAttribute('width', size(box.width));
  root.setAttribute('height', size(box.height));
  root.setAttribute('viewBox', `0 0 ${size(box.width)} ${size(box.height)}`);
  const title = document.createElementNS(NS, 'title');
  title.textContent = label;
  const rect = document.createElementNS(NS, 'rect');
  for (const [name, value] of Object.entries({ width: '100%', height: '100%', fill: background }))
    rect.setAttribute(name, value);
  root.append(title, rect);
  for (const layer of layersOf(plot)) {
    const own = layer.getBoundingClientRect();
    if (!own.width || !own.height) continue;
    const [x, y] = [own.left - box.left, own.top - box.top];
    let node: Element;
    if (layer instanceof HTMLCanvasElement) {
      node = document.createElementNS(NS, 'image');
      node.setAttribute('href', layer.toDataURL('image/png'));
      node.setAttribute('preserveAspectRatio', 'none');
      node.setAttribute('image-rendering', getComputedStyle(layer).imageRendering);
    } else if (layer instanceof SVGSVGElement) node = standalone(layer);
    else {
      root.append(textNode(layer, x, y + own.height / 2, own.width));
      continue;
    }
    for (const [name, value] of Object.entries({ x, y, width: own.width, height: own.height }))
      node.setAttribute(name, size(value));
    root.append(node);
  }
  return `${new XMLSerializer().serializeToString(root)}\n`;
}

/** Canvases, outermost SVGs and texts marked `data-export`, in document order, those in shadow roots too. */
function layersOf(place: Element | ShadowRoot): Element[] {
  return [...place.children].flatMap((child) => {
    if (child instanceof HTMLCanvasElement || child instanceof SVGSVGElement) return [child];
    if (child.hasAttribute('data-export')) return [child];
    return [...(child.shadowRoot ? layersOf(child.shadowRoot) : []), ...layersOf(child)];
  });
}

function textNode(element: Element, x: number, middle: number, width: number): SVGTextElement {
  const style = getComputedStyle(element);
  const node = document.createElementNS(NS, 'text');
  const [anchor, at] = /center/.test(style.textAlign)
    ? ['middle', x + width / 2]
    : /right|end/.test(style.textAlign)
      ? ['end', x + width]
      : ['start', x];
  for (const [name, value] of Object.entries({
    x: at,
    y: middle,
    fill: style.color,
    'font-family': style.fontFamily,
    'font-size': style.fontSize,
    'font-weight': style.fontWeight,
    'text-anchor': anchor,
    'dominant-baseline': 'central',
  }))
    node.setAttribute(name, String(value));
  node.textContent = element.textContent!.trim();
  return node;
}

/** Draws an SVG text into a PNG at `scale` pixels per unit. */
export async function svgToPng(text: string, scale: number): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(image.naturalWidth * scale));
  canvas.height = Math.max(1, Math.round(image.naturalHeight * scale));
  canvas.getContext('2d')!.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvasToPng(canvas);
}

export function canvasToPng(canvas: HTMLCanvasElement): Promise<Blob> {
  return new Promise((resolve, reject) =>
    canvas.toBlob(
      (blob) => (blob ? resolve(blob) : reject(new Error('the picture could not be encoded'))),
      'image/png',
    ),
  );
}

/** Hands a file to the person; works from `file:` too. */
export function download(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
