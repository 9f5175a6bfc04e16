// pairwise: kernel entry points.
export {};
