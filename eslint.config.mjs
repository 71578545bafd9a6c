import tseslint from 'typescript-eslint';

/** No room imports from a room that it must not know: see "The house" in CONTRIBUTING.md. */
const closed = (files, regex, message) => ({
  files: [files],
  rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns: [{ regex, message }] }] },
});

const LOCAL = 'local knows the handler only as its bundle, and nothing of lib';

export default tseslint.config(
  {
    ignores: ['**/*.js', '**/*.d.ts', '**/*.cjs', '**/*.mjs', 'dist/', 'cdk.out/', 'node_modules/', '.local-aws/'],
  },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', { varsIgnorePattern: '^_', argsIgnorePattern: '^_' }],
      '@typescript-eslint/no-non-null-assertion': 'off',
      // A custom resource's event and a template are untyped by nature; tests read them freely.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/restrict-template-expressions': 'off',
      '@typescript-eslint/require-await': 'off',
      // esbuild's and jest's objects of functions never use `this`.
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  // Templates are untyped, and a test says what it expects of them anyway.
  { files: ['test/**'], rules: { '@typescript-eslint/no-explicit-any': 'off' } },
  closed('lib/**', '/(lambda|local|bin)/', 'lib knows nothing of lambda, local and bin'),
  closed(
    'lambda/*.ts',
    '^aws-cdk-lib|^constructs|/(local|bin)/|/lib/(?!private/(user-resource|user-arn|validate)$)',
    'lambda imports from lib only the wire contract, the ARN code and the checks',
  ),
  // local has a lambda of its own, so how deep a file is decides which one its path leads to.
  closed('local/*.ts', '^\\.\\./(lambda|lib)(/|$)', LOCAL),
  closed('local/*/*.ts', '^\\.\\./\\.\\./(lambda|lib)(/|$)', LOCAL),
  closed('local/*/*/*.ts', '^\\.\\./\\.\\./\\.\\./(lambda|lib)(/|$)', LOCAL),
);
