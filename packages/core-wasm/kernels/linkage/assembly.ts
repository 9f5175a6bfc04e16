// linkage: kernel entry points.
export {};
