import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { CfnCustomPermissions, CfnGroup } from 'aws-cdk-lib/aws-quicksight';
import type { CloudAssembly } from 'aws-cdk-lib/cx-api';
import { QuickSightUserProvider, QuickSightUsers, type QuickSightUsersProps } from '../../lib';

const USER = 'Custom::QuickSightUser';
const STACK = 'AWS::CloudFormation::Stack';

let folder: string;
beforeAll(() => (folder = mkdtempSync(path.join(tmpdir(), 'users-'))));
afterAll(() => rmSync(folder, { recursive: true }));

interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, any>;
  readonly DependsOn?: string[];
}

function declare(stack: Stack, content: string, props: Partial<QuickSightUsersProps> = {}): QuickSightUsers {
  const file = path.join(folder, 'users.yaml');
  writeFileSync(file, content);
  return new QuickSightUsers(stack, 'People', { files: [file], ...props });
}

function usersFile(number: number, email = (name: string) => `${name}@example.com`): string {
  const entry = (name: string) => `  - { userName: ${name}, email: ${email(name)}, role: READER }`;
  return ['users:', ...Array.from({ length: number }, (_, index) => entry(`user${index}`))].join('\n');
}

/** All problems, without the folder that the file is in. */
function problems(content: string, props?: Partial<QuickSightUsersProps>): string[] {
  try {
    declare(new Stack(new App(), 'Team'), content, props);
  } catch (error) {
    return (error as Error).message.split('\n').map((line) => line.replace(folder + path.sep, ''));
  }
  return [];
}

/** The templates of the stack and of those nested in it, by the nested stack's construct id. */
function synthesize(build: (stack: Stack) => void): Record<string, { Resources: Record<string, Resource> }> {
  const app = new App({ outdir: mkdtempSync(path.join(folder, 'out-')), analyticsReporting: false });
  const stack = new Stack(app, 'Team');
  build(stack);
  const assembly: CloudAssembly = app.synth();
  const nested = stack.node.findAll().filter((child): child is Stack => Stack.isStack(child) && child !== stack);
  const read = (file: string) => JSON.parse(readFileSync(path.join(assembly.directory, file), 'utf8'));
  return Object.fromEntries([stack, ...nested].map((one) => [one.node.id, read(one.templateFile)]));
}

const ofType = (template: { Resources: Record<string, Resource> }, type: string) =>
  Object.entries(template.Resources).filter(([, { Type }]) => Type === type);

const TEAM = `
groups:
  analysts: Makes dashboards
  staff:
customPermissions:
  no-exports: { deny: [ExportToCsv, ExportToExcel] }
users:
  - { userName: ana, email: ana@example.com, role: AUTHOR, groups: [analysts, staff], tags: { team: sales } }
  - { userName: ben, email: ben@example.com, role: READER, customPermissionsName: no-exports, groups: [elsewhere] }
  - { iamRole: data/Analysts, sessionName: carla, email: carla@example.com, role: READER, onExisting: adopt }
namespaces:
  partners:
    groups:
      staff: Of partners
    users:
      - { userName: ana, email: ana@example.net, role: READER, groups: [staff], removalPolicy: retain }
`;

describe('users, groups and custom permissions of a file', () => {
  const team = () => {
    const stack = new Stack(new App(), 'Team');
    const users = declare(stack, TEAM);
    return { stack, users, template: Template.fromStack(stack) };
  };

  test('become resources of the stack', () => {
    const { template } = team();
    template.resourceCountIs(USER, 4);
    template.resourceCountIs('AWS::QuickSight::Group', 3);
    template.hasResourceProperties(USER, { UserName: 'ana', Namespace: 'default', GroupNames: ['analysts', 'staff'] });
    template.hasResourceProperties(USER, { Email: 'carla@example.com', OnExisting: 'ADOPT', SessionName: 'carla' });
    template.hasResource(USER, {
      Properties: { Namespace: 'partners', GroupNames: ['staff'] },
      DeletionPolicy: 'RetainExceptOnCreate',
    });
  });

  test('depend on what they need of it, and on nothing else', () => {
    const { template } = team();
    const needs = Object.fromEntries(
      ofType(template.toJSON() as never, USER).map(([, { Properties, DependsOn = [] }]) => [
        Properties.Email,
        DependsOn,
      ]),
    );
    expect(needs).toEqual({
      'ana@example.com': [
        expect.stringMatching(/^\w+Groupsdefaultanalysts/),
        expect.stringMatching(/Groupsdefaultstaff/),
      ],
      'ben@example.com': [expect.stringMatching(/CustomPermissionsnoexports/)],
      'carla@example.com': [],
      'ana@example.net': [expect.stringMatching(/Groupspartnersstaff/)],
    });
  });

  test('are found by name', () => {
    const { stack, users } = team();
    expect(users.users.map(({ node }) => node.id)).toEqual([
      'default:ana',
      'default:ben',
      'default:Analysts%2Fcarla',
      'partners:ana',
    ]);
    expect(stack.resolve(users.user('Analysts/carla').userArn)).toEqual({
      'Fn::GetAtt': [expect.stringMatching(/carla/), 'Arn'],
    });
    expect(users.user('ana', 'partners').namespace).toBe('partners');
    expect(() => users.user('eva')).toThrow('Team/People: no user "eva" is declared in namespace "default"');
  });
});

test('no files at all are a mistake, which would delete everybody', () => {
  expect(() => new QuickSightUsers(new Stack(new App(), 'Team'), 'People', { files: [] })).toThrow(
    'QuickSightUsers Team/People: files is empty: name at least one users file or pattern',
  );
});

test('a group that exists already is not made, and nobody waits for it', () => {
  const content =
    'groups: { staff: { existing: true, role: READER } }\nusers: [{ userName: ana, email: ana@example.com, groups: [staff] }]';
  const { Team } = synthesize((stack) => declare(stack, content));
  expect(ofType(Team!, 'AWS::QuickSight::Group')).toEqual([]);
  const [[, user]] = ofType(Team!, USER) as [[string, Resource]];
  expect(user).toMatchObject({ Properties: { UserRole: 'READER', GroupNames: ['staff'] } });
  expect(user.DependsOn?.filter((id) => id.includes('staff')) ?? []).toEqual([]);
});

test("groups and custom permissions are rendered as by CDK's own constructs", () => {
  const stack = new Stack(new App(), 'Team');
  declare(stack, TEAM);
  const other = new Stack(new App(), 'Team');
  new CfnGroup(other, 'Group', { groupName: 'analysts', namespace: 'default', description: 'Makes dashboards' });
  new CfnCustomPermissions(other, 'Profile', {
    awsAccountId: other.account,
    customPermissionsName: 'no-exports',
    capabilities: { exportToCsv: 'DENY', exportToExcel: 'DENY' },
  });
  const [ours, theirs] = [stack, other].map((one) => Object.values(Template.fromStack(one).toJSON().Resources));
  expect(ours).toEqual(expect.arrayContaining(theirs as unknown[]));
});

test('several files and patterns make one declaration', () => {
  for (const name of ['ana', 'ben']) {
    writeFileSync(
      path.join(folder, `team-${name}.yaml`),
      `users: [{ userName: ${name}, email: a@example.com, role: READER }]`,
    );
  }
  const stack = new Stack(new App(), 'Team');
  new QuickSightUsers(stack, 'People', { files: [path.join(folder, 'team-*.yaml')] });
  Template.fromStack(stack).resourceCountIs(USER, 2);
});

test('all users share the provider that is given', () => {
  const stack = new Stack(new App(), 'Team');
  const provider = new QuickSightUserProvider(stack, 'Mine', { namespaces: ['default'] });
  declare(stack, usersFile(3), { provider, shards: 2 });
  Template.fromStack(stack).resourceCountIs('AWS::Lambda::Function', 1);
});

test('there are outputs only when they are asked for', () => {
  const stack = new Stack(new App(), 'Team');
  declare(stack, usersFile(2));
  expect(Template.fromStack(stack).findOutputs('*')).toEqual({});
});

describe('nested stacks', () => {
  test('hold the users beyond 490, and the root holds the rest', () => {
    const { Team, ...shards } = synthesize((stack) => declare(stack, `groups: { staff: }\n${usersFile(490)}`));
    expect(Object.keys(shards)).toHaveLength(32);
    expect(ofType(Team!, USER)).toEqual([]);
    expect(ofType(Team!, 'AWS::QuickSight::Group')).toHaveLength(1);
    expect(Object.values(shards).flatMap((shard) => ofType(shard, USER))).toHaveLength(490);
    // The provider, the group, the nested stacks.
    expect(Object.keys(Team!.Resources)).toHaveLength(3 + 1 + 32);
    expect(synthesize((stack) => declare(stack, usersFile(490)))).toEqual({ Team: expect.anything() });
  });

  test('give users the logical ids that they have in the stack itself', () => {
    const ids = (shards?: number) =>
      Object.values(synthesize((stack) => void new QuickSightUsers(stack, 'Default', { ...sample(), shards })))
        .flatMap((template) => ofType(template, USER).map(([id]) => id))
        .sort();
    const sample = () => {
      declare(new Stack(new App(), 'Other'), TEAM);
      return { files: [path.join(folder, 'users.yaml')] };
    };
    expect(ids(3)).toEqual(ids());
  });

  test('are deployed two at a time, after the groups and profiles', () => {
    const { Team } = synthesize((stack) => declare(stack, `groups: { staff: }\n${usersFile(60)}`, { shards: 5 }));
    const waitsFor = ofType(Team!, STACK).map(([id, { DependsOn = [] }]) => [
      /Shard\d/.exec(id)![0],
      DependsOn.map((other) => /Shard\d|Groups/.exec(other)![0]),
    ]);
    expect(Object.fromEntries(waitsFor)).toEqual({
      Shard1: ['Groups'],
      Shard2: ['Groups'],
      Shard3: ['Shard1'],
      Shard4: ['Shard2'],
      Shard5: ['Shard3'],
    });
  });

  test('that would be empty are left out, and the others keep their order', () => {
    const { Team } = synthesize((stack) => declare(stack, usersFile(3), { shards: 40 }));
    const shards = ofType(Team!, STACK);
    expect(shards.length).toBeLessThan(4);
  });

  test('a change of one user changes one resource of one nested stack, and its place in the root', () => {
    const at = (email: string) =>
      synthesize((stack) =>
        declare(
          stack,
          usersFile(600, (name) => (name === 'user77' ? email : `${name}@example.com`)),
        ),
      );
    const [before, after] = [at('old@example.com'), at('new@example.com')];
    const changed = Object.keys(before).flatMap((stack) =>
      Object.entries(after[stack]!.Resources)
        .filter(([id, resource]) => JSON.stringify(resource) !== JSON.stringify(before[stack]!.Resources[id]))
        .map(([id, { Type }]) => ({ stack, id, Type })),
    );
    expect(changed).toEqual([
      { stack: 'Team', id: expect.stringMatching(/^People(Shard\d+)/), Type: STACK },
      { stack: expect.stringMatching(/^Shard/), id: expect.stringMatching(/user77/), Type: USER },
    ]);
    const properties = ({ Team }: typeof before) => Team!.Resources[changed[0]!.id]!.Properties;
    expect({ ...properties(after), TemplateURL: '' }).toEqual({ ...properties(before), TemplateURL: '' });
  });

  test('a user who comes or goes moves nobody', () => {
    const places = (number: number) =>
      new Map(
        Object.entries(synthesize((stack) => declare(stack, usersFile(number), { shards: 7 }))).flatMap(
          ([stack, template]) => ofType(template, USER).map(([id]) => [id, stack] as const),
        ),
      );
    const [few, many] = [places(50), places(60)];
    for (const [id, stack] of few) expect(many.get(id)).toBe(stack);
  });

  test('firstShards leaves out all others', () => {
    const all = synthesize((stack) => declare(stack, usersFile(60), { shards: 5 }));
    const { Team, ...some } = synthesize((stack) => declare(stack, usersFile(60), { shards: 5, firstShards: 2 }));
    expect(some).toEqual({ Shard1: all.Shard1, Shard2: all.Shard2 });
    for (const [id, resource] of Object.entries(Team!.Resources)) expect(resource).toEqual(all.Team!.Resources[id]);
  });
});

describe('refused is', () => {
  test('a shard that would be too full for a stack', () => {
    expect(problems(usersFile(501), { shards: 1 })).toEqual([
      'shard 1 of 1 would have 501 users, and CloudFormation allows 500 resources in a stack: give more shards',
    ]);
  });

  test('a shard whose template would be too long', () => {
    const tags = Array.from({ length: 44 }, (_, index) => `t${index}: ${'x'.repeat(256)}`).join(', ');
    expect(problems(`defaults: { tags: { ${tags} } }\n${usersFile(100)}`, { shards: 1 })).toEqual([
      expect.stringMatching(
        /^shard 1 of 1 would have a template of 1\d{6} bytes, and CloudFormation takes 1048576: give more shards$/,
      ),
    ]);
  });

  test.each([
    [{ shards: 0 }, 'shards 0 is not a whole number from 1 to 400'],
    [{ shards: 1.5 }, 'shards 1.5 is not a whole number from 1 to 400'],
    [{ shards: NaN, firstShards: 0 }, 'shards NaN is not a whole number from 1 to 400; firstShards 0 is not a whole'],
    [{ shards: 4, firstShards: 5 }, 'firstShards 5 is not a whole number from 1 to 4, the shards'],
    [
      { firstShards: 2 },
      'firstShards 2 does not apply: up to 490 users, groups and custom permissions are in no nested',
    ],
  ])('%j', (props, message) => {
    const [said] = problems(usersFile(1), props);
    expect(said).toContain(`QuickSightUsers Team/People: ${message}`);
  });

  test('what the library refuses, at the place of its entry', () => {
    expect(problems('users:\n  - { userName: a/../b, email: b@example.com, role: READER }')).toEqual([
      'users.yaml:2:5 userName "a/../b" has "." or ".." for a path segment: use another name',
    ]);
  });
});

test('the longest template that is accepted is one that CloudFormation takes', () => {
  const many = (prefix: string, value: string) => Array.from({ length: 40 }, (_, index) => `${prefix}${index}${value}`);
  const defaults = `defaults: { tags: { ${many('t', ': x').join(', ')} }, groups: [${many('g', '').join(', ')}] }`;
  const file = (number: number) => `${defaults}\n${usersFile(number)}`;
  const most = [500, 450, 400, 350, 300, 250, 200].find(
    (number) => problems(file(number), { shards: 1 }).length === 0,
  )!;
  const { Shard1 } = synthesize((stack) => declare(stack, file(most), { shards: 1 }));
  const bytes = JSON.stringify(Shard1, undefined, 1).length;
  expect(bytes).toBeGreaterThan(600_000);
  expect(bytes).toBeLessThan(1024 * 1024);
});

test('an unusual e-mail address is a warning at its user', () => {
  const stack = new Stack(new App(), 'Team');
  declare(stack, 'users: [{ userName: ana, email: ana, role: READER }]');
  Annotations.fromStack(stack).hasWarning('/Team/People/default:ana', Match.stringLikeRegexp('unusual form'));
});
