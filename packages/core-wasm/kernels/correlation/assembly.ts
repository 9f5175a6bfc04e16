// correlation: kernel entry points.
export {};
