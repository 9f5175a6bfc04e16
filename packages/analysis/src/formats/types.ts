/** Where a parser reads from: local file, bytes in memory, HTTP range. Every parser bounds what it asks for by `size`. */
export interface ByteSource {
  /** For error messages: path or URL. */
  readonly name: string;
  /** Bytes in all. */
  readonly size: number;
  /** Exactly `length` bytes from `offset`; throws code `format` if they are not all there. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** Whether what `read` gives is the caller's alone, so that numbers need no copy. */
  readonly fresh?: boolean;
}

export type DType =
  | 'bool'
  | 'uint8'
  | 'int8'
  | 'uint16'
  | 'int16'
  | 'uint32'
  | 'int32'
  | 'uint64'
  | 'int64'
  | 'float8_e4m3'
  | 'float8_e5m2'
  | 'float16'
  | 'bfloat16'
  | 'float32'
  | 'float64';

/** Typed arrays a tensor may hold. float8, float16 and bfloat16 are widened to Float32Array; 64-bit integers are BigInt arrays. */
export type TensorData =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigUint64Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

/** A dense row-major (C order) tensor. `dtype` is that of the file; `data` may be widened. */
export interface Tensor<T extends TensorData = TensorData> {
  readonly data: T;
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** A tensor in a file, read when it is wanted. */
export interface StoredTensor {
  /** That of the file. */
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Its elements as the file has them, row-major and little-endian: half types stay words of two bytes. May throw what the format throws. */
  bytes(): Promise<Uint8Array>;
  /** Where these very bytes lie, if one stretch of one file holds them so: what a link names. `file`: the source's name. */
  readonly range?: { readonly file: string; readonly begin: number };
}
