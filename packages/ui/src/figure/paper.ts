import type { ResultBase } from '@epochscope/analysis/results';
import type { Measure, Scene, SceneItem } from '../scene/types.js';
import {
  type Drawing,
  legendSample,
  SAMPLE,
  SCALE_WIDTH,
  scaleHeight,
  scaleItems,
  scaleWidth,
} from './drawing.js';
import { wrapText } from './text.js';

export interface PaperOptions {
  measure: Measure;
  title?: string;
  /** What is drawn, with parameters and seeds: below the picture. */
  caption?: string;
  /** "a" of a figure with several parts. */
  letter?: string;
}

const MARGIN = 8;
const TITLE = 14;
const CAPTION = 11;

/** A drawing fit for a paper: panel letter and title above; legend, colour scales, notes and caption below. */
export function paperScene(drawing: Drawing, options: PaperOptions): Scene {
  const { measure, title = '', caption = '', letter = '' } = options;
  const width = Math.max(drawing.width, 200) + 2 * MARGIN;
  const inner = width - 2 * MARGIN;
  const items: SceneItem[] = [];
  let y = MARGIN;
  const lines = (text: string, size: number, bold: boolean, fill: string, x = MARGIN) => {
    for (const line of wrapText(text, width - MARGIN - x, measure, size, bold)) {
      items.push({ kind: 'text', x, y, baseline: 'top', text: line, size, bold, fill });
      y += Math.round(size * 1.4);
    }
  };
  if (letter)
    items.push({ kind: 'text', x: MARGIN, y, baseline: 'top', text: letter, size: TITLE + 2, bold: true });
  if (title) lines(title, TITLE, true, 'var(--_text)', MARGIN + (letter ? 20 : 0));
  else if (letter) y += TITLE + 6;
  if (title) y += 4;
  items.push({
    kind: 'group',
    x: MARGIN + Math.max(0, (inner - drawing.width) / 2),
    y,
    items: drawing.items,
  });
  y += drawing.height + 6;
  let x = MARGIN;
  for (const entry of drawing.legend ?? []) {
    const wide = SAMPLE[0] + 5 + measure(entry.name) + 14;
    if (x + wide - 14 > width - MARGIN && x > MARGIN) [x, y] = [MARGIN, y + 18];
    items.push({ kind: 'group', x, y: y + 2, items: legendSample(entry) });
    items.push({ kind: 'text', x: x + SAMPLE[0] + 5, y: y + 8, baseline: 'middle', text: entry.name });
    x += wide;
  }
  if (drawing.legend?.length) y += 24;
  x = MARGIN;
  let tall = 0;
  for (const scale of drawing.scales ?? []) {
    const bar = Math.min(SCALE_WIDTH, inner);
    const wide = Math.max(bar, scaleWidth(scale, measure));
    if (x + wide > width - MARGIN && x > MARGIN) [x, y, tall] = [MARGIN, y + tall + 8, 0];
    items.push({ kind: 'group', x, y: y + 2, items: scaleItems(scale, bar) });
    x += wide + 24;
    tall = Math.max(tall, scaleHeight(scale));
  }
  if (tall) y += tall + 8;
  if (drawing.note) lines(drawing.note, CAPTION, false, 'var(--_quiet)');
  if (caption) {
    y += 4;
    lines(caption, CAPTION, false, 'var(--_quiet)');
  }
  return { width: Math.ceil(width), height: Math.ceil(y + MARGIN - 4), items };
}

/** Scenes side by side, as many columns as asked, each with its own height; top edges aligned. */
export function besideScene(scenes: readonly Scene[], columns: number): Scene {
  const items: SceneItem[] = [];
  let [y, width] = [0, 0];
  for (let i = 0; i < scenes.length; i += columns) {
    const row = scenes.slice(i, i + columns);
    let x = 0;
    for (const scene of row) {
      items.push({ kind: 'group', x, y, items: scene.items });
      x += scene.width;
    }
    width = Math.max(width, x);
    y += Math.max(...row.map(({ height }) => height));
  }
  return { width, height: y, items };
}

const nameOf = (key: string) => key.replace(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase();

/** The end of a caption: what was analysed, how, with which seeds and by which version. */
export function provenance(result: ResultBase): string {
  const text = (value: unknown): string | null =>
    value === null || value === undefined || value === ''
      ? null
      : Array.isArray(value)
        ? value.length && value.length <= 6 && value.every((one) => typeof one !== 'object')
          ? value.join(', ')
          : null
        : typeof value === 'object'
          ? null
          : String(value).replace(/^-/, '−');
  const list = (values: Record<string, unknown>) =>
    Object.entries(values).flatMap(([key, value]) => {
      const said = text(value);
      return said === null ? [] : [`${nameOf(key)} ${said}`];
    });
  const parameters = list(result.parameters);
  const seeds = list(result.seeds);
  return [
    `Source: ${result.input.source}; method ${result.method}`,
    ...(parameters.length ? [parameters.join('; ')] : []),
    ...(seeds.length ? [`seeds: ${seeds.join(', ')}`] : []),
    `${result.tool.name} ${result.tool.version}.`,
  ].join('; ');
}
