// Every link of the built site: to a page, a file or a place in a page that must be there. Addresses elsewhere are not asked.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';

export function checkLinks(out) {
  const files = readdirSync(out, { recursive: true })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.html') && !path.startsWith('app/'));
  const idsOf = new Map();
  const ids = (file) => {
    let found = idsOf.get(file);
    if (!found) {
      const html = readFileSync(join(out, file), 'utf8');
      idsOf.set(file, (found = new Set([...html.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => plain(id)))));
    }
    return found;
  };
  const problems = [];
  let links = 0;
  for (const file of files) {
    const html = readFileSync(join(out, file), 'utf8');
    for (const [, address] of html.matchAll(/\s(?:href|src)="([^"]*)"/g)) {
      const to = plain(address);
      if (/^(?:[a-z]+:|\/\/)/i.test(to) || to === '') continue;
      links++;
      const [path, hash] = to.split('#');
      const clean = decodeURIComponent(path.split('?')[0]);
      const place =
        clean === '' ? file : clean.startsWith('/') ? clean.slice(1) : posix.join(posix.dirname(file), clean);
      const target = fileAt(out, place);
      if (!target) problems.push(`${file}: ${to} leads nowhere`);
      else if (
        hash &&
        target.endsWith('.html') &&
        !target.startsWith('app/') &&
        !ids(target).has(decodeURIComponent(hash))
      )
        problems.push(`${file}: ${to}: the page has no such place`);
    }
  }
  return { pages: files.length, links, problems };
}

const plain = (text) => text.replaceAll('&amp;', '&').replaceAll('&quot;', '"').replaceAll('&#39;', "'");

function fileAt(out, place) {
  for (const one of [place, `${place}.html`, posix.join(place, 'index.html')]) {
    const path = join(out, one);
    if (existsSync(path) && statSync(path).isFile()) return one;
  }
  return null;
}
