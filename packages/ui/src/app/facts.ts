import type { RunManifest } from '@epochscope/analysis';
import { html, type TemplateResult } from 'lit';

/** What net, what data, how trained: a list of a few lines. */
export function factsOf(manifest: RunManifest): TemplateResult {
  const facts: [string, string][] = [];
  if (manifest.model) facts.push(['Net', manifest.model.name]);
  const training = manifest.training ?? {};
  const has = (name: string) => training[name] !== undefined && training[name] !== null;
  if (has('data')) facts.push(['Data', String(training.data)]);
  const how = (
    [
      ['optimizer', ''],
      ['learningRate', 'rate '],
      ['batchSize', 'batch '],
      ['noise', 'noise '],
      ['seed', 'seed '],
    ] as const
  )
    .filter(([name]) => has(name))
    .map(([name, label]) => `${label}${training[name]}`);
  if (how.length) facts.push(['Training', how.join(', ')]);
  if (manifest.samples)
    facts.push(['Analysed', `${manifest.samples.count} samples: ${manifest.samples.source}`]);
  facts.push(['Layers', manifest.layers.map(({ name }) => name).join(' ') || 'none named']);
  facts.push([
    'Snapshots',
    `${manifest.snapshots.length}${manifest.complete ? '' : '; training is not complete'}`,
  ]);
  return html`<dl>${facts.map(([name, text]) => html`<div><dt>${name}</dt><dd>${text}</dd></div>`)}</dl>`;
}
