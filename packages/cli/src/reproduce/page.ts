import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileWhole } from '../files.js';
import { type ClaimOverSeeds, type ClaimsReport, holding, machine } from './claims.js';
import type { ReportFigure } from './types.js';

const text = (value: string) =>
  value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** Markdown of remarks: tables, `code`, links that stay text. */
function paragraph(markdown: string): string {
  const lines = markdown.split('\n');
  const inline = (line: string) =>
    text(line)
      .replace(/`([^`]+)`/g, '<code>$1</code>')
      .replace(/\*\*([^*]+)\*\*/g, '<b>$1</b>');
  const heading = /^#+ (.*)$/.exec(markdown);
  if (heading) return `<h3>${inline(heading[1]!)}</h3>`;
  const first = lines.findIndex((line) => line.startsWith('|'));
  if (first < 0) return `<p>${inline(markdown)}</p>`;
  const cells = (line: string) =>
    line
      .slice(1, -1)
      .split('|')
      .map((value) => inline(value.trim()));
  const [head, , ...rows] = lines.slice(first);
  const before = lines.slice(0, first).join(' ').trim();
  return [
    before ? `<p>${inline(before)}</p>` : '',
    `<div class="wide"><table><thead><tr>${cells(head!)
      .map((value) => `<th>${value}</th>`)
      .join('')}</tr></thead><tbody>`,
    ...rows.map(
      (row) =>
        `<tr>${cells(row)
          .map((value) => `<td>${value}</td>`)
          .join('')}</tr>`,
    ),
    '</tbody></table></div>',
  ].join('\n');
}

const tone = ({ held, failed }: ClaimOverSeeds) => (failed ? 'no' : held ? 'yes' : 'open');

const claimBox = (claim: ClaimOverSeeds) =>
  [
    `<article class="claim ${tone(claim)}">`,
    `<p class="says">${text(claim.claim)} <span class="quiet">(${text(claim.where)})</span></p>`,
    '<dl>',
    claim.paper === null ? '' : `<dt>paper</dt><dd>${text(claim.paper)}</dd>`,
    `<dt>measured</dt><dd>${text(claim.measured)}</dd>`,
    `<dt>rule</dt><dd>${text(claim.rule)}</dd>`,
    '</dl>',
    `<p class="verdict">${text(claim.verdict)}</p>`,
    ...claim.notes.map((note) => `<p class="quiet">${text(note)}</p>`),
    '</article>',
  ].join('\n');

const STYLE = `
:root { color-scheme: light dark; --text: light-dark(#1a1a1a, #e8e8e8); --quiet: light-dark(#555, #aaa); --ground: light-dark(#fff, #161616);
  --line: light-dark(#ddd, #3a3a3a); --yes: light-dark(#0a7d34, #58c184); --no: light-dark(#b3261e, #ff8a80); }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem clamp(1rem, 4vw, 3rem); max-inline-size: 60rem; font: 1rem/1.5 system-ui, sans-serif; color: var(--text); background: var(--ground); overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; } h2 { margin-block-start: 3rem; padding-block-start: 1rem; border-block-start: 1px solid var(--line); }
figure { margin: 0; } figure img { display: block; max-inline-size: 100%; block-size: auto; margin-block: 0.5rem; background: #fff; border-radius: 4px; }
figcaption, .quiet { color: var(--quiet); font-size: 0.9rem; }
.claim { margin-block: 1rem; padding: 0.75rem 1rem; border: 1px solid var(--line); border-inline-start: 4px solid var(--quiet); border-radius: 4px; }
.claim.yes { border-inline-start-color: var(--yes); } .claim.no { border-inline-start-color: var(--no); }
.claim p { margin: 0.25rem 0; } .says { font-weight: 600; } .yes .verdict { color: var(--yes); } .no .verdict { color: var(--no); } .verdict { font-weight: 600; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.1rem 0.75rem; margin: 0.4rem 0; } dt { color: var(--quiet); } dd { margin: 0; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: 0.85rem; font-variant-numeric: tabular-nums; overflow-wrap: normal; } th, td { padding: 0.2rem 0.6rem; border-block-end: 1px solid var(--line); text-align: start; white-space: nowrap; }
code { font-size: 0.9em; }
`;

/**
 * report.html: the paper's figures in its order, as the first seed draws them, each with its caption and the claims it stands for;
 * claims without a figure; remarks. One file that opens from disk; no script.
 */
export async function writePage(
  folder: string,
  report: ClaimsReport,
  figures: readonly ReportFigure[],
  places: readonly string[],
): Promise<void> {
  const { seeds, claims } = report;
  const one = (id: string) => claims.find((claim) => claim.id === id)!;
  const shown = new Set(figures.flatMap((figure) => figure.claims));
  const parts: string[] = [];
  for (const { title, caption, files, claims: ids } of figures) {
    const images = await Promise.all(
      files.map(async (file) => {
        const bytes = await readFile(join(folder, places[0]!, file));
        return `<img alt="${text(`${title}: ${file}`)}" src="data:image/png;base64,${bytes.toString('base64')}">`;
      }),
    );
    parts.push(
      `<section><h2>${text(title)}</h2><figure>${images.join('\n')}<figcaption>${text(caption)}</figcaption></figure>`,
      ...ids.map((id) => claimBox(one(id))),
      '</section>',
    );
  }
  const others = claims.filter(({ id }) => !shown.has(id));
  if (others.length)
    parts.push('<section><h2>Claims without a figure</h2>', ...others.map(claimBox), '</section>');
  const notes = report.remarks.map((texts, i) => [
    ...(seeds.length > 1 && texts.length ? [`<h3>Seed ${seeds[i]}</h3>`] : []),
    ...texts.map(paragraph),
  ]);
  const drawn =
    seeds.length > 1
      ? ` Pictures are of seed ${seeds[0]}; the others’ lie in ${places
          .slice(1)
          .map((place) => `<code>${text(place)}</code>`)
          .join(', ')}. Figures are means ± standard deviations over the seeds.`
      : '';
  const html = [
    '<!doctype html>',
    `<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${text(report.paper)}</title><style>${STYLE}</style></head><body>`,
    `<h1>${text(report.paper)}</h1>`,
    `<p>${holding(report)} of ${claims.length} claims hold${seeds.length > 1 ? ` in every one of ${seeds.length} seeds` : ''}.${report.quick ? ' This is the quick run on little data: it shows that the experiment works, not what the paper found.' : ''} The paper’s figures follow in its order, as <code>epochscope reproduce ${text(report.experiment)}</code> draws them.${drawn}</p>`,
    ...report.about.map(paragraph),
    ...parts,
    '<section><h2>What else was measured</h2>',
    ...notes.flat(),
    '</section>',
    `<p class="quiet">${Object.entries(report.parameters)
      .map(([name, value]) => text(`${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`))
      .join(', ')}; seeds ${seeds.join(', ')}. ${report.seconds.toFixed(0)} s; ${text(machine())}.</p>`,
    '</body></html>',
  ].join('\n');
  await writeFileWhole(join(folder, 'report.html'), `${html}\n`);
}
