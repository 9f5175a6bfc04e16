// custom-elements.json (schema 1.0.0) read off the sources with TypeScript's own checker: what is registered in
// src/register.ts, its properties with types, defaults and attributes (inherited ones too), its events, parts and custom
// properties. TypeScript 5.9 is this package's own: 7, which builds and checks everything, has no stable API yet.
// @custom-elements-manifest/analyzer was not taken: it brings a second TypeScript (docs/decisions/0007).
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';

/** The manifest of the package in `root`. */
export function manifestOf(root) {
  const config = ts.getParsedCommandLineOfConfigFile(
    join(root, 'tsconfig.json'),
    {},
    {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: (diagnostic) => {
        throw new Error(ts.flattenDiagnosticMessageText(diagnostic.messageText, ' '));
      },
    },
  );
  const program = ts.createProgram([join(root, 'src/register.ts')], config.options);
  const checker = program.getTypeChecker();
  const source = (path) => program.getSourceFile(join(root, path));
  const tokens = tagsOf(declarationNamed(source('src/styles.ts'), 'tokens'), 'cssprop');
  const modules = registered(source('src/register.ts')).map(({ tag, identifier }) => {
    const symbol = checker.getAliasedSymbol(checker.getSymbolAtLocation(identifier));
    return moduleOf(checker, root, tag, symbol.valueDeclaration, tokens);
  });
  return { schemaVersion: '1.0.0', readme: 'README.md', modules };
}

/** Tag and class of each line of the TAGS table. */
function registered(file) {
  const found = [];
  const visit = (node) => {
    if (ts.isVariableDeclaration(node) && node.name.getText() === 'TAGS')
      for (const property of node.initializer.properties)
        found.push({ tag: property.name.text, identifier: property.initializer });
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

function declarationNamed(file, name) {
  for (const statement of file.statements)
    if (ts.isVariableStatement(statement))
      for (const declaration of statement.declarationList.declarations)
        if (declaration.name.getText() === name) return statement;
  throw new Error(`${file.fileName} has no ${name}`);
}

/** The class and its bases as far as they are ours, nearest first. */
function lineage(checker, declaration, root) {
  const line = [declaration];
  for (;;) {
    const clause = line.at(-1).heritageClauses?.find(({ token }) => token === ts.SyntaxKind.ExtendsKeyword);
    const symbol = clause && checker.getSymbolAtLocation(clause.types[0].expression);
    const base = symbol && (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol);
    const next = base?.valueDeclaration;
    if (
      !next ||
      !ts.isClassDeclaration(next) ||
      relative(root, next.getSourceFile().fileName).startsWith('..')
    )
      return { line, superclass: clause?.types[0].expression.getText() };
    if (next.getSourceFile().fileName.includes('node_modules')) return { line, superclass: next.name.text };
    line.push(next);
  }
}

function moduleOf(checker, root, tag, declaration, tokens) {
  const { line, superclass } = lineage(checker, declaration, root);
  const path = (file) =>
    relative(root, file).replace(/^src/, 'dist').replace(/\.ts$/, '.js').replaceAll('\\', '/');
  const own = path(declaration.getSourceFile().fileName);
  const type = checker.getTypeAtLocation(declaration);
  const members = [];
  const attributes = [];
  const seen = new Set();
  for (const level of line) {
    const inheritedFrom =
      level === declaration
        ? {}
        : { inheritedFrom: { name: level.name.text, module: path(level.getSourceFile().fileName) } };
    for (const { name, attribute, reflect, state } of reactive(level)) {
      if (state || seen.has(name)) continue;
      seen.add(name);
      const symbol = type.getProperty(name);
      const description = textOf(symbol, checker);
      // Asked at the class, so that `data: Data` is the class's own type.
      const text = symbol
        ? checker.typeToString(
            checker.getTypeOfSymbolAtLocation(symbol, declaration),
            undefined,
            ts.TypeFormatFlags.NoTruncation,
          )
        : 'unknown';
      const more = {
        ...(description ? { description } : {}),
        ...(defaultOf(line, name) !== undefined ? { default: defaultOf(line, name) } : {}),
        ...inheritedFrom,
      };
      members.push({
        kind: 'field',
        name,
        type: { text },
        privacy: 'public',
        ...(attribute ? { attribute, reflects: reflect } : {}),
        ...more,
      });
      if (attribute) attributes.push({ name: attribute, fieldName: name, type: { text }, ...more });
    }
    for (const member of level.members) {
      if (!ts.isMethodDeclaration(member) || !isPublic(member) || LIFECYCLE.has(member.name.getText()))
        continue;
      const name = member.name.getText();
      if (seen.has(name)) continue;
      seen.add(name);
      const signature = checker.getSignatureFromDeclaration(member);
      const description = textOf(type.getProperty(name), checker);
      members.push({
        kind: 'method',
        name,
        privacy: 'public',
        parameters: member.parameters.map((parameter) => ({
          name: parameter.name.getText(),
          type: { text: checker.typeToString(checker.getTypeAtLocation(parameter)) },
          ...(parameter.questionToken || parameter.initializer ? { optional: true } : {}),
        })),
        return: { type: { text: checker.typeToString(checker.getReturnTypeOfSignature(signature)) } },
        ...(description ? { description } : {}),
        ...inheritedFrom,
      });
    }
  }
  // What the text of the class and its bases says it draws and fires, described by the tags where there are any.
  const text = line.map((level) => sourceAround(level)).join('\n');
  const described = (kind) =>
    new Map(
      line
        .flatMap((level) => tagsOf(level, kind))
        .reverse()
        .map((one) => [one.name, one.description]),
    );
  const named = (pattern) => [...text.matchAll(pattern)].flatMap((match) => match[1].split(/\s+/));
  const events = list(described('fires'), [
    ...named(/CustomEvent(?:<[^(]*>)?\(\s*'(es-[\w-]+)'/g),
    ...(/\.select(?:<[^(]*>)?\(/.test(text) ? ['es-select'] : []),
  ]);
  const parts = list(described('csspart'), named(/\bpart="([\w -]+)"/g));
  const properties = list(
    new Map([...tokens.map((one) => [one.name, one.description]), ...described('cssprop')]),
    [],
  );
  return {
    kind: 'javascript-module',
    path: own,
    declarations: [
      {
        kind: 'class',
        customElement: true,
        tagName: tag,
        name: declaration.name.text,
        description: commentOf(declaration),
        superclass: {
          name: line[1]?.name.text ?? superclass,
          ...(line[1] ? { module: path(line[1].getSourceFile().fileName) } : { package: 'lit' }),
        },
        attributes,
        members,
        events: events.map((event) => ({ ...event, type: { text: 'CustomEvent' } })),
        cssParts: parts,
        cssProperties: properties,
      },
    ],
    exports: [
      { kind: 'js', name: declaration.name.text, declaration: { name: declaration.name.text, module: own } },
      {
        kind: 'custom-element-definition',
        name: tag,
        declaration: { name: declaration.name.text, module: own },
      },
    ],
  };
}

const LIFECYCLE = new Set([
  'render',
  'connectedCallback',
  'disconnectedCallback',
  'adoptedCallback',
  'attributeChangedCallback',
  'createRenderRoot',
]);
const isPublic = (member) =>
  ts.isIdentifier(member.name) &&
  !(
    ts.getCombinedModifierFlags(member) &
    (ts.ModifierFlags.Private | ts.ModifierFlags.Protected | ts.ModifierFlags.Static)
  );

/** The module of a class and the modules beside it that it imports (templates may stand there). */
function sourceAround(level) {
  const file = level.getSourceFile();
  const beside = file.statements
    .filter((one) => ts.isImportDeclaration(one) && one.moduleSpecifier.text.startsWith('./'))
    .map((one) => join(dirname(file.fileName), one.moduleSpecifier.text.replace(/\.js$/, '.ts')));
  return [file.text, ...beside.map((path) => (path.includes('test') ? '' : read(path)))].join('\n');
}
function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** What stands behind `@property`: Lit's own reading of it. */
function reactive(level) {
  return level.members.filter(ts.isPropertyDeclaration).flatMap((member) => {
    const decorator = ts
      .getDecorators(member)
      ?.map(({ expression }) => expression)
      .find((one) => ts.isCallExpression(one) && one.expression.getText() === 'property');
    if (!decorator) return [];
    const name = member.name.getText();
    const options = Object.fromEntries(
      (decorator.arguments[0]?.properties ?? [])
        .filter(ts.isPropertyAssignment)
        .map((one) => [one.name.text, one.initializer.getText()]),
    );
    const state = options.state === 'true';
    const attribute =
      state || options.attribute === 'false'
        ? null
        : /^['"]/.test(options.attribute ?? '')
          ? options.attribute.slice(1, -1)
          : name.toLowerCase();
    return [{ name, attribute, reflect: options.reflect === 'true', state }];
  });
}

/** The property's own value, or of one that is inherited `this.name = value` in the constructor. */
function defaultsOf(level) {
  const found = new Map();
  for (const member of level.members)
    if (ts.isPropertyDeclaration(member) && member.initializer)
      found.set(member.name.getText(), member.initializer.getText().replace('Number.NaN', 'NaN'));
  const maker = level.members.find(ts.isConstructorDeclaration);
  for (const statement of maker?.body?.statements ?? []) {
    const expression = ts.isExpressionStatement(statement) ? statement.expression : null;
    if (
      !expression ||
      !ts.isBinaryExpression(expression) ||
      expression.operatorToken.kind !== ts.SyntaxKind.EqualsToken
    )
      continue;
    if (
      ts.isPropertyAccessExpression(expression.left) &&
      expression.left.expression.kind === ts.SyntaxKind.ThisKeyword
    )
      found.set(expression.left.name.text, expression.right.getText().replace('Number.NaN', 'NaN'));
  }
  return found;
}
const defaultOf = (line, name) =>
  line.map((level) => defaultsOf(level).get(name)).find((value) => value !== undefined);

const textOf = (symbol, checker) =>
  symbol ? ts.displayPartsToString(symbol.getDocumentationComment(checker)).replace(/\s+/g, ' ').trim() : '';
const plain = (comment) => (ts.getTextOfJSDocComment(comment) ?? '').replace(/\s+/g, ' ').trim();
const commentOf = (node) =>
  ts
    .getJSDocCommentsAndTags(node)
    .filter(ts.isJSDoc)
    .map(({ comment }) => plain(comment))
    .join(' ');

/** `@fires name - text` and its like; several may stand on one line. */
function tagsOf(node, kind) {
  return ts
    .getJSDocTags(node)
    .filter(({ tagName }) => tagName.text === kind)
    .flatMap((tag) => {
      const text = plain(tag.comment);
      const match = /^(--)?([\w-]+)\s*(?:[-–—:]\s*)?(.*)$/s.exec(text);
      return match ? [{ name: `${match[1] ?? ''}${match[2]}`, description: match[3] }] : [];
    });
}

function list(descriptions, more) {
  return [...new Set([...descriptions.keys(), ...more])]
    .sort()
    .map((name) => ({ name, ...(descriptions.get(name) ? { description: descriptions.get(name) } : {}) }));
}
