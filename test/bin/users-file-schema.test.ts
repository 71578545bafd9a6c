import { readFileSync } from 'node:fs';
import path from 'node:path';
import Ajv, { type SchemaObject } from 'ajv/dist/2020';
import schema from '../../users.schema.json';

const GENERATED = 'aws-quicksight/lib/quicksight.generated.js';

const STRICT = { strict: true, allowUnionTypes: true, strictRequired: false, allErrors: true } as const;

function compile(part: SchemaObject) {
  return new Ajv(STRICT).addKeyword('patternErrorMessage').compile({ ...part, $defs: schema.$defs });
}

/** Every schema of a property, with its path; what a reference brings is taken in. */
function* properties(part: SchemaObject, path: string): Generator<[path: string, property: SchemaObject]> {
  for (const [name, property] of Object.entries<SchemaObject>(part.properties ?? {})) {
    yield [`${path}.${name}`, property];
    yield* properties(property, `${path}.${name}`);
  }
  for (const keyword of ['items', 'additionalProperties']) {
    if (typeof part[keyword] === 'object') {
      yield [`${path}.*`, part[keyword]];
      yield* properties(part[keyword], `${path}.*`);
    }
  }
}

function resolved(property: SchemaObject): SchemaObject {
  const name = /^#\/\$defs\/(\w+)$/.exec(property.$ref ?? '')?.[1];
  return name ? { ...(schema.$defs as Record<string, SchemaObject>)[name], ...property } : property;
}

const PLACES = [
  ...properties(schema, 'file'),
  ...Object.entries<SchemaObject>(schema.$defs).flatMap(([name, part]) => [
    [name, part] as [string, SchemaObject],
    ...properties(part, name),
  ]),
].filter(([path]) => !path.startsWith('tags.'));

test('it passes the strict mode of Ajv', () => {
  expect(() => compile(schema)).not.toThrow();
});

test.each(PLACES)('%s says what it is, and gives a choice or an example where one can type', (_, property) => {
  const { description, type, enum: choices, examples, default: preset } = resolved(property);
  expect(description).toMatch(/^[\w-].*\.$/s);
  if (type === 'string' || (Array.isArray(type) && type.includes('string'))) {
    expect(choices ?? examples ?? preset).toBeDefined();
  }
});

test('its examples and defaults are valid by itself', () => {
  for (const [path, property] of PLACES) {
    const whole = resolved(property);
    for (const example of [...(whole.examples ?? []), ...('default' in whole ? [whole.default] : [])]) {
      const valid = compile(whole);
      expect([path, example, valid(example) || valid.errors]).toEqual([path, example, true]);
    }
  }
});

test('it knows the capabilities that CloudFormation can deny', () => {
  const source = readFileSync(path.join(path.dirname(require.resolve('aws-cdk-lib/package.json')), GENERATED), 'utf8');
  const start = source.indexOf('function convertCfnCustomPermissionsCapabilitiesPropertyToCloudFormation(');
  const body = source.slice(start, source.indexOf('function', start + 1));
  const names = [...body.matchAll(/(\w+):cdk\(\)\.stringToCloudFormation/g)].map(([, name]) => name!);
  expect(names.length).toBeGreaterThan(100);
  expect(schema.$defs.capability.enum).toEqual(names.sort());
});
