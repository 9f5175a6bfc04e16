// A record of 32-bit words in memory; each kernel's memory.ts declares in an enum which word is what.

// @ts-ignore: decorator
@inline
export function word(base: usize, index: usize): u32 {
  return load<u32>(base + (index << 2));
}

// @ts-ignore: decorator
@inline
export function ptr(base: usize, index: usize): usize {
  return <usize>load<u32>(base + (index << 2));
}

// @ts-ignore: decorator
@inline
export function float(base: usize, index: usize): f32 {
  return load<f32>(base + (index << 2));
}

// @ts-ignore: decorator
@inline
export function setWord(base: usize, index: usize, value: u32): void {
  store<u32>(base + (index << 2), value);
}

// @ts-ignore: decorator
@inline
export function setFloat(base: usize, index: usize, value: f32): void {
  store<f32>(base + (index << 2), value);
}
