// vat: kernel entry points.
export {};
