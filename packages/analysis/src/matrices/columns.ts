import { EpochscopeError, guard } from '@epochscope/core-wasm';

/** What becomes of each column of a table. */
export type Role = 'number' | 'names' | 'labels' | 'predictions' | 'dropped';

export interface ColumnChoice {
  /** Only these; names, numbers from 1, or ranges "2-5". */
  columns?: readonly string[];
  drop?: readonly string[];
  /** The column of row names; "none": there is none, whatever it looks like. */
  index?: string;
  labels?: string;
  predictions?: string;
}

/** First columns that name rows rather than measure them, as pandas, R and databases call them. */
const INDEX_NAME = /^(?:unnamed: 0|id|index|row|row[ _.]?names?|row[ _.]?id|sample[ _.]?id)$/i;

/** The role of each of `width` columns, and what to call them. Throws `missing` for a column that is not there, `argument`. */
export function rolesOf(
  header: readonly string[] | null,
  width: number,
  choice: ColumnChoice,
  file: string,
): { roles: Role[]; titles: string[]; indexGuessed: boolean } {
  const titles = Array.from({ length: width }, (_, c) => header?.[c] || `${c + 1}`);
  const roles = new Array<Role>(width).fill('number');
  const place = (wanted: string): number => {
    const [place, ...more] = header?.flatMap((name, c) => (name === wanted ? [c] : [])) ?? [];
    guard(
      more.length === 0,
      'argument',
      () =>
        `${file}: several columns are called ${wanted}: give the number, ${[place! + 1, ...more.map((c) => c + 1)].join(' or ')}`,
      { file, column: wanted },
    );
    if (place !== undefined) return place;
    const number = /^\d{1,9}$/.test(wanted) ? Number(wanted) : 0;
    guard(
      number >= 1 && number <= width,
      'missing',
      () =>
        `${file}: no column ${wanted}; there are ${width}${header ? `: ${some(header.filter(Boolean))}` : ', numbered from 1'}`,
      { file, column: wanted },
    );
    return number - 1;
  };
  const places = (list: readonly string[]): number[] =>
    list.flatMap((item) => {
      const range = /^(\d{1,9})-(\d{1,9})$/.exec(item);
      if (!range || header?.includes(item)) return [place(item)];
      const [from, to] = [place(range[1]!), place(range[2]!)];
      return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
    });
  const give = (wanted: string, role: Role): void => {
    const c = place(wanted);
    if (roles[c] !== 'number' && roles[c] !== role)
      throw new EpochscopeError('argument', `${file}: column ${wanted} cannot be ${roles[c]} and ${role}`, {
        file,
        column: wanted,
      });
    roles[c] = role;
  };
  if (choice.labels !== undefined) give(choice.labels, 'labels');
  if (choice.predictions !== undefined) give(choice.predictions, 'predictions');
  const indexGuessed =
    choice.index === undefined &&
    header !== null &&
    width > 1 &&
    (header[0] === '' || INDEX_NAME.test(header[0]!)) &&
    roles[0] === 'number' &&
    !choice.columns?.some((wanted) => wanted === header[0] || wanted === '1');
  if (indexGuessed) roles[0] = 'names';
  else if (choice.index !== undefined && choice.index !== 'none') give(choice.index, 'names');
  if (choice.columns) {
    const kept = new Set(places(choice.columns));
    roles.forEach((role, c) => {
      if (role === 'number' && !kept.has(c)) roles[c] = 'dropped';
    });
  }
  for (const c of places(choice.drop ?? [])) roles[c] = 'dropped';
  guard(
    roles.includes('number'),
    'argument',
    () => `${file}: no column is left to be compared, of ${some(titles)}`,
    { file },
  );
  return { roles, titles, indexGuessed };
}

/** Names of some things, the first dozen of many. */
export const some = (names: readonly string[], most = 12, between = ' '): string =>
  names.length <= most
    ? names.join(between)
    : `${names.slice(0, most).join(between)} … (${names.length} in all)`;
