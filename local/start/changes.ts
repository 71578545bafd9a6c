import { isDeepStrictEqual } from 'node:util';
import { Template, TemplateResource } from '../cloudformation/template';

/** One thing that a deployment does, in people's terms. */
export interface Change {
  readonly mark: '+' | '~' | '-';
  readonly text: string;
  /** What QuickSight calls the user that it is about, if it is about one. */
  readonly user?: string;
}

interface Tag {
  readonly Key: string;
  readonly Value: string;
}

/** Whether a resource declares a user. */
export function isUser(resource: TemplateResource | undefined): resource is TemplateResource {
  return resource?.Type === 'Custom::QuickSightUser';
}

/** Whether a user that exists is taken over, rather than refused. */
export function isAdopting({ Properties }: TemplateResource): boolean {
  return Properties?.OnExisting === 'ADOPT';
}

/** What changes between two templates: what is added, then changed, then removed, and the rest in one line. */
export function changes(before: Template, after: Template): Change[] {
  const [old, now] = [before.Resources ?? {}, after.Resources ?? {}];
  const found: Change[] = [];
  let others = 0;
  for (const id of new Set([...Object.keys(now), ...Object.keys(old)])) {
    const [from, to] = [old[id], now[id]];
    if (isDeepStrictEqual(from, to)) continue;
    const shared = sharedName((to ?? from)!);
    if (shared) found.push({ mark: !from ? '+' : !to ? '-' : '~', text: shared });
    else if (!isUser(to ?? from)) others++;
    else if (!from) found.push(change('+', to!, summary(to!)));
    else if (!to) found.push(change('-', from, farewell(from)));
    else found.push(change('~', to, differences(from, to).join(', ')));
  }
  found.sort((a, b) => '+~-'.indexOf(a.mark) - '+~-'.indexOf(b.mark) || a.text.localeCompare(b.text));
  if (others) {
    const mark = Object.keys(old).length ? '~' : '+';
    found.push({ mark, text: `the provider behind the users: ${others} ${others === 1 ? 'resource' : 'resources'}` });
  }
  return found;
}

/** What people call what a resource declares: a user, or what users share. */
export function nameOf(resource: TemplateResource): string | undefined {
  return isUser(resource) ? userName(resource) : sharedName(resource);
}

/** What QuickSight calls the user that this resource declares, with its namespace where that is not the default one. */
export function userName({ Properties = {} }: TemplateResource): string {
  const { UserName, IamArn, SessionName, Namespace } = Properties as Readonly<Record<string, string>>;
  const iamName = text(IamArn).split('/').at(-1);
  const name = UserName ?? (SessionName ? `${iamName}/${SessionName}` : iamName);
  return nameIn(`${Namespace}`, `${name}`);
}

/** A user's name as it is shown. */
export function nameIn(namespace: string, name: string): string {
  return namespace === 'default' ? name : `${name} (${namespace})`;
}

/** What users share: a group, or a profile of custom permissions. */
function sharedName({ Type, Properties = {} }: TemplateResource): string | undefined {
  if (Type === 'AWS::QuickSight::Group') return `group ${text(Properties.GroupName)}`;
  if (Type === 'AWS::QuickSight::CustomPermissions')
    return `custom permissions ${text(Properties.CustomPermissionsName)}`;
  return undefined;
}

function change(mark: Change['mark'], resource: TemplateResource, what: string): Change {
  const user = userName(resource);
  return { mark, user, text: `${user}: ${what}` };
}

function summary(resource: TemplateResource): string {
  const { UserRole, Email } = resource.Properties ?? {};
  return `${text(UserRole)}, ${text(Email)}${isAdopting(resource) ? ', adopted if it exists' : ''}`;
}

function farewell(resource: TemplateResource): string {
  return isKept(resource) ? 'stays in QuickSight, no longer managed' : 'leaves QuickSight';
}

function isKept({ DeletionPolicy }: TemplateResource): boolean {
  return DeletionPolicy?.startsWith('Retain') === true;
}

const LABELS: Readonly<Record<string, string>> = {
  UserName: 'name',
  SessionName: 'session',
  Namespace: 'namespace',
  UserRole: 'role',
  Email: 'e-mail',
  IdentityType: 'identity',
  IamArn: 'IAM ARN',
  CustomPermissionsName: 'custom permissions',
  ExternalLoginFederationProviderType: 'external login',
  CustomFederationProviderUrl: 'login provider',
  ExternalLoginId: 'login id',
  GroupNames: 'groups',
  OnExisting: 'existing user',
  InvitationVersion: 'invitation',
};

function differences(from: TemplateResource, to: TemplateResource): string[] {
  const [old, now] = [from.Properties ?? {}, to.Properties ?? {}];
  const changed = [...new Set([...Object.keys(old), ...Object.keys(now)])].filter(
    (key) => !isDeepStrictEqual(old[key], now[key]),
  );
  const told = changed.flatMap((key) => {
    if (key === 'Tags') return tagDifferences(old[key] as Tag[] | undefined, now[key] as Tag[] | undefined);
    return `${LABELS[key] ?? key} ${text(old[key])} → ${text(now[key])}`;
  });
  const removal = (resource: TemplateResource) => (isKept(resource) ? 'stay' : 'leave');
  if (isKept(from) !== isKept(to)) told.push(`on removal ${removal(from)} → ${removal(to)}`);
  return told.length ? told : ['settings of its resource'];
}

function tagDifferences(old: readonly Tag[] = [], now: readonly Tag[] = []): string[] {
  const value = (tags: readonly Tag[], key: string) => tags.find((tag) => tag.Key === key)?.Value;
  const keys = [...new Set([...old, ...now].map((tag) => tag.Key))];
  return keys
    .filter((key) => value(old, key) !== value(now, key))
    .map((key) => `tag ${key} ${text(value(old, key))} → ${text(value(now, key))}`);
}

/** A property as people read it. The only function among them is Fn::Join, around pseudo parameters in ARNs. */
function text(value: unknown): string {
  if (value === undefined) return 'none';
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(text).join(', ');
  const join = (value as { 'Fn::Join'?: [string, unknown[]] })['Fn::Join'];
  if (join) return join[1].map(text).join(join[0]);
  const ref = (value as { Ref?: string }).Ref;
  return ref === undefined ? JSON.stringify(value) : `<${ref.replace('AWS::', '')}>`;
}
