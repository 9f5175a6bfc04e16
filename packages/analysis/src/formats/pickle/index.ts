import { rest } from '../budget.js';
import { PickleBytes } from './bytes.js';
import { PickleMachine } from './machine.js';
import { PickleCall, PickleDict, PickleGlobal, PicklePersistent, PickleTuple } from './values.js';

export { MAX_PICKLE_BYTES } from './bytes.js';
export { PickleCall, PickleDict, PickleGlobal, PicklePersistent, PickleTuple } from './values.js';

// Python's pickle, protocols 0 to 5, as data only: https://docs.python.org/3/library/pickletools.html.
// Nothing is ever called. A class or function that the stream names becomes an inert `PickleGlobal`; what the stream
// would have Python call becomes a `PickleCall` that holds the name and the arguments. Who reads decides what they mean.

/** Opcodes of one pickle. */
export const MAX_PICKLE_OPCODES = 10_000_000;

/** Opcodes between two looks at the clock. */
const TURN = 1000;

/**
 * Reads one pickle. Texts, numbers (long ones as bigint), booleans, None (null), bytes, lists, tuples, dicts, sets (as
 * lists). Throws `format` on anything broken or past a limit, `unsupported` on opcodes that model data never needs.
 * O(bytes) time and memory; others get their turn in between.
 */
export async function readPickle(bytes: Uint8Array, file: string): Promise<unknown> {
  const from = new PickleBytes(bytes, file);
  const machine = new PickleMachine(from.fail);
  const { fail } = from;
  const push = (value: unknown) => machine.push(value);
  const pop = () => machine.pop();

  for (let count = 0; ; count++) {
    if (count % TURN === 0) await rest(file);
    if (count >= MAX_PICKLE_OPCODES) fail(`expected at most ${MAX_PICKLE_OPCODES} opcodes`);
    const place = from.at;
    const opcode = String.fromCharCode(from.u8());
    switch (opcode) {
      case '\x80': {
        const protocol = from.u8();
        if (protocol > 5) fail(`expected pickle protocol 0 to 5, got ${protocol}`, place);
        break;
      }
      case '\x95': // FRAME
        if (from.u64() > from.left) fail('a frame runs past the end of the pickle', place);
        break;
      case '.':
        return pop();
      case '(':
        machine.mark(place);
        break;
      case '0':
        machine.drop();
        break;
      case '1':
        machine.popMark();
        break;
      case '2':
        push(machine.top());
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
        push(from.u8());
        break;
      case 'M':
        push(from.u16());
        break;
      case 'J':
        push(from.i32());
        break;
      case 'I': {
        const value = from.line();
        push(value === '01' ? true : value === '00' ? false : from.decimal(value));
        break;
      }
      case 'L':
        push(from.decimal(from.line().replace(/L$/, '')));
        break;
      case '\x8a':
        push(from.long(from.u8()));
        break;
      case '\x8b':
        push(from.long(from.u32()));
        break;
      case 'F':
        push(from.float(from.line().trim(), place));
        break;
      case 'G':
        push(from.f64());
        break;
      case 'X':
      case 'T':
        push(from.text(from.u32()));
        break;
      case '\x8c':
      case 'U':
        push(from.text(from.u8()));
        break;
      case '\x8d':
        push(from.text(from.u64()));
        break;
      case 'V':
      case 'S': {
        const value = from.line();
        // Protocol 0 quotes a text as Python would; names need no escapes.
        push(opcode === 'S' ? value.replace(/^(['"])(.*)\1$/, '$2') : value);
        break;
      }
      case 'B':
        push(from.raw(from.u32()).slice());
        break;
      case 'C':
        push(from.raw(from.u8()).slice());
        break;
      case '\x8e':
      case '\x96':
        push(from.raw(from.u64()).slice());
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
        push(new PickleTuple(machine.popMark()));
        break;
      case ']':
      case '\x8f': // EMPTY_SET
        push([]);
        break;
      case 'l':
      case '\x91': // FROZENSET
        push(machine.popMark());
        break;
      case '}':
        push(new PickleDict());
        break;
      case 'd':
        push(machine.dictOf(machine.popMark()));
        break;
      case 's': {
        const value = pop();
        const key = pop();
        machine.store(machine.top(), [key, value]);
        break;
      }
      case 'u': {
        const items = machine.popMark();
        machine.store(machine.top(), items);
        break;
      }
      case 'a': {
        const value = pop();
        machine.append(machine.top(), [value]);
        break;
      }
      case 'e':
      case '\x90': {
        const items = machine.popMark();
        machine.append(machine.top(), items);
        break;
      }
      case 'q':
        machine.keep(from.u8());
        break;
      case 'r':
        machine.keep(from.u32());
        break;
      case 'p':
        machine.keep(from.index(from.line()));
        break;
      case '\x94':
        machine.keep();
        break;
      case 'h':
        machine.recall(from.u8());
        break;
      case 'j':
        machine.recall(from.u32());
        break;
      case 'g':
        machine.recall(from.index(from.line()));
        break;
      case 'c': {
        const module = from.line();
        push(new PickleGlobal(`${module}.${from.line()}`));
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
        push(new PickleCall(pop(), args));
        break;
      }
      case '\x92': {
        const named = pop();
        const args = pop();
        push(new PickleCall(pop(), new PickleTuple([args, named])));
        break;
      }
      case 'o': {
        const [callee, ...args] = machine.popMark();
        push(new PickleCall(callee, new PickleTuple(args)));
        break;
      }
      case 'i': {
        const module = from.line();
        const callee = new PickleGlobal(`${module}.${from.line()}`);
        push(new PickleCall(callee, new PickleTuple(machine.popMark())));
        break;
      }
      case 'b': {
        const state = pop();
        const target = machine.top();
        if (target instanceof PickleCall) target.state = state;
        break;
      }
      case 'Q':
        push(new PicklePersistent(pop()));
        break;
      case 'P':
        push(new PicklePersistent(from.line()));
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
