import { describe, expect, it } from 'vitest';
import { encodeEvents } from './events.js';

// By TensorBoard's own RecordWriter and protocol buffers (tensorboard 2.20).
const WRITTEN = [
  '1800000000000000a37f4b2209000000000000f83f1a0d627261696e2e4576656e743a322a28646c22000000000000007811',
  '3dfd09000000000000f83f10052a150a130a0c6d6574726963732f6c6f7373150000803e5840ad78fa0000000000000010e1',
  '4e9d09000000000000f83f10ac022aeb010ae8010a1074656e64656e63792f53352f6956415422d30108c801108201180122',
  'c801000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f',
  '303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f6061',
  '62636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f90919293',
  '9495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5',
  'c6c71a413ad9',
].join('');

describe('event files', () => {
  it('are those that TensorBoard writes', () => {
    const bytes = encodeEvents(
      [
        { tag: 'metrics/loss', step: 5, value: 0.25 },
        {
          tag: 'tendency/S5/iVAT',
          step: 300,
          value: { png: Uint8Array.from({ length: 200 }, (_, i) => i), width: 130, height: 200 },
        },
      ],
      1.5,
    );
    expect(Buffer.from(bytes).toString('hex')).toBe(WRITTEN);
  });
});
