import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { readNpyHeader } from '../formats/npy.js';
import { type NpzEntry, npzEntrySource } from '../formats/npz.js';
import { readSafetensorsHeader } from '../formats/safetensors.js';
import { contentOf, disguiseOf, headOf } from '../formats/sniff.js';
import type { ByteSource } from '../formats/types.js';
import { readZipDirectory, type ZipKind } from '../formats/zip.js';
import { some } from './columns.js';
import { npyRows, type RowSource, storedRows } from './rows.js';
import { isSparse, sparseRows } from './sparse.js';

/** What a file is, by its first bytes; its name plays no part. */
export type FileKind = 'npy' | 'zip' | 'gzip' | 'safetensors' | 'text';

/** Files of other tools that hold tables, and how to make one of them that is read. */
const OTHERS: readonly [name: string, start: string, way: string][] = [
  ['a Parquet file', 'PAR1', 'pandas.read_parquet(FILE).to_csv("table.csv", index=False)'],
  ['a Feather or Arrow file', 'ARROW1', 'pandas.read_feather(FILE).to_csv("table.csv", index=False)'],
  ['a Feather file', 'FEA1', 'pandas.read_feather(FILE).to_csv("table.csv", index=False)'],
  ['a MATLAB 7.3 file', 'MATLAB 7.3', 'numpy.save("x.npy", h5py.File(FILE)["NAME"][:].T)'],
  ['a MATLAB file', 'MATLAB ', 'numpy.save("x.npy", scipy.io.loadmat(FILE)["NAME"])'],
  ['an HDF5 file (h5ad, Keras)', '\x89HDF\r\n\x1a\n', 'numpy.save("x.npy", h5py.File(FILE)["NAME"][:])'],
  ['an Excel file', '\xd0\xcf\x11\xe0', 'pandas.read_excel(FILE).to_csv("table.csv", index=False)'],
  ['an R data file', 'RDX', 'in R: write.csv(x, "table.csv")'],
  ['an R data file', 'X\n\0\0', 'in R: write.csv(x, "table.csv")'],
  ['a Stata file', '<stata_dta>', 'pandas.read_stata(FILE).to_csv("table.csv", index=False)'],
  ['an SPSS file', '$FL2', 'pandas.read_spss(FILE).to_csv("table.csv", index=False)'],
  ['an HTML table', '<table', 'pandas.read_html(FILE)[0].to_csv("table.csv", index=False)'],
  ['a database', 'SQLite format 3\0', 'pandas.read_sql(…).to_csv("table.csv", index=False)'],
  ['a PDF', '%PDF', 'save the numbers as a table'],
  ['a PNG image', '\x89PNG', 'save the numbers as an array: numpy.save("x.npy", x)'],
  ['a Python pickle', '\x80\x02', 'numpy.save("x.npy", numpy.asarray(pandas.read_pickle(FILE)))'],
  ['a Python pickle', '\x80\x03', 'numpy.save("x.npy", numpy.asarray(pandas.read_pickle(FILE)))'],
  ['a Python pickle', '\x80\x04', 'numpy.save("x.npy", numpy.asarray(pandas.read_pickle(FILE)))'],
  ['a Python pickle', '\x80\x05', 'numpy.save("x.npy", numpy.asarray(pandas.read_pickle(FILE)))'],
];

/** The same of files that no first bytes tell, by their names, where they are nothing that is read. */
const ENDINGS: readonly [name: string, ending: RegExp, way: string][] = [
  ['a MATLAB file', /\.mat$/i, 'numpy.save("x.npy", scipy.io.loadmat(FILE)["NAME"])'],
  [
    'a Python pickle',
    /\.(?:pkl|pickle|joblib)(?:\.gz)?$/i,
    'numpy.save("x.npy", numpy.asarray(pandas.read_pickle(FILE)))',
  ],
  ['a Stata file', /\.dta$/i, 'pandas.read_stata(FILE).to_csv("table.csv", index=False)'],
  ['a SAS file', /\.(?:sas7bdat|xpt)$/i, 'pandas.read_sas(FILE).to_csv("table.csv", index=False)'],
];

/** Throws `unsupported` for a file of another tool, with the conversion. */
export async function kindOf(source: ByteSource): Promise<FileKind> {
  const start = await headOf(source);
  const text = String.fromCharCode(...start.subarray(0, 64));
  const content = contentOf(start, source.size);
  if (content === 'npy' || content === 'zip' || content === 'safetensors') return content;
  if (text.startsWith('\x1f\x8b')) return 'gzip';
  const disguise = disguiseOf(start, source.size);
  guard(!disguise, 'format', () => `${source.name} ${disguise}`, { file: source.name });
  for (const [name, signature, way] of OTHERS)
    if (text.startsWith(signature) && (signature[0] !== '\x80' || source.size > 2))
      throw unsupported(source, name, way);
  const json = /^(?:\xef\xbb\xbf)?\s*(\{|\[\s*\{|\[)\s*["[{}\]\d-]/.exec(text)?.[1];
  if (json)
    throw unsupported(
      source,
      'JSON',
      json === '['
        ? 'numpy.save("x.npy", numpy.array(json.load(open(FILE))))'
        : `pandas.read_json(FILE${isLines(start) ? ', lines=True' : ''}).to_csv("table.csv", index=False)`,
    );
  // What is damaged says so best in its own words.
  const ending = /\.(npy|npz|safetensors)$/i.exec(source.name)?.[1]?.toLowerCase();
  if (ending) return ending === 'npz' ? 'zip' : (ending as FileKind);
  for (const [name, called, way] of ENDINGS)
    if (called.test(source.name)) throw unsupported(source, name, way);
  guard(
    !start.subarray(start[0] === 0xff || start[0] === 0xfe ? start.length : 0).includes(0),
    'unsupported',
    () =>
      `${source.name}: expected an .npy, .npz or safetensors file, or numbers as text (.csv, .tsv, .txt, also gzipped); its bytes are none of these`,
    { file: source.name },
  );
  return 'text';
}

/** Whether one JSON text stands below another. */
const isLines = (start: Uint8Array) => /\}\s*\n\s*\{/.test(new TextDecoder('latin1').decode(start));

const unsupported = (source: ByteSource, name: string, way: string): EpochscopeError =>
  new EpochscopeError(
    'unsupported',
    `${source.name} is ${name}, which is not read; convert it: ${way.replace('FILE', JSON.stringify(source.name))}`,
    { file: source.name },
  );

/** Longest header of an array that is looked at to see what it is. */
const HEADER = 4096;

/** One array of a file that holds arrays, and what the choice left out. */
export interface ChosenArray {
  rows: RowSource;
  shape: readonly number[];
  notes: string[];
}

/**
 * An array of an .npy, .npz or safetensors file, by its header: rows are read when they are wanted. `wanted` chooses one of several; what
 * the others are plays no part. Throws `missing` naming those there are, `format`, `unsupported`.
 */
export async function openArray(source: ByteSource, kind: FileKind, wanted?: string): Promise<ChosenArray> {
  if (kind === 'npy') {
    const { shape } = await readNpyHeader(source);
    return { rows: await npyRows(source, source.name), shape, notes: [] };
  }
  if (kind === 'safetensors') {
    const { entries, unread } = await readSafetensorsHeader(source);
    const name = choose(source, wanted, [...entries.keys()], [...unread.keys()]);
    const refused = unread.get(name);
    if (refused)
      throw new EpochscopeError('unsupported', `${source.name}: tensor ${name}: ${refused.reason}`, {
        file: source.name,
        tensor: name,
      });
    const entry = entries.get(name)!;
    return {
      rows: storedRows(source, entry, `${source.name}:${name}`),
      shape: entry.shape,
      notes: wanted === undefined ? leftOut(name, [...unread.keys()]) : [],
    };
  }
  return openNpz(source, wanted);
}

const ANY: ZipKind = { file: 'an .npz file', item: 'array', nameOf: (path) => path, expected: 'files' };

async function openNpz(source: ByteSource, wanted?: string): Promise<ChosenArray> {
  const files = await readZipDirectory(source, ANY);
  const holds = (part: string) => [...files.keys()].some((name) => name.includes(part));
  if (holds('[Content_Types].xml') || holds('content.xml'))
    throw unsupported(source, 'a spreadsheet', 'pandas.read_excel(FILE).to_csv("table.csv", index=False)');
  if (holds('data.pkl'))
    throw unsupported(source, 'a PyTorch file', 'numpy.save("x.npy", torch.load(FILE)["NAME"].numpy())');
  // What is no array plays no part, as for NumPy.
  const entries = new Map<string, NpzEntry>();
  for (const [path, entry] of files) {
    const [, name] = /^(.*)\.npy$/s.exec(path) ?? [];
    if (name !== undefined) entries.set(name, { ...entry, name });
  }
  const [other] = files.keys();
  guard(
    entries.size > 0 || other === undefined,
    'unsupported',
    () =>
      `${source.name} is a zip archive of ${files.size === 1 ? other : `${files.size} files, ${other} among them,`} and no .npy file; unpack it first: unzip ${source.name}`,
    { file: source.name },
  );
  if (wanted === undefined && isSparse(entries)) {
    const { rows, notes } = await sparseRows(source, entries);
    return { rows, shape: rows.shape, notes };
  }
  // Headers alone tell which arrays hold numbers; of one that was chosen the others are not looked at.
  const numbers: string[] = [];
  const others: string[] = [];
  let why: EpochscopeError | undefined;
  for (const [name, entry] of wanted === undefined ? entries : []) {
    try {
      await readNpyHeader(await npzEntrySource(source, entry, HEADER));
      numbers.push(name);
    } catch (cause) {
      if (!(cause instanceof EpochscopeError)) throw cause;
      why ??= cause;
      others.push(name);
    }
  }
  if (numbers.length === 0 && why) throw why;
  const name = choose(source, wanted, wanted === undefined ? numbers : [...entries.keys()], others);
  const part = await npzEntrySource(source, entries.get(name)!);
  const { shape } = await readNpyHeader(part);
  return {
    rows: await npyRows(part, `${source.name}:${name}`),
    shape,
    notes: wanted === undefined ? leftOut(name, others) : [],
  };
}

function choose(source: ByteSource, wanted: string | undefined, names: string[], others: string[]): string {
  const all = [...names, ...others];
  const name = wanted ?? (names.length === 1 ? names[0] : all.length === 1 ? all[0] : undefined);
  guard(
    name !== undefined,
    'missing',
    () =>
      `${source.name} holds ${names.length ? `the arrays ${some(names, 20, ', ')}; choose one as ${source.name}:${names[0]}` : 'no array of numbers'}`,
    { file: source.name },
  );
  guard(
    all.includes(name),
    'missing',
    () => `${source.name} holds no array ${name}; it holds ${some(all, 20, ', ')}`,
    { file: source.name, name },
  );
  return name;
}

const leftOut = (name: string, others: string[]): string[] =>
  others.length ? [`array ${name} taken; the others hold no numbers: ${some(others, 12, ', ')}`] : [];
