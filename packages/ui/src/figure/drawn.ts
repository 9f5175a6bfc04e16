import { shapeOf } from '../scene/shape.js';
import type { SceneItem } from '../scene/types.js';
import { AsyncDirective, directive, type ElementPart } from './lit.js';
import { setMark } from './marks.js';

const NS = 'http://www.w3.org/2000/svg';
/** What stands on an element of ours: written again only where it differs. */
const WRITTEN = new WeakMap<Element, Record<string, string>>();
let clips = 0;

const asItIs = (colour: string) => colour;

/** Puts a scene's items into an SVG element; pictures (`image`) are left to the canvas below. Elements are kept, so that the focus is. */
export function drawItems(parent: Element, items: readonly SceneItem[]): void {
  let at = 0;
  for (const item of items) {
    if (item.kind === 'image') continue;
    const tag = item.kind === 'group' ? 'g' : item.kind;
    let element = parent.children[at] as SVGElement | undefined;
    if (element?.localName !== tag) {
      const fresh = document.createElementNS(NS, tag);
      if (element) element.replaceWith(fresh);
      else parent.append(fresh);
      element = fresh;
    }
    at++;
    if (item.kind === 'group') drawGroup(element, item);
    else drawShape(element, item);
  }
  while (parent.children.length > at) parent.lastElementChild!.remove();
}

function drawGroup(element: SVGElement, item: Extract<SceneItem, { kind: 'group' }>): void {
  const { x = 0, y = 0, clip, hidden, items } = item;
  write(element, {
    transform: x || y ? `translate(${x} ${y})` : undefined,
    'aria-hidden': hidden ? 'true' : undefined,
  });
  if (!clip) {
    drawItems(element, items);
    return;
  }
  // <clipPath> and the group that it cuts.
  if (element.firstElementChild?.localName !== 'clipPath') {
    const path = document.createElementNS(NS, 'clipPath');
    path.id = `es-clip-${++clips}`;
    path.append(document.createElementNS(NS, 'rect'));
    element.replaceChildren(path, document.createElementNS(NS, 'g'));
  }
  const [path, inside] = [...element.children] as [SVGElement, SVGElement];
  write(path.firstElementChild!, { ...clip });
  write(inside, { 'clip-path': `url(#${path.id})` });
  drawItems(inside, items);
}

function drawShape(element: SVGElement, item: Exclude<SceneItem, { kind: 'group' | 'image' }>): void {
  const { attributes, text } = shapeOf(item, asItIs)!;
  write(element, { ...attributes, class: item.class });
  if (text !== undefined) {
    if (element.firstChild?.nodeType === Node.TEXT_NODE) {
      if (element.firstChild.nodeValue !== text) element.firstChild.nodeValue = text;
    } else element.prepend(text);
  }
  const title = element.querySelector('title');
  if (item.title && item.title !== text) {
    if (title) title.textContent = item.title;
    else element.append(Object.assign(document.createElementNS(NS, 'title'), { textContent: item.title }));
  } else title?.remove();
  setMark(element, item.mark);
}

function write(element: Element, attributes: Record<string, string | number | undefined>): void {
  const before = WRITTEN.get(element) ?? {};
  const now: Record<string, string> = {};
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined) continue;
    now[name] = String(value);
    if (before[name] !== now[name]) element.setAttribute(name, now[name]!);
  }
  for (const name of Object.keys(before)) if (!(name in now)) element.removeAttribute(name);
  WRITTEN.set(element, now);
}

class DrawnDirective extends AsyncDirective {
  private last: readonly SceneItem[] | null = null;
  render(_items: readonly SceneItem[]): undefined {}
  override update({ element }: ElementPart, [items]: [readonly SceneItem[]]): void {
    if (items === this.last) return;
    this.last = items;
    drawItems(element, items);
  }
}
/** On an `<svg>` that holds nothing else: draws a scene's items, again only when they are other ones. */
export const drawn = directive(DrawnDirective);
