// label-regions: kernel entry points.
export {};
