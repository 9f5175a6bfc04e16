// vat-points: kernel entry points.
export {};
