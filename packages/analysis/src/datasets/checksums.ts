/** A file to download and what it must hold. */
export interface RemoteFile {
  name: string;
  /** Tried in this order. */
  urls: readonly string[];
  /** Size of the download as first published, for progress before the server says; archives differ by a few per cent. */
  bytes: number;
  /**
   * sha-256 of the unpacked content: mirrors pack MNIST anew, so that the .gz files differ while the digits do not. For a
   * .tar.gz it is that of the archive itself.
   */
  sha256: string;
}

export type DownloadName = 'mnist' | 'cifar10';

const mnist = (name: string, bytes: number, sha256: string): RemoteFile => ({
  name: `${name}.gz`,
  urls: [
    'https://ossci-datasets.s3.amazonaws.com/mnist',
    'https://storage.googleapis.com/cvdf-datasets/mnist',
  ].map((mirror) => `${mirror}/${name}.gz`),
  bytes,
  sha256,
});

/** What each data set consists of. */
export const DOWNLOADS: Record<DownloadName, readonly RemoteFile[]> = {
  mnist: [
    mnist(
      'train-images-idx3-ubyte',
      9_912_422,
      'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
    ),
    mnist(
      'train-labels-idx1-ubyte',
      28_881,
      '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
    ),
    mnist(
      't10k-images-idx3-ubyte',
      1_648_877,
      '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
    ),
    mnist(
      't10k-labels-idx1-ubyte',
      4_542,
      'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
    ),
  ],
  cifar10: [
    {
      name: 'cifar-10-binary.tar.gz',
      urls: ['https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz'],
      bytes: 170_052_171,
      sha256: 'c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd',
    },
  ],
};
