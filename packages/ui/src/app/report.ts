// The script of the self-contained page: draws every result the page holds. No fetch, so that it opens from disk.
import '../register.js';
import type { RunManifest } from '@epochscope/analysis';
import { decodeInline, type ResultBase } from '@epochscope/analysis/results';
import { html, nothing, render } from 'lit';
import { VIEWS } from '../views/index.js';

interface PageData {
  title: string;
  /** ISO date. */
  written: string;
  manifest: RunManifest | null;
}

async function start(): Promise<void> {
  const root = document.getElementById('epochscope')!;
  try {
    const page = JSON.parse(document.getElementById('epochscope-run')!.textContent!) as PageData;
    const texts = [...document.querySelectorAll('script.epochscope-result')].map(
      (script) => script.textContent!,
    );
    const results = await Promise.all(texts.map((text, i) => decodeInline(text, `result ${i + 1}`)));
    root.textContent = '';
    render(pageTemplate(page, results), root);
    root.dataset.ready = 'true';
  } catch (error) {
    root.textContent = `This page could not be drawn: ${(error as Error).message}`;
    root.setAttribute('role', 'alert');
  }
}

function pageTemplate({ title, written, manifest }: PageData, results: ResultBase[]) {
  return html`
    <header>
      <h1>${title}</h1>
      <p class="quiet">Epochscope ${manifest?.tool.version ?? results[0]?.tool.version ?? ''} · ${written.slice(0, 10)}${manifest?.complete === false ? ' · training was not complete' : ''}</p>
      ${manifest ? runTemplate(manifest) : nothing}
    </header>
    ${results.map((result) => html`<section><h2>${result.method}${result.name === 'default' ? '' : ` — ${result.name}`}</h2>${viewOf(result)}${detailsOf(result)}</section>`)}
    ${results.length ? nothing : html`<p>The run holds no results yet. Run <code>epochscope tendency</code> on it.</p>`}
  `;
}

function runTemplate(manifest: RunManifest) {
  const facts: [string, string][] = [];
  if (manifest.model) facts.push(['Net', manifest.model.name]);
  const training = manifest.training as {
    data?: string;
    optimizer?: string;
    learningRate?: number;
    batchSize?: number;
    noise?: number;
    seed?: number;
    imagesPerSecond?: number;
  } | null;
  if (training?.data) facts.push(['Data', training.data]);
  if (training?.optimizer)
    facts.push([
      'Training',
      `${training.optimizer}, rate ${training.learningRate}, batch ${training.batchSize}, noise ${training.noise}, seed ${training.seed}`,
    ]);
  if (manifest.samples)
    facts.push(['Analysed', `${manifest.samples.count} samples: ${manifest.samples.source}`]);
  facts.push(['Layers', manifest.layers.map(({ name }) => name).join(' ')]);
  const metrics = [...new Set(manifest.snapshots.flatMap((s) => Object.keys(s.metrics)))];
  const shown =
    manifest.snapshots.length > 24
      ? [...manifest.snapshots.slice(0, 12), ...manifest.snapshots.slice(-12)]
      : manifest.snapshots;
  return html`<dl>${facts.map(([name, text]) => html`<dt>${name}</dt><dd>${text}</dd>`)}</dl>
    <div class="scroll"><table>
      <thead><tr><th>Snapshot</th>${metrics.map((name) => html`<th>${METRIC_NAMES[name] ?? name}</th>`)}</tr></thead>
      <tbody>${shown.map((s) => html`<tr><td>${s.id}</td>${metrics.map((name) => html`<td>${s.metrics[name] === undefined ? '–' : s.metrics[name]!.toFixed(4)}</td>`)}</tr>`)}</tbody>
    </table></div>
    ${shown.length < manifest.snapshots.length ? html`<p class="quiet">First and last 12 of ${manifest.snapshots.length} snapshots.</p>` : nothing}`;
}

const METRIC_NAMES: Record<string, string> = {
  testAccuracy: 'test accuracy',
  testLoss: 'test loss',
  loss: 'training loss',
};

function viewOf(result: ResultBase) {
  const tag = VIEWS[result.method];
  if (!tag) return html`<p class="quiet">This page has no view for ${result.method}.</p>`;
  const view = document.createElement(tag) as HTMLElement & { data: ResultBase };
  view.data = result;
  return view;
}

function detailsOf(result: ResultBase) {
  const facts = {
    parameters: result.parameters,
    seeds: result.seeds,
    input: result.input,
    seconds: Number(result.seconds.toFixed(2)),
  };
  return html`<details><summary>Parameters, seeds and inputs</summary><pre>${JSON.stringify(facts, null, 1)}</pre></details>`;
}

const toggle = document.getElementById('epochscope-theme');
toggle?.addEventListener('click', () => {
  const dark =
    getComputedStyle(document.documentElement).colorScheme === 'dark' ||
    (!document.documentElement.style.colorScheme && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.style.colorScheme = dark ? 'light' : 'dark';
});
void start();
