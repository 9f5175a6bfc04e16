// A job's or a worker's header: words of 32 bits, some of them pointers. Each kernel says which word is what.

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
