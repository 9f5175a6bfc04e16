import type { CaseResult, Timing } from './measure.js';

/** "12.3 ms", "4.56 s". */
export function seconds(value: number): string {
  if (value >= 1) return `${value.toPrecision(3)} s`;
  if (value >= 1e-3) return `${(value * 1e3).toPrecision(3)} ms`;
  return `${(value * 1e6).toPrecision(3)} µs`;
}

// Rates and ratios are of the fastest runs: what else the machine did only adds time.
function rate(result: CaseResult, timing: Timing): string {
  if (timing.min === null) return '';
  if (result.flops) return `${(result.flops / timing.min / 1e9).toPrecision(3)} GFLOP/s`;
  if (result.elements) return `${((timing.min / result.elements) * 1e9).toPrecision(3)} ns/element`;
  return '';
}

function ratio(result: CaseResult, timing: Timing): string {
  const ours = result.timings[0]?.min;
  if (!ours || timing.min === null || timing === result.timings[0]) return '';
  return `${(timing.min / ours).toPrecision(3)}×`;
}

const memory = (bytes: number | undefined) =>
  bytes === undefined ? '' : `${(bytes / 1e6).toPrecision(3)} MB`;

/** The lines of one case for the terminal. */
export function row(result: CaseResult): string[] {
  return [
    `${result.work}, ${result.data}${result.bytes ? `, ${memory(result.bytes)}` : ''}`,
    ...result.timings.map((t) =>
      t.median === null || t.min === null
        ? `  ${t.name.padEnd(42)} –  (${t.error})`
        : `  ${t.name.padEnd(42)} ${seconds(t.min).padStart(9)}  ${rate(result, t).padStart(16)}  ${ratio(result, t).padStart(7)}`,
    ),
  ];
}

export interface Report {
  format: 'epochscope-bench/1';
  machine: {
    cpu: string;
    cores: number;
    memory: number;
    platform: string;
    node: string;
    v8: string;
    versions: Record<string, string>;
  };
  results: CaseResult[];
}

/** Day, load and processor of a case that was not measured with the first of its kernel. */
const other = (result: CaseResult, first: CaseResult) =>
  result.date === first.date && result.cpu === first.cpu && Math.abs(result.load - first.load) < 3
    ? ''
    : ` (${result.date}, load ${result.load.toFixed(0)}${result.cpu && result.cpu !== first.cpu ? `, ${result.cpu}` : ''})`;

const named = (versions: Record<string, string>) =>
  Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(' · ');

/** docs/benchmarks.md. */
export function markdown({ machine, results }: Report): string {
  const lines = [
    '# Benchmarks',
    '',
    'Written by `npm run bench -- --write` (add `--peers python` for those of bench/peers.py that python3 has; `--only NAMES`',
    'and `--cases TEXT` renew some and keep the others). Every contender of a case ran in turn on the same data. Since 30',
    'November 2026 times of one thread are processor time, of several threads the clock; before, all are the clock.',
    "Rates are of the fastest run, and so is the last column: how many times our kernel's time it took.",
    'A run shorter than 20 ms is made of several calls in a row, for every contender alike; times are of one call.',
    'Absolute times move with the machine; ratios travel better. Where the load average stands above 1, other programs ran at',
    'the same time: all figures are then too slow, those of several threads and of less than a millisecond most.',
    '',
    `${machine.cpu} · ${machine.cores} cores · ${(machine.memory / 2 ** 30).toFixed(0)} GiB · ${machine.platform} · Node ${machine.node} (V8 ${machine.v8})`,
    '',
    named(machine.versions),
    '',
  ];
  for (const kernel of new Set(results.map((result) => result.kernel))) {
    const first = results.find((result) => result.kernel === kernel)!;
    const python = results.filter((result) => result.kernel === kernel && result.python).at(-1)?.python;
    lines.push(
      `## ${kernel}`,
      '',
      `${first.date}, load average ${first.load.toFixed(1)}${first.quick ? '; small sizes only (`--quick`)' : ''}${python ? `; ${named(python)}` : ''}`,
      '',
      '| work | data | memory | by | median | fastest | rate | times ours |',
      '| --- | --- | --- | --- | ---: | ---: | ---: | ---: |',
    );
    for (const result of results.filter((r) => r.kernel === kernel)) {
      result.timings.forEach((t, i) => {
        const time = t.median === null ? `– (${t.error})` : seconds(t.median);
        const fastest = t.min === null ? '' : seconds(t.min);
        lines.push(
          `| ${i ? '' : result.work} | ${i ? '' : `${result.data}${other(result, first)}`} | ${i ? '' : memory(result.bytes)} | ${t.name} | ${time} | ${fastest} | ${rate(result, t)} | ${ratio(result, t)} |`,
        );
      });
    }
    lines.push('');
  }
  return lines.join('\n');
}
