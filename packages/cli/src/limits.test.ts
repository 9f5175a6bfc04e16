import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { NODE, tooOld } from './limits.js';

it('an older Node is named with the one that is needed, as package.json has it', () => {
  const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  expect(engines.node).toBe(`>=${NODE.join('.')}`);
  expect(tooOld('18.20.4')).toMatch(/^this is Node 18\.20\.4, and Node 20\.19 or newer is needed/);
  expect(tooOld('20.18.1')).not.toBeNull();
  for (const version of ['20.19.0', '22.0.0', '24.1.0-nightly']) expect(tooOld(version)).toBeNull();
});
