import { checkOptions, nameOf } from './arguments.js';
import { EpochscopeError, guard } from './errors.js';
import { Arena } from './memory.js';

/** One instance of the kernels on one memory. Every wrapper takes it first. */
export interface Kernels {
  readonly exports: WebAssembly.Exports;
  readonly memory: WebAssembly.Memory;
  /** The allocator of `memory`. Only the instance that owns a shared memory may allocate. */
  readonly arena: Arena;
  readonly shared: boolean;
  readonly relaxed: boolean;
}

export interface LoadOptions {
  /** A memory to work on; by default a new one. A shared memory makes a shared instance. */
  memory?: WebAssembly.Memory;
  /** The allocator of `memory`, when it has one already. */
  arena?: Arena;
  /** Make the new memory shared (needs SharedArrayBuffer). Default false. */
  shared?: boolean;
  /** Fused multiply-add where the CPU has it: faster, and results may differ between machines. Default false. */
  relaxed?: boolean;
}

// (func (result v128) i32.const 0 i8x16.splat), and the same with f32x4.relaxed_madd.
const SIMD_PROBE = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 15, 11,
];
const RELAXED_PROBE = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 19, 1, 17, 0, 65, 0, 253, 17, 65, 0,
  253, 17, 65, 0, 253, 17, 253, 133, 2, 11,
];

/** What this environment can run. */
export function detectFeatures(): { simd: boolean; relaxedSimd: boolean; sharedMemory: boolean } {
  const has = typeof WebAssembly === 'object' && typeof WebAssembly.validate === 'function';
  return {
    simd: has && WebAssembly.validate(new Uint8Array(SIMD_PROBE)),
    relaxedSimd: has && WebAssembly.validate(new Uint8Array(RELAXED_PROBE)),
    sharedMemory: has && typeof SharedArrayBuffer === 'function' && (globalThis.crossOriginIsolated ?? true),
  };
}

const modules = new Map<string, Promise<WebAssembly.Module>>();

/** The compiled module of a variant; compiled once, postable to workers. */
export function kernelModule(shared: boolean, relaxed: boolean): Promise<WebAssembly.Module> {
  const key = `${shared}-${relaxed}`;
  let module = modules.get(key);
  if (!module) {
    module = compile(shared, relaxed);
    modules.set(key, module);
    module.catch(() => modules.delete(key));
  }
  return module;
}

async function compile(shared: boolean, relaxed: boolean): Promise<WebAssembly.Module> {
  const features = detectFeatures();
  if (!features.simd) {
    throw new EpochscopeError(
      'unsupported',
      'WebAssembly SIMD is missing here: Epochscope needs Node 16.4+, Chrome 91+, Firefox 89+ or Safari 16.4+',
      { feature: 'simd' },
    );
  }
  if (relaxed && !features.relaxedSimd) {
    throw new EpochscopeError(
      'unsupported',
      'relaxed SIMD was asked for and is missing here: Chrome 114+ or Node 22+ have it, Node 20 only with --experimental-wasm-relaxed-simd',
      { feature: 'relaxed-simd' },
    );
  }
  const { default: base64 } = await (relaxed
    ? shared
      ? import('./generated/kernels-relaxed-shared.js')
      : import('./generated/kernels-relaxed.js')
    : shared
      ? import('./generated/kernels-shared.js')
      : import('./generated/kernels.js'));
  return WebAssembly.compile(decodeBase64(base64));
}

/** The bytes of a base64 text, in Node and browsers. */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/**
 * Loads the kernels. Throws `unsupported` with the missing feature, `argument` for a memory they cannot work on.
 */
export async function loadKernels(options: LoadOptions = {}): Promise<Kernels> {
  checkOptions(options);
  guard(
    options.memory === undefined || options.memory instanceof WebAssembly.Memory,
    'argument',
    () => `memory: expected a WebAssembly.Memory, got ${nameOf(options.memory)}`,
  );
  const relaxed = options.relaxed ?? false;
  const shared = options.memory ? isShared(options.memory) : (options.shared ?? false);
  if (shared && !detectFeatures().sharedMemory) {
    throw new EpochscopeError(
      'unsupported',
      'shared WebAssembly memory is missing here: the page must be cross-origin isolated',
      { feature: 'shared-memory' },
    );
  }
  const module = await kernelModule(shared, relaxed);
  const memory = options.memory ?? new WebAssembly.Memory({ initial: 2, maximum: 65536, shared });
  const exports = linked(() => instantiate(module, memory));
  return { exports, memory, arena: options.arena ?? new Arena(memory), shared, relaxed };
}

/** A synchronous instance of a compiled module on a memory, for workers that were posted both. */
export function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): WebAssembly.Exports {
  const abort = () => {
    throw new EpochscopeError('internal', 'a kernel aborted');
  };
  return new WebAssembly.Instance(module, { env: { memory, abort } }).exports;
}

/** Runs `link`, and says what the kernels need of a memory where it is not such. */
export function linked<T>(link: () => T): T {
  try {
    return link();
  } catch (cause) {
    if (!(cause instanceof WebAssembly.LinkError)) throw cause;
    throw new EpochscopeError(
      'argument',
      'memory: expected a WebAssembly.Memory of at least one page and a stated maximum of 65536 pages or fewer, such as { initial: 2, maximum: 65536 }',
      { cause: cause.message },
      { cause },
    );
  }
}

function isShared(memory: WebAssembly.Memory): boolean {
  return typeof SharedArrayBuffer === 'function' && memory.buffer instanceof SharedArrayBuffer;
}
