import { EpochscopeError } from '@epochscope/core-wasm';

// Python's pickle, protocols 0 to 5, as data only: https://docs.python.org/3/library/pickletools.html.
// Nothing is ever called. A class or function that the stream names becomes an inert `PickleGlobal`; what the stream
// would have Python call becomes a `PickleCall` that holds the name and the arguments. Who reads decides what they mean.

/** A pickle longer than this is refused: a state dict takes about 200 bytes a tensor. */
export const MAX_PICKLE_BYTES = 64_000_000;
/** Opcodes, stack, memo and nesting. */
export const MAX_PICKLE_OPCODES = 10_000_000;
export const MAX_PICKLE_STACK = 1_000_000;
export const MAX_PICKLE_MEMO = 2_000_000;
export const MAX_PICKLE_MARKS = 1000;
/** Longest text or whole number. */
export const MAX_PICKLE_TEXT = 10_000_000;
export const MAX_PICKLE_LONG = 64;

/** A class or function by name; nothing is imported. */
export class PickleGlobal {
  constructor(readonly name: string) {}
}
/** What a stream would have Python call; nothing is. `state` is what BUILD gave, `items` what it stored in it. */
export class PickleCall {
  state: unknown = undefined;
  items: PickleDict | null = null;
  list: unknown[] | null = null;
  constructor(
    readonly callee: unknown,
    readonly args: unknown,
  ) {}
}
/** A persistent id: a thing kept outside the stream. */
export class PicklePersistent {
  constructor(readonly id: unknown) {}
}
export class PickleTuple {
  constructor(readonly items: readonly unknown[]) {}
}
/** Pairs in order; keys that are texts or numbers also by value. */
export class PickleDict {
  readonly map = new Map<unknown, unknown>();
}

const MARK = Symbol('mark');

/**
 * Reads one pickle. Texts, numbers (long ones as bigint), booleans, None (null), bytes, lists, tuples, dicts, sets (as
 * lists). Throws `format` on anything broken or past a limit, `unsupported` on opcodes that model data never needs.
 * O(bytes) time and memory.
 */
export function readPickle(bytes: Uint8Array, file: string): unknown {
  let at = 0;
  const fail = (message: string, byte = at, code: 'format' | 'unsupported' = 'format'): never => {
    throw new EpochscopeError(code, `${file}: ${message} (byte ${byte} of the pickle)`, { file, byte });
  };
  if (bytes.length > MAX_PICKLE_BYTES)
    fail(`expected a pickle of at most ${MAX_PICKLE_BYTES} bytes, got ${bytes.length}`, 0);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const decoder = new TextDecoder();
  const stack: unknown[] = [];
  const memo = new Map<number, unknown>();
  let marks = 0;

  const take = (length: number): number => {
    if (!(length >= 0 && length <= bytes.length - at))
      fail(`expected ${length} bytes more, the pickle ends after ${bytes.length - at}`);
    at += length;
    return at - length;
  };
  const u8 = () => bytes[take(1)]!;
  const u16 = () => view.getUint16(take(2), true);
  const u32 = () => view.getUint32(take(4), true);
  const u64 = () => Number(view.getBigUint64(take(8), true));
  const raw = (length: number) => {
    if (length > MAX_PICKLE_TEXT)
      fail(`expected at most ${MAX_PICKLE_TEXT} bytes in one value, got ${length}`);
    const from = take(length);
    return bytes.subarray(from, from + length);
  };
  const text = (length: number) => decoder.decode(raw(length));
  const line = () => {
    const end = bytes.indexOf(10, at);
    if (end < 0) fail('a line of text does not end');
    const value = text(end - at);
    at++;
    return value;
  };
  const long = (length: number): number | bigint => {
    if (length > MAX_PICKLE_LONG)
      fail(`expected a whole number of at most ${MAX_PICKLE_LONG} bytes, got ${length}`);
    const digits = raw(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(digits[i]!);
    if (length && digits[length - 1]! & 0x80) value -= 1n << BigInt(8 * length);
    return small(value);
  };
  const push = (value: unknown) => {
    if (stack.length >= MAX_PICKLE_STACK) fail(`expected a stack of at most ${MAX_PICKLE_STACK} values`);
    stack.push(value);
  };
  const top = (): unknown => {
    if (!stack.length || stack[stack.length - 1] === MARK) fail('the stack is empty');
    return stack[stack.length - 1];
  };
  const pop = (): unknown => {
    top();
    return stack.pop();
  };
  const popMark = (): unknown[] => {
    const from = stack.lastIndexOf(MARK);
    if (from < 0) fail('there is no mark');
    const items = stack.splice(from + 1);
    stack.pop();
    marks--;
    return items;
  };
  const keep = (index: number) => {
    if (memo.size >= MAX_PICKLE_MEMO) fail(`expected at most ${MAX_PICKLE_MEMO} remembered values`);
    memo.set(index, top());
  };
  const recall = (index: number) => {
    if (!memo.has(index)) fail(`value ${index} was never remembered`);
    push(memo.get(index));
  };
  const store = (target: unknown, items: unknown[]) => {
    if (items.length % 2) fail('a dict is given a key without a value');
    const dict =
      target instanceof PickleDict
        ? target
        : target instanceof PickleCall
          ? (target.items ??= new PickleDict())
          : fail('items are stored in something that is no dict');
    for (let i = 0; i < items.length; i += 2) dict.map.set(items[i], items[i + 1]);
  };
  const append = (target: unknown, items: unknown[]) => {
    const list = Array.isArray(target)
      ? target
      : target instanceof PickleCall
        ? (target.list ??= [])
        : fail('items are added to something that is no list');
    for (const item of items) list.push(item);
  };
  const call = (callee: unknown, args: unknown) => push(new PickleCall(callee, args));
  const dictOf = (items: unknown[]) => {
    const dict = new PickleDict();
    store(dict, items);
    return dict;
  };

  for (let count = 0; ; count++) {
    if (count >= MAX_PICKLE_OPCODES) fail(`expected at most ${MAX_PICKLE_OPCODES} opcodes`);
    const place = at;
    const opcode = String.fromCharCode(u8());
    switch (opcode) {
      case '\x80': {
        const protocol = u8();
        if (protocol > 5) fail(`expected pickle protocol 0 to 5, got ${protocol}`, place);
        break;
      }
      case '\x95': // FRAME
        if (u64() > bytes.length - at) fail('a frame runs past the end of the pickle', place);
        break;
      case '.':
        return pop();
      case '(':
        if (++marks > MAX_PICKLE_MARKS)
          fail(`expected values nested at most ${MAX_PICKLE_MARKS} deep`, place);
        push(MARK);
        break;
      case '0':
        if (stack[stack.length - 1] === MARK) popMark();
        else pop();
        break;
      case '1':
        popMark();
        break;
      case '2':
        push(top());
        break;
      case 'N':
        push(null);
        break;
      case '\x88':
        push(true);
        break;
      case '\x89':
        push(false);
        break;
      case 'K':
        push(u8());
        break;
      case 'M':
        push(u16());
        break;
      case 'J':
        push(view.getInt32(take(4), true));
        break;
      case 'I': {
        const value = line();
        push(value === '01' ? true : value === '00' ? false : decimal(value, fail));
        break;
      }
      case 'L':
        push(decimal(line().replace(/L$/, ''), fail));
        break;
      case '\x8a':
        push(long(u8()));
        break;
      case '\x8b':
        push(long(u32()));
        break;
      case 'F': {
        const value = line().trim();
        const number = /^[+-]?(inf|nan)$/i.test(value)
          ? Number(
              value
                .toLowerCase()
                .replace('inf', 'Infinity')
                .replace('nan', 'NaN')
                .replace(/^[+-]NaN/, 'NaN'),
            )
          : Number(value);
        if (value === '' || (Number.isNaN(number) && !/nan/i.test(value))) fail('expected a number', place);
        push(number);
        break;
      }
      case 'G':
        push(view.getFloat64(take(8), false));
        break;
      case 'X':
        push(text(u32()));
        break;
      case '\x8c':
        push(text(u8()));
        break;
      case '\x8d':
        push(text(u64()));
        break;
      case 'V':
      case 'S': {
        const value = line();
        // Protocol 0 quotes a text as Python would; names need no escapes.
        push(opcode === 'S' ? value.replace(/^(['"])(.*)\1$/, '$2') : value);
        break;
      }
      case 'T':
        push(text(u32()));
        break;
      case 'U':
        push(text(u8()));
        break;
      case 'B':
        push(raw(u32()).slice());
        break;
      case 'C':
        push(raw(u8()).slice());
        break;
      case '\x8e':
      case '\x96':
        push(raw(u64()).slice());
        break;
      case ')':
        push(new PickleTuple([]));
        break;
      case '\x85':
        push(new PickleTuple([pop()]));
        break;
      case '\x86': {
        const b = pop();
        push(new PickleTuple([pop(), b]));
        break;
      }
      case '\x87': {
        const c = pop();
        const b = pop();
        push(new PickleTuple([pop(), b, c]));
        break;
      }
      case 't':
        push(new PickleTuple(popMark()));
        break;
      case ']':
      case '\x8f': // EMPTY_SET
        push([]);
        break;
      case 'l':
      case '\x91': // FROZENSET
        push(popMark());
        break;
      case '}':
        push(new PickleDict());
        break;
      case 'd':
        push(dictOf(popMark()));
        break;
      case 's': {
        const value = pop();
        const key = pop();
        store(top(), [key, value]);
        break;
      }
      case 'u': {
        const items = popMark();
        store(top(), items);
        break;
      }
      case 'a': {
        const value = pop();
        append(top(), [value]);
        break;
      }
      case 'e':
      case '\x90': {
        const items = popMark();
        append(top(), items);
        break;
      }
      case 'q':
        keep(u8());
        break;
      case 'r':
        keep(u32());
        break;
      case 'p':
        keep(index(line(), fail));
        break;
      case '\x94':
        keep(memo.size);
        break;
      case 'h':
        recall(u8());
        break;
      case 'j':
        recall(u32());
        break;
      case 'g':
        recall(index(line(), fail));
        break;
      case 'c': {
        const module = line();
        push(new PickleGlobal(`${module}.${line()}`));
        break;
      }
      case '\x93': {
        const name = pop();
        const module = pop();
        if (typeof name !== 'string' || typeof module !== 'string')
          fail('a class is named by no text', place);
        push(new PickleGlobal(`${module}.${name}`));
        break;
      }
      case 'R':
      case '\x81': {
        const args = pop();
        call(pop(), args);
        break;
      }
      case '\x92': {
        const named = pop();
        const args = pop();
        call(pop(), new PickleTuple([args, named]));
        break;
      }
      case 'o': {
        const [callee, ...args] = popMark();
        call(callee, new PickleTuple(args));
        break;
      }
      case 'i': {
        const module = line();
        const callee = new PickleGlobal(`${module}.${line()}`);
        call(callee, new PickleTuple(popMark()));
        break;
      }
      case 'b': {
        const state = pop();
        const target = top();
        if (target instanceof PickleCall) target.state = state;
        break;
      }
      case 'Q':
        push(new PicklePersistent(pop()));
        break;
      case 'P':
        push(new PicklePersistent(line()));
        break;
      default:
        fail(
          `opcode 0x${opcode.charCodeAt(0).toString(16).padStart(2, '0')} is none that model data needs`,
          place,
          'unsupported',
        );
    }
  }
}

type Fail = (message: string) => never;
const small = (value: bigint): number | bigint =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : value;

function decimal(value: string, fail: Fail): number | bigint {
  if (!/^[+-]?\d{1,160}$/.test(value))
    fail(`expected a whole number, got ${JSON.stringify(value.slice(0, 40))}`);
  return small(BigInt(value.replace(/^\+/, '')));
}

function index(value: string, fail: Fail): number {
  if (!/^\d{1,9}$/.test(value)) fail(`expected a memo index, got ${JSON.stringify(value.slice(0, 40))}`);
  return Number(value);
}
