// What is published is release/epochscope: this folder has the sources' dependencies.
process.stderr.write(
  'epochscope is packed from release/epochscope: node packages/cli/scripts/bundle.mjs (docs/release.md)\n',
);
process.exit(1);
