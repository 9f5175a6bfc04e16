// ivat: kernel entry points.
export {};
