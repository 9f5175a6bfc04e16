import type { TendencyPanel } from '@epochscope/analysis/results';
import { html, nothing, type TemplateResult } from 'lit';
import { percent } from '../styles.js';
import { EsResultPanel } from './es-result-panel.js';
import { duration } from './jobs.js';
import { thousands } from './model.js';
import type { LiveTraining } from './source.js';
import type { LiveFrame } from './work/types.js';

// What the story says of a training while it goes on.

/** Charts of filters beside the picture. */
const MOST_BARS = 4;

/** How fast it learns, and what of: images, or steps where each takes all there are. */
export function speedOf(
  { options, data }: LiveTraining,
  { imagesPerSecond }: NonNullable<LiveTraining['progress']>,
): readonly [string, string] {
  if (options.net !== 'transformer') return [thousands(Math.round(imagesPerSecond)), 'images'];
  return [(imagesPerSecond / data.images).toPrecision(2), 'steps'];
}

export function liveFigures(training: LiveTraining, panel: TendencyPanel): TemplateResult {
  const { progress, frame } = training;
  const items: [string, string][] = [[String(panel.blocks.count), 'blocks']];
  if (frame) items.push([percent(frame.right), 'read right']);
  if (progress) {
    const [speed, unit] = speedOf(training, progress);
    items.push([speed, `${unit} a second`]);
    if (progress.secondsLeft !== null) items.push([duration(progress.secondsLeft), 'left']);
  }
  return html`<dl class="large">${items.map(([value, name]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/** What units answer to, and how much the net stretches its inputs, now. */
export function liveCharts({ activity, spectrum }: LiveFrame): TemplateResult {
  void EsResultPanel.load?.();
  return html`<div class="live-charts">
    <section><h2 class="small">${activity.layer}: probability given to each class, by true class</h2>
      <es-activity-bars .data=${activity} most=${MOST_BARS}></es-activity-bars></section>
    ${spectrum ? html`<section><h2 class="small">Singular values from the input to ${spectrum.to}</h2><es-spectrum .data=${[spectrum]} by="snapshot" height="150"></es-spectrum></section>` : nothing}
  </div>`;
}
