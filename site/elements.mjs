// A page for each element out of custom-elements.json, with its examples living.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const code = (text) => (text ? `\`\` ${String(text).replaceAll('|', '\\|')} \`\`` : '');
const words = (text = '') =>
  text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('{{', '&#123;&#123;').replaceAll('\n', ' ');
const table = (head, rows) =>
  rows.length
    ? `| ${head.join(' | ')} |\n|${' --- |'.repeat(head.length)}\n${rows.map((row) => `| ${row.join(' | ')} |`).join('\n')}\n`
    : '';

export function writeElements(manifest, folder) {
  mkdirSync(folder, { recursive: true });
  const all = manifest.modules
    .flatMap(({ declarations }) => declarations)
    .sort((a, b) => (a.tagName < b.tagName ? -1 : 1));
  for (const one of all) writeFileSync(join(folder, `${one.tagName}.md`), page(one));
  writeFileSync(
    join(folder, 'index.md'),
    `# Elements

Lit elements of [\`@epochscope/ui\`](../packages/ui.md): give one its data or the address of a result, style it by custom properties. [The gallery](../gallery.md) shows all.

${table(
  ['element', 'draws'],
  all.map(({ tagName, description }) => [
    `[\`${tagName}\`](./${tagName}.md)`,
    words(description.split(/(?<=\.) /)[0]),
  ]),
)}`,
  );
}

function page({ tagName, name, description, members, events, cssParts, cssProperties }) {
  const fields = members.filter(({ kind, privacy }) => kind === 'field' && privacy !== 'private');
  const own = fields.filter(({ inheritedFrom }) => !inheritedFrom);
  const inherited = fields.filter(({ inheritedFrom }) => inheritedFrom);
  const methods = members.filter(({ kind }) => kind === 'method');
  const fieldRows = (list) =>
    list.map((field) => [
      code(field.name),
      field.attribute ? code(field.attribute) : '',
      code(field.type?.text),
      code(field.default),
      words(field.description),
    ]);
  const head = ['property', 'attribute', 'type', 'default', ''];
  const section = (title, text) => (text ? `## ${title}\n\n${text}\n` : '');
  return `# \`${tagName}\`

${words(description)}

\`\`\`js
import { ${name} } from '@epochscope/ui'; // or import '@epochscope/ui/register', which registers all
\`\`\`

<Example tag="${tagName}" />

${section('Properties', table(head, fieldRows(own)))}
${section('Properties that all have', table(head, fieldRows(inherited)))}
${section(
  'Events',
  table(
    ['event', ''],
    (events ?? []).map((event) => [code(event.name), words(event.description)]),
  ),
)}
${section(
  'Methods',
  table(
    ['method', ''],
    methods.map((method) => [
      code(`${method.name}(${(method.parameters ?? []).map(({ name: n }) => n).join(', ')})`),
      words(method.description),
    ]),
  ),
)}
${section(
  'Parts',
  table(
    ['part', ''],
    (cssParts ?? []).map((part) => [code(part.name), words(part.description)]),
  ),
)}
${section(
  'Custom properties',
  table(
    ['property', ''],
    (cssProperties ?? []).map((one) => [code(one.name), words(one.description)]),
  ),
)}
`;
}
