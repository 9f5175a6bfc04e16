import { dirname, join } from 'node:path';
import { withFile } from '../../formats/file-source.js';
import type { OpenSibling } from '../../formats/siblings.js';

/** Opens files beside one on disk. */
export const openBeside =
  (file: string): OpenSibling =>
  (name, body) =>
    withFile(join(dirname(file), name), body);
