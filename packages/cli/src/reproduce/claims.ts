import { join } from 'node:path';
import { toolInfo } from '@epochscope/analysis';

import { guard } from '@epochscope/core-wasm';
import { makeFolder, writeFileWhole } from '../files.js';

export const CLAIMS_FORMAT = 'epochscope-claims/1';

/** One claim of a paper beside what was measured. */
export interface Claim {
  /** Short name for programs, "accuracy-before". */
  id: string;
  /** What the paper says, in one sentence. */
  claim: string;
  /** Where it says so: "§4.2". */
  where: string;
  /** The paper's own figure, as it prints it; null where it gives none. */
  paper: string | null;
  /** Our figure, readable: "98.1 % → 97.9 %". */
  measured: string;
  /** The numbers behind it; null where one is undefined. */
  figures: Record<string, number | null>;
  /** Whether the claim holds by `rule`; null: could not be decided, and `note` says why. */
  holds: boolean | null;
  /** The rule that decides, fixed before the run: "both within 1 percentage point". */
  rule: string;
  note?: string;
}

export interface ClaimsReport {
  experiment: string;
  /** Authors, title. */
  paper: string;
  quick: boolean;
  /** Everything that was chosen: data, seed, epochs, rates. */
  parameters: Record<string, unknown>;
  seconds: number;
  claims: Claim[];
  /** Paragraphs after the table in claims.md: what else was measured. Markdown. */
  remarks?: string[];
}

export const verdict = ({ holds }: Claim) =>
  holds === null ? 'not decided' : holds ? 'holds' : 'does not hold';

/** Writes claims.json and claims.md into `folder`; each appears whole, the JSON last. Throws `not-finite`, `io`. */
export async function writeClaims(folder: string, report: ClaimsReport): Promise<void> {
  for (const { id, figures } of report.claims)
    for (const [name, value] of Object.entries(figures))
      guard(
        value === null || Number.isFinite(value),
        'not-finite',
        () => `claim ${id}: expected ${name} to be a number or null, got ${value}`,
        { claim: id, figure: name },
      );
  await makeFolder(folder);
  await writeFileWhole(join(folder, 'claims.md'), claimsMarkdown(report));
  const json = { format: CLAIMS_FORMAT, tool: toolInfo, ...report };
  await writeFileWhole(join(folder, 'claims.json'), `${JSON.stringify(json, null, 1)}\n`);
}

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

/** The report as Markdown: one line a claim. */
export function claimsMarkdown(report: ClaimsReport): string {
  const held = report.claims.filter(({ holds }) => holds).length;
  const lines = [
    `# ${report.paper}`,
    '',
    `\`epochscope reproduce ${report.experiment}${report.quick ? ' --quick' : ''}\`: ${held} of ${report.claims.length} claims hold.`,
    ...(report.quick
      ? [
          '',
          'This is the quick run on little data: it shows that the experiment works, not what the paper found.',
        ]
      : []),
    '',
    '| claim | paper | measured | | rule |',
    '| --- | --- | --- | --- | --- |',
    ...report.claims.map((c) =>
      [
        '',
        `${cell(c.claim)} (${cell(c.where)})`,
        cell(c.paper ?? '–'),
        cell(c.measured),
        `**${verdict(c)}**`,
        cell(c.rule + (c.note ? `; ${c.note}` : '')),
        '',
      ]
        .join(' | ')
        .trim(),
    ),
    '',
    ...(report.remarks ?? []).flatMap((text) => [text, '']),
    `Parameters: ${Object.entries(report.parameters)
      .map(([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
      .join(', ')}. ${report.seconds.toFixed(0)} s, ${toolInfo.name} ${toolInfo.version}.`,
  ];
  return `${lines.join('\n')}\n`;
}

/** The claims for the terminal: one line each. */
export function claimsText({ claims }: ClaimsReport): string {
  const width = Math.max(0, ...claims.map((c) => verdict(c).length));
  return claims
    .map(
      (c) => `${verdict(c).padEnd(width)}  ${c.claim}: ${c.measured}${c.paper ? ` (paper: ${c.paper})` : ''}`,
    )
    .join('\n');
}
