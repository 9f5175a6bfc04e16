// truncated-svd: kernel entry points.
export {};
