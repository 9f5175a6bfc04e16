import type { Mark } from '../scene/types.js';
import { AsyncDirective, directive, type ElementPart } from './lit.js';

export type { Mark } from '../scene/types.js';

const MARKS = new WeakMap<Element, Mark>();

/** Makes an element a mark, or none. */
export function setMark(element: Element, mark: Mark | undefined): void {
  if (!mark) {
    if (!MARKS.delete(element)) return;
    for (const name of ['data-mark', 'tabindex', 'role', 'aria-label', 'aria-pressed'])
      element.removeAttribute(name);
    return;
  }
  MARKS.set(element, mark);
  element.setAttribute('data-mark', '');
  if (!element.hasAttribute('tabindex')) element.setAttribute('tabindex', '-1');
  element.setAttribute('role', mark.detail ? 'button' : 'img');
  element.setAttribute('aria-label', mark.label);
  if (mark.selected === undefined) element.removeAttribute('aria-pressed');
  else if (mark.detail) element.setAttribute('aria-pressed', String(mark.selected));
}

class MarkDirective extends AsyncDirective {
  render(_mark: Mark): undefined {}
  override update({ element }: ElementPart, [mark]: [Mark]): void {
    setMark(element, mark);
  }
}
/** On any element inside a plot: `<rect ${mark({ label, detail })} />`. */
export const mark = directive(MarkDirective);

/** The mark an event happened on. */
export function markAt(event: Event): { element: Element; mark: Mark } | null {
  for (const target of event.composedPath()) {
    if (target === event.currentTarget) return null;
    const found = target instanceof Element ? MARKS.get(target) : undefined;
    if (found) return { element: target as Element, mark: found };
  }
  return null;
}

/** Makes exactly one mark of the plot reachable by Tab. */
export function settleFocus(plot: Element): void {
  const marks = [...plot.querySelectorAll('[data-mark]')];
  const reachable = marks.filter((element) => element.getAttribute('tabindex') === '0');
  if (reachable.length === 1) return;
  const keep = reachable.find((element) => element.matches(':focus')) ?? reachable[0] ?? marks[0];
  for (const element of marks) element.setAttribute('tabindex', element === keep ? '0' : '-1');
}

/** The mark that has the focus, by arrows or by a click, is the one that Tab comes back to. */
export function keepFocus(plot: Element, element: Element): void {
  for (const other of plot.querySelectorAll('[data-mark][tabindex="0"]'))
    if (other !== element) other.setAttribute('tabindex', '-1');
  element.setAttribute('tabindex', '0');
}

/** Moves the focus among the marks by arrows, Home and End. True when the key was used. */
export function rove(plot: Element, from: Element, key: string): boolean {
  const marks = [...plot.querySelectorAll('[data-mark]')];
  const at = marks.indexOf(from);
  const here = MARKS.get(from);
  let to: Element | undefined;
  if (key === 'Home') to = marks[0];
  else if (key === 'End') to = marks[marks.length - 1];
  else if (here?.row !== undefined && here.column !== undefined) {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[key];
    if (!step) return false;
    to = nearest(marks, here, step[0]!, step[1]!);
  } else {
    const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[key];
    if (!step) return false;
    to = marks[at + step];
  }
  if (!to) return key.startsWith('Arrow');
  keepFocus(plot, to);
  (to as HTMLElement | SVGElement).focus();
  return true;
}

/** The next mark along the row (or column) that was gone from; gaps are jumped over. */
function nearest(marks: Element[], { row, column }: Mark, down: number, right: number): Element | undefined {
  let best: Element | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const element of marks) {
    const other = MARKS.get(element)!;
    if (other.row === undefined || other.column === undefined) continue;
    const rows = other.row - row!;
    const columns = other.column - column!;
    const along = rows * down + columns * right;
    if (along <= 0) continue;
    const distance = along + 1000 * Math.abs(down ? columns : rows);
    if (distance < least) {
      least = distance;
      best = element;
    }
  }
  return best;
}
