import { EpochscopeError, formatBytes, guard } from '@epochscope/core-wasm';
import { Inflate } from 'fflate';
import { budgetOf, LONGEST_ARRAY, shareBudget } from './budget.js';
import { crc32 } from './crc32.js';
import { bytesSource, checkRange } from './source.js';
import type { ByteSource } from './types.js';

// Zip as in PKWARE's APPNOTE 6.3: the directory at the end is what counts. .npz, .pt and .keras files are zips.

/** More entries than this are refused. */
export const MAX_ZIP_ENTRIES = 65_535;
/** A directory longer than this is refused: about 100 bytes an entry. */
export const MAX_ZIP_DIRECTORY = 16_000_000;
/** One unpacked entry larger than this is refused. */
export const MAX_ZIP_ENTRY = 1_000_000_000_000;
/** Packed bytes unpacked at once: a thousand may come out of one. */
const SLICE = 1 << 13;
/** Entries of a directory between two looks at the clock. */
const TURN = 1000;
/** Deflate packs at most 1032 : 1, so a larger claim is a lie. */
const MAX_DEFLATE_RATIO = 1032;

const END = 0x06054b50;
const END_SIZE = 22;
const END64 = 0x06064b50;
const END64_SIZE = 56;
const LOCATOR64 = 0x07064b50;
const LOCATOR64_SIZE = 20;
const CENTRAL = 0x02014b50;
const CENTRAL_SIZE = 46;
const LOCAL = 0x04034b50;
const LOCAL_SIZE = 30;
const MAX_COMMENT = 65_535;
const STORED = 0;
const DEFLATED = 8;
const ENCRYPTED_FLAG = 1;
const U32 = 0xffffffff;

/** How messages name the file and what is in it. */
export interface ZipKind {
  /** "an .npz file". */
  file: string;
  /** "array". */
  item: string;
  /** An entry's name from its path inside; null refuses it. */
  nameOf(path: string): string | null;
  /** What nameOf takes: ".npy files". */
  expected: string;
}

export interface ZipEntry {
  /** As `ZipKind.nameOf` gave it. */
  name: string;
  item: string;
  packed: number;
  unpacked: number;
  deflated: boolean;
  crc: number;
  /** Where the entry's own header begins. */
  offset: number;
}

const failAt = (source: ByteSource, message: string, byte: number): never => {
  throw new EpochscopeError('format', `${source.name}: ${message} (byte ${byte})`, {
    file: source.name,
    byte,
  });
};
const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/**
 * The directory of a zip, in its order; folders are passed over. Entries must be stored or deflated, of distinct names,
 * lie within the file and not overlap (which is how small zips claim endless content). Reads only the end. Throws `format`.
 */
export async function readZipDirectory(source: ByteSource, kind: ZipKind): Promise<Map<string, ZipEntry>> {
  const { item } = kind;
  const fail = (message: string, byte: number): never => failAt(source, message, byte);
  const { start, size, count } = await findDirectory(source, kind);
  if (count > MAX_ZIP_ENTRIES) fail(`expected at most ${MAX_ZIP_ENTRIES} ${item}s, got ${count}`, start);
  if (size > MAX_ZIP_DIRECTORY)
    fail(`expected a directory of at most ${MAX_ZIP_DIRECTORY} bytes, got ${size}`, start);
  const bytes = await source.read(start, size);
  const view = viewOf(bytes);
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (i % TURN === 0) await budgetOf(source).rest();
    const place = start + at;
    if (at + CENTRAL_SIZE > size || view.getUint32(at, true) !== CENTRAL)
      fail(`directory entry ${i} of ${count} is missing`, place);
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const next = at + CENTRAL_SIZE + nameLength + extraLength + view.getUint16(at + 32, true);
    if (next > size) fail(`directory entry ${i} runs past the directory`, place);
    const file = new TextDecoder().decode(bytes.subarray(at + CENTRAL_SIZE, at + CENTRAL_SIZE + nameLength));
    if (file.endsWith('/') && view.getUint32(at + 24, true) === 0) {
      at = next;
      continue;
    }
    const name = kind.nameOf(file);
    if (name === null)
      return fail(`expected only ${kind.expected} inside, got ${JSON.stringify(file.slice(0, 80))}`, place);
    if (entries.has(name)) fail(`two ${item}s are named ${JSON.stringify(name.slice(0, 80))}`, place);
    if (view.getUint16(at + 8, true) & ENCRYPTED_FLAG) fail(`${item} ${name} is encrypted`, place);
    const method = view.getUint16(at + 10, true);
    if (method !== STORED && method !== DEFLATED)
      fail(`${item} ${name}: expected zip method 0 (stored) or 8 (deflated), got ${method}`, place);
    const extra = bytes.subarray(
      at + CENTRAL_SIZE + nameLength,
      at + CENTRAL_SIZE + nameLength + extraLength,
    );
    const sizes = widen(extra, [
      view.getUint32(at + 24, true),
      view.getUint32(at + 20, true),
      view.getUint32(at + 42, true),
    ]);
    if (!sizes) return fail(`${item} ${name}: its zip64 sizes are missing or impossible`, place);
    const [unpacked, packed, offset] = sizes;
    if (unpacked > MAX_ZIP_ENTRY)
      fail(`${item} ${name}: expected at most ${MAX_ZIP_ENTRY} bytes, got ${unpacked}`, place);
    if (method === STORED ? unpacked !== packed : unpacked > packed * MAX_DEFLATE_RATIO)
      fail(`${item} ${name}: ${packed} bytes cannot unpack to ${unpacked}`, place);
    entries.set(name, {
      name,
      item,
      packed,
      unpacked,
      deflated: method === DEFLATED,
      crc: view.getUint32(at + 16, true),
      offset,
    });
    at = next;
  }
  // Headers inside may be longer than these lower bounds; reading checks the rest.
  let free = 0;
  for (const entry of [...entries.values()].sort((a, b) => a.offset - b.offset)) {
    if (entry.offset < free) fail(`${entry.item} ${entry.name} overlaps another`, entry.offset);
    free = entry.offset + LOCAL_SIZE + entry.packed;
    if (free > start)
      fail(`${entry.item} ${entry.name}: its ${entry.packed} bytes run into the directory`, entry.offset);
  }
  return entries;
}

/** Where the directory lies, from the record at the end of the file. */
async function findDirectory(
  source: ByteSource,
  kind: ZipKind,
): Promise<{ start: number; size: number; count: number }> {
  const fail = (message: string, byte: number): never => failAt(source, message, byte);
  if (source.size < END_SIZE) fail(`expected ${kind.file}, got ${source.size} bytes`, 0);
  const tailStart = Math.max(0, source.size - END_SIZE - MAX_COMMENT - LOCATOR64_SIZE);
  const tail = await source.read(tailStart, source.size - tailStart);
  const view = viewOf(tail);
  let end = tail.length - END_SIZE;
  // The record is the last one whose comment reaches just to the end of the file.
  while (
    end >= 0 &&
    !(view.getUint32(end, true) === END && end + END_SIZE + view.getUint16(end + 20, true) === tail.length)
  )
    end--;
  if (end < 0)
    return fail(`expected ${kind.file} (a zip), found no end-of-directory record`, source.size - END_SIZE);
  let count = view.getUint16(end + 10, true);
  let size = view.getUint32(end + 12, true);
  let start = view.getUint32(end + 16, true);
  let limit = tailStart + end;
  const locator = end - LOCATOR64_SIZE;
  if (locator >= 0 && view.getUint32(locator, true) === LOCATOR64) {
    const at = Number(view.getBigUint64(locator + 8, true));
    limit = tailStart + locator;
    if (at + END64_SIZE > limit) fail('the zip64 record lies outside the file', limit);
    const record = viewOf(await source.read(at, END64_SIZE));
    if (record.getUint32(0, true) !== END64) fail('expected a zip64 end-of-directory record', at);
    count = Number(record.getBigUint64(32, true));
    size = Number(record.getBigUint64(40, true));
    start = Number(record.getBigUint64(48, true));
    limit = at;
  }
  if (start + size > limit)
    fail(`a directory of ${size} bytes at byte ${start} runs past its end at ${limit}`, limit);
  if (count * CENTRAL_SIZE > size) fail(`${count} entries do not fit a directory of ${size} bytes`, start);
  return { start, size, count };
}

/** Unpacked size, packed size and offset; those that are all ones stand in the zip64 field, in this order. */
function widen(extra: Uint8Array, sizes: [number, number, number]): [number, number, number] | null {
  if (!sizes.includes(U32)) return sizes;
  const view = viewOf(extra);
  for (let at = 0; at + 4 <= extra.length; ) {
    const end = at + 4 + view.getUint16(at + 2, true);
    if (end > extra.length) return null;
    if (view.getUint16(at, true) === 1) {
      let from = at + 4;
      const wide = sizes.map((value) => {
        if (value !== U32) return value;
        from += 8;
        return from <= end ? Number(view.getBigUint64(from - 8, true)) : Number.NaN;
      }) as [number, number, number];
      return wide.every(Number.isSafeInteger) ? wide : null;
    }
    at = end;
  }
  return null;
}

/** Where an entry's packed bytes begin. Throws `format`. */
export async function beginOf(source: ByteSource, entry: ZipEntry): Promise<number> {
  const header = viewOf(await source.read(entry.offset, LOCAL_SIZE));
  if (header.getUint32(0, true) !== LOCAL)
    failAt(source, `${entry.item} ${entry.name}: expected a zip entry`, entry.offset);
  return entry.offset + LOCAL_SIZE + header.getUint16(26, true) + header.getUint16(28, true);
}

/**
 * One entry's bytes, reading and unpacking only its bytes. Throws `format`; `memory` before anything is unpacked past the file's budget.
 * Memory: packed + unpacked.
 */
export async function readZipEntry(source: ByteSource, entry: ZipEntry): Promise<Uint8Array> {
  guard(
    entry.unpacked <= LONGEST_ARRAY,
    'memory',
    () =>
      `${source.name}: ${entry.item} ${entry.name} takes ${formatBytes(entry.unpacked)}, more than the ${formatBytes(LONGEST_ARRAY)} that can be held at once${entry.deflated ? '; write it without compression, or as a file of its own: of those of any size only what is wanted is read' : ''}`,
    { file: source.name, needed: entry.unpacked, limit: LONGEST_ARRAY },
  );
  const from = await beginOf(source, entry);
  if (entry.deflated) budgetOf(source).take(entry.unpacked, `${entry.item} ${entry.name}`);
  const packed = await source.read(from, entry.packed);
  const bytes = entry.deflated ? await inflate(source, entry, packed, from, entry.unpacked) : packed;
  let crc = 0;
  for (let at = 0; at < bytes.length; at += CRC_STEP) {
    crc = crc32(bytes.subarray(at, at + CRC_STEP), crc);
    await budgetOf(source).rest();
  }
  guard(
    crc === entry.crc,
    'format',
    () =>
      `${source.name}: ${entry.item} ${entry.name}: the checksum is wrong: the file is damaged (byte ${from})`,
    { file: source.name, byte: from, expected: entry.crc, got: crc },
  );
  return bytes;
}

/** Stored entries up to this are read whole and their checksum is looked at; of larger ones only what is asked for. */
const WHOLE = 64_000_000;
const CRC_STEP = 1 << 20;

/**
 * One entry as a source of its own, named `name`. `head`: only its first so many bytes will be read, nothing else is unpacked, and no
 * checksum is looked at. Throws as `readZipEntry`.
 */
export async function zipEntrySource(
  source: ByteSource,
  entry: ZipEntry,
  name: string,
  head = Number.POSITIVE_INFINITY,
): Promise<ByteSource> {
  const { unpacked, packed, deflated } = entry;
  if (head >= unpacked && (deflated || unpacked <= WHOLE))
    return shareBudget(
      {
        ...bytesSource(name, await readZipEntry(source, entry)),
        fresh: deflated || (source.fresh ?? false),
      },
      source,
    );
  const from = await beginOf(source, entry);
  if (!deflated) return rangeOf(source, name, from, unpacked);
  const bytes = await inflate(
    source,
    entry,
    await source.read(from, Math.min(packed, head + 1024)),
    from,
    head,
  );
  return {
    name,
    size: unpacked,
    async read(offset, length) {
      checkRange({ name, size: Math.min(unpacked, bytes.length) }, offset, length);
      return bytes.subarray(offset, offset + length);
    },
  };
}

/** An entry as a source: a stored one by ranges of the zip, its checksum not looked at; a deflated one unpacked whole. */
export async function openZipEntry(source: ByteSource, entry: ZipEntry): Promise<ByteSource> {
  const name = `${source.name}/${entry.name}`;
  return entry.deflated
    ? zipEntrySource(source, entry, name)
    : rangeOf(source, name, await beginOf(source, entry), entry.unpacked);
}

function rangeOf(source: ByteSource, name: string, from: number, size: number): ByteSource {
  return shareBudget(
    {
      name,
      size,
      fresh: source.fresh ?? false,
      async read(offset, length) {
        checkRange({ name, size }, offset, length);
        return source.read(from + offset, length);
      },
    },
    source,
  );
}

/** The first `wanted` bytes of a deflated entry; all of them are counted against what its header says. */
async function inflate(
  source: ByteSource,
  entry: ZipEntry,
  packed: Uint8Array,
  from: number,
  wanted: number,
): Promise<Uint8Array> {
  const out = new Uint8Array(Math.min(wanted, entry.unpacked));
  const whole = wanted >= entry.unpacked;
  const budget = budgetOf(source);
  let total = 0;
  let ended = false;
  const wrong = (): never =>
    failAt(
      source,
      `${entry.item} ${entry.name}: expected ${entry.unpacked} bytes once unpacked, got ${total > entry.unpacked ? 'more' : total}`,
      from,
    );
  const stream = new Inflate((chunk, final) => {
    if (total + chunk.length > entry.unpacked) {
      total += chunk.length;
      wrong();
    }
    if (total < out.length) out.set(chunk.subarray(0, out.length - total), total);
    total += chunk.length;
    ended ||= final;
  });
  try {
    // In slices, so that a lie about the size shows before much is unpacked.
    for (let at = 0; at < packed.length && (whole || total < out.length); at += SLICE) {
      const before = total;
      stream.push(packed.subarray(at, at + SLICE), whole && at + SLICE >= packed.length);
      budget.work(total - before);
      await budget.rest();
    }
  } catch (cause) {
    if (cause instanceof EpochscopeError) throw cause;
    failAt(source, `${entry.item} ${entry.name}: broken deflate data: ${(cause as Error).message}`, from);
  }
  if (whole ? !ended || total !== entry.unpacked : total < out.length) {
    if (whole) wrong();
    return out.subarray(0, total);
  }
  return out;
}
