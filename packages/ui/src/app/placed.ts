import type { TendencyPanel, TendencyResult } from '@epochscope/analysis/results';
import type { BlockContent } from './model.js';

/** Places of labels down the picture's side, pushed apart so that none lies over another. */
export function apart(places: readonly number[], least: number, most: number): number[] {
  const out = [...places];
  for (let i = 1; i < out.length; i++) out[i] = Math.max(out[i]!, out[i - 1]! + least);
  if (out.length && out.at(-1)! > most) {
    out[out.length - 1] = most;
    for (let i = out.length - 2; i >= 0; i--) out[i] = Math.min(out[i]!, out[i + 1]! - least);
  }
  return out;
}

/** Most thumbs that stand beside each other; of more snapshots so many evenly spaced ones, and the one shown. */
export function shownThumbs(count: number, most: number, at: number): number[] {
  if (count <= most) return Array.from({ length: count }, (_, i) => i);
  const keep = new Set(Array.from({ length: most }, (_, i) => Math.round((i * (count - 1)) / (most - 1))));
  if (at >= 0 && !keep.has(at)) {
    // In place of the nearest, so that none lies over another; the ends stay.
    const near = [...keep].slice(1, -1).sort((a, b) => Math.abs(a - at) - Math.abs(b - at))[0];
    if (near !== undefined) keep.delete(near);
    keep.add(at);
  }
  return [...keep].sort((a, b) => a - b);
}

const quoted = (text: string) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** A block's samples as CSV, for relabelling: row of the file or run, name, class, prediction, position. */
export function membersCsv(
  samples: TendencyResult['samples'],
  panel: TendencyPanel,
  { start, end, letter }: BlockContent,
): string {
  const { labels, classes, names, indices, predictions } = samples;
  const predicted = predictions?.find(({ snapshot }) => snapshot === panel.snapshot.id)?.classes;
  const word = (label: number | undefined) =>
    label === undefined || label === 0xffffffff ? '' : (classes?.[label] ?? String(label));
  const head = [
    'sample',
    ...(names ? ['name'] : []),
    ...(labels ? ['class'] : []),
    ...(predicted ? ['predicted'] : []),
    'position',
    'block',
  ];
  const lines = [head.join(',')];
  for (let p = start; p < end; p++) {
    const sample = panel.order[p]!;
    lines.push(
      [
        indices?.[sample] ?? sample,
        ...(names ? [names[sample]!] : []),
        ...(labels ? [word(labels[sample])] : []),
        ...(predicted ? [word(predicted[sample])] : []),
        p,
        letter,
      ]
        .map((value) => quoted(String(value)))
        .join(','),
    );
  }
  return `${lines.join('\n')}\n`;
}
