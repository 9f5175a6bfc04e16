import { cpus } from 'node:os';
import { join } from 'node:path';
import { toolInfo } from '@epochscope/analysis';
import { guard } from '@epochscope/core-wasm';
import { makeFolder, writeFileWhole } from '../files.js';

export const CLAIMS_FORMAT = 'epochscope-claims/2';

/** One claim of a paper beside what one seed gave. */
export interface Claim {
  /** Short name for programs, "accuracy-before". */
  id: string;
  /** What the paper says, in one sentence. */
  claim: string;
  /** Where it says so: "§4.2". */
  where: string;
  /** The paper's own figure, as it prints it; null where it gives none. */
  paper: string | null;
  /** Our figures, readable, with places for them: "{before:%1} → {after:%1}", as `fillFigures` fills them. */
  measured: string;
  /** The numbers behind it; null where one is undefined. */
  figures: Record<string, number | null>;
  /** Whether the claim holds by `rule`; null: could not be decided, and `note` says why. */
  holds: boolean | null;
  /** The rule that decides, fixed before the run: "both within 1 percentage point". */
  rule: string;
  note?: string;
}

/** A figure over the seeds. */
export interface FigureOverSeeds {
  /** Over the seeds in which it is defined; null in none. */
  mean: number | null;
  /** Standard deviation over them (n − 1); null for fewer than two. */
  sd: number | null;
  /** In the order of the seeds. */
  values: (number | null)[];
}

/** A claim over the seeds. */
export interface ClaimOverSeeds extends Omit<Claim, 'figures' | 'holds' | 'note'> {
  figures: Record<string, FigureOverSeeds>;
  /** In the order of the seeds. */
  holds: (boolean | null)[];
  /** Seeds in which it holds, does not, and could not be decided. */
  held: number;
  failed: number;
  undecided: number;
  /** "holds", "does not hold", "not decided"; over several seeds "holds in 2 of 3". */
  verdict: string;
  notes: string[];
}

export interface ClaimsReport {
  experiment: string;
  /** Authors, title. */
  paper: string;
  quick: boolean;
  seeds: number[];
  /** Everything that was chosen: data, epochs, rates. */
  parameters: Record<string, unknown>;
  seconds: number;
  claims: ClaimOverSeeds[];
  about: readonly string[];
  /** What else the seeds showed, in their order. Markdown. */
  remarks: string[][];
}

/** What ran it: figures belong to a machine and a version. */
export const machine = () =>
  `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}, Node ${process.versions.node}, ${toolInfo.name} ${toolInfo.version}`;

/** Mean and spread of what several seeds gave. */
export function overSeeds(values: readonly (number | null)[]): FigureOverSeeds {
  const known = values.filter((v) => v !== null);
  const mean = known.length ? known.reduce((a, b) => a + b, 0) / known.length : null;
  const squares = known.reduce((sum, v) => sum + (v - mean!) ** 2, 0);
  return { mean, sd: known.length > 1 ? Math.sqrt(squares / (known.length - 1)) : null, values: [...values] };
}

/**
 * Puts figures into a text: {name} with two digits, {name:3} with three, {name:%1} as a percentage with one, {name:e} as a power of ten. One seed gives "0.26",
 * several "0.26 ± 0.03", with how many seeds where it is not defined in all; an undefined one "–". Throws `argument` for a name that is
 * no figure.
 */
export function fillFigures(text: string, figures: Record<string, FigureOverSeeds>): string {
  return text.replace(/\{([^{}:]+)(?::(%?)([\de]))?\}/g, (_, name: string, percent = '', digits = '2') => {
    const found = figures[name];
    guard(found, 'argument', () => `claim: no figure is called ${name} in ${JSON.stringify(text)}`);
    if (found.mean === null) return '–';
    const scale = percent ? 100 : 1;
    // A count of one seed is a whole number.
    const whole = found.values.length === 1 && digits === '1' && !percent && Number.isInteger(found.mean);
    const number = (value: number) => {
      const text =
        digits === 'e' ? value.toExponential(0) : (scale * value).toFixed(whole ? 0 : Number(digits));
      return text.replaceAll('-', '−');
    };
    const known = found.values.filter((v) => v !== null).length;
    const spread = found.sd === null ? '' : ` ± ${number(found.sd)}`;
    const few = known < found.values.length ? ` (${known} of ${found.values.length} seeds)` : '';
    return `${number(found.mean)}${spread}${percent ? ' %' : ''}${few}`;
  });
}

/** One claim as the seeds gave it. Throws `not-finite` for a figure that is no number. */
export function combineClaims(claims: readonly Claim[]): ClaimOverSeeds {
  const { figures: _, holds: __, note: ___, ...first } = claims[0]!;
  for (const { id, figures } of claims)
    for (const [name, value] of Object.entries(figures))
      guard(
        value === null || Number.isFinite(value),
        'not-finite',
        () => `claim ${id}: expected ${name} to be a number or null, got ${value}`,
        { claim: id, figure: name },
      );
  const names = [...new Set(claims.flatMap(({ figures }) => Object.keys(figures)))];
  const figures = Object.fromEntries(
    names.map((name) => [name, overSeeds(claims.map((claim) => claim.figures[name] ?? null))]),
  );
  const holds = claims.map((claim) => claim.holds);
  const count = (wanted: boolean | null) => holds.filter((one) => one === wanted).length;
  const [held, failed, undecided] = [count(true), count(false), count(null)];
  const single = held ? 'holds' : failed ? 'does not hold' : 'not decided';
  return {
    ...first,
    measured: fillFigures(first.measured, figures),
    figures,
    holds,
    held,
    failed,
    undecided,
    verdict:
      holds.length === 1 || undecided === holds.length
        ? single
        : `holds in ${held} of ${holds.length}${undecided ? `, ${undecided} not decided` : ''}`,
    notes: [...new Set(claims.flatMap(({ note }) => (note ? [note] : [])))],
  };
}

/** Claims that hold in every seed. */
export const holding = ({ claims, seeds }: Pick<ClaimsReport, 'claims' | 'seeds'>) =>
  claims.filter(({ held }) => held === seeds.length).length;

/** Writes claims.json and claims.md into `folder`; each appears whole, the JSON last. Throws `io`. */
export async function writeClaims(folder: string, report: ClaimsReport): Promise<void> {
  await makeFolder(folder);
  await writeFileWhole(join(folder, 'claims.md'), claimsMarkdown(report));
  const json = { format: CLAIMS_FORMAT, tool: toolInfo, machine: machine(), ...report };
  await writeFileWhole(join(folder, 'claims.json'), `${JSON.stringify(json, null, 1)}\n`);
}

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const several = (seeds: readonly number[]) =>
  seeds.length === 1 ? `seed ${seeds[0]}` : `seeds ${seeds.join(', ')}`;

/** The report as Markdown: one line a claim. */
export function claimsMarkdown(report: ClaimsReport): string {
  const { seeds, claims } = report;
  const lines = [
    `# ${report.paper}`,
    '',
    `\`epochscope reproduce ${report.experiment}${report.quick ? ' --quick' : ''} --seeds ${seeds.length}\`: ${holding(report)} of ${claims.length} claims hold${seeds.length > 1 ? ' in every seed; figures are means ± standard deviations over the seeds' : ''}.`,
    ...(report.quick
      ? [
          '',
          'This is the quick run on little data: it shows that the experiment works, not what the paper found.',
        ]
      : []),
    '',
    '| claim | paper | measured | | rule |',
    '| --- | --- | --- | --- | --- |',
    ...claims.map((c) =>
      [
        '',
        `${cell(c.claim)} (${cell(c.where)})`,
        cell(c.paper ?? '–'),
        cell(c.measured),
        `**${c.verdict}**`,
        cell([c.rule, ...c.notes].join('; ')),
        '',
      ]
        .join(' | ')
        .trim(),
    ),
    '',
    ...report.about.flatMap((text) => [text, '']),
    ...report.remarks.flatMap((texts, i) =>
      texts.length
        ? [...(seeds.length > 1 ? [`## Seed ${seeds[i]}`, ''] : []), ...texts.flatMap((text) => [text, ''])]
        : [],
    ),
    `Parameters: ${Object.entries(report.parameters)
      .map(([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
      .join(', ')}, ${several(seeds)}. ${report.seconds.toFixed(0)} s; ${machine()}.`,
  ];
  return `${lines.join('\n')}\n`;
}

/** The claims for the terminal: one line each. */
export function claimsText({ claims }: Pick<ClaimsReport, 'claims'>): string {
  const width = Math.max(0, ...claims.map(({ verdict }) => verdict.length));
  return claims
    .map(
      (c) => `${c.verdict.padEnd(width)}  ${c.claim}: ${c.measured}${c.paper ? ` (paper: ${c.paper})` : ''}`,
    )
    .join('\n');
}
