import { isOwnTag } from '../../lambda/holder';
import { MAX_TAGS } from '../../lib/private/user-resource';
import { nameFaults, userProblems } from '../../lib/private/validate';
import type { DeclaredIdentity } from '../users-declaration';
import { wireIdentity } from '../users-file-layers';
import { tagsTooMany } from './plan';
import { compare, GONE, type LiveAccount, type LiveUser } from './live-users';
import { printable } from '../terminal';
import { count, person } from './person';

/** Where the users come from, for the head of the file. */
export interface Origin {
  readonly accountId: string;
  readonly identityRegion: string;
}

export interface Export {
  /** The users file. */
  readonly text: string;
  readonly users: number;
  readonly groups: number;
  /** Users and groups that no file can declare: they are comments. */
  readonly left: number;
}

/**
 * A users file that declares the account as it is: each user is adopted, and nothing of it changes.
 *
 * Written by hand rather than as a YAML document: that of ten thousand users with their comments takes more memory than
 * all the rest of the command.
 */
export function exportFile(
  { users, groups }: LiveAccount,
  tags: ReadonlyMap<LiveUser, ReadonlyMap<string, string>>,
  origin: Origin,
): Export {
  const memberships = new Map<string, string[]>();
  const [nameable, unnameable] = [true, false].map((is) => groups.filter(({ name }) => isNameable(name) === is));
  for (const { namespace, name, members } of nameable!) {
    for (const member of members) {
      const key = `${namespace}/${member}`;
      memberships.set(key, [...(memberships.get(key) ?? []), name]);
    }
  }
  const entries: string[] = [];
  const left: string[] = [];
  for (const user of users) {
    const identity = identityOf(user);
    const reason = typeof identity === 'string' ? identity : unusable(user, identity, tags.get(user));
    if (typeof identity === 'string' || reason !== undefined) {
      const told = `${person(user)}: ${user.role || 'no role'}, ${user.email || 'no e-mail address'}, ${user.principalId}`;
      left.push(`#   ${printable(told)}\n#     ${printable(reason!)}\n`);
      continue;
    }
    const own = [...(tags.get(user) ?? [])].filter(([key]) => !isOwnTag(key) && !key.startsWith('aws:'));
    entries.push(entry(user, identity, memberships.get(`${user.namespace}/${user.name}`) ?? [], own));
  }
  for (const group of unnameable!) {
    const [fault] = nameFaults(group.name);
    left.push(
      `#   group ${printable(person(group))}: ${count(group.members.size, 'member')}\n#     Its name ${fault}.\n`,
    );
  }
  const text = [
    head(origin),
    groupSections(nameable!),
    ...(entries.length > 0 ? ['users:\n', ...entries] : ['users: []\n']),
    ...(left.length > 0 ? [`\n# Not declared, because no users file can:\n#\n`, ...left] : []),
  ].join('');
  return { text, users: entries.length, groups: nameable!.length, left: left.length };
}

function head({ accountId, identityRegion }: Origin): string {
  const lines = [
    `The users of QuickSight account ${accountId} (${identityRegion}), as quicksight-users export found them.`,
    '',
    'Each is adopted as it is: a deployment of this file changes nothing about them but its own tags. From then on',
    'the file decides, and a user whose entry is removed is deleted. Remove the default when all of them are adopted.',
    '',
    'QuickSight does not tell the ARN of an IAM identity. A role or user of IAM stands here by its name alone: where it',
    'has a path, put that before the name (teams/DataTeam), or its ARN in its place. Roles of IAM Identity Center,',
    'AWSReservedSSO_…, have the path aws-reserved/sso.amazonaws.com/, mostly with a region after it.',
  ];
  const comment = lines.map((line) => printable(line).replace(/^/, '# ').trimEnd());
  return `${comment.join('\n')}\n\ndefaults:\n  onExisting: adopt\n\n`;
}

/** The groups of the default namespace, and a section for those of each other one. No deployment makes what exists. */
function groupSections(groups: LiveAccount['groups']): string {
  const lines: string[] = [];
  const list = (namespace: string, indent: string) => {
    for (const { name, description } of groups.filter((group) => group.namespace === namespace)) {
      const told = description ? `description: ${scalar(description)}, ` : '';
      lines.push(`${indent}${scalar(name)}: { ${told}existing: true }`);
    }
  };
  const namespaces = [...new Set(groups.map(({ namespace }) => namespace))];
  if (namespaces.includes('default')) {
    lines.push('groups:');
    list('default', '  ');
    lines.push('');
  }
  const others = namespaces.filter((namespace) => namespace !== 'default');
  if (others.length > 0) lines.push('namespaces:');
  for (const namespace of others) {
    lines.push(`  ${scalar(namespace)}:`, '    groups:');
    list(namespace, '      ');
  }
  if (others.length > 0) lines.push('');
  return lines.map((line) => `${line}\n`).join('');
}

function isNameable(group: string): boolean {
  return [...nameFaults(group)].length === 0;
}

/** How a file names the user, or why none can. */
function identityOf({ name, identityType, principalId }: LiveUser): DeclaredIdentity | string {
  if (name === GONE) {
    return 'Its IAM identity is gone. Nobody can sign in as it; delete-user-by-principal-id removes it.';
  }
  if (identityType === 'QUICKSIGHT') return { userName: name };
  if (identityType !== 'IAM') return `Its identity type is ${identityType || 'not told'}, which files do not declare.`;
  // federated/iam/AIDA… is a user of IAM, federated/iam/AROA…:<session> the session of a role. Of a principal that is
  // neither, the name still tells: no name in IAM has a slash in it.
  const [, id = '', session] = /^federated\/iam\/([^:]*)(?::(.*))?$/.exec(principalId) ?? [];
  const slash = name.indexOf('/');
  if (slash > 0 && !id.startsWith('AIDA')) return { iamRole: name.slice(0, slash), sessionName: name.slice(slash + 1) };
  if (session === undefined && !/^\d{12}$/.test(id)) return { iamUser: name };
  return 'Neither its name nor its principal tells an IAM user or a session of a role.';
}

const ROLES = ['READER', 'AUTHOR', 'ADMIN', 'READER_PRO', 'AUTHOR_PRO', 'ADMIN_PRO'];

/** Why the user, as it is, would be refused when it is declared. */
function unusable(
  { namespace, email, role }: LiveUser,
  identity: DeclaredIdentity,
  tags: ReadonlyMap<string, string> = new Map(),
): string | undefined {
  if (!ROLES.includes(role)) return `Its role ${role} is none that can be declared.`;
  const [problem] = userProblems({ ...wireIdentity(identity), Namespace: namespace, Email: email, UserRole: role });
  if (problem) return `${problem.property} ${problem.text}.`;
  const surplus = tagsTooMany([...tags.keys()]);
  return surplus && `It ${surplus}.`;
}

function entry(
  user: LiveUser,
  identity: DeclaredIdentity,
  groups: readonly string[],
  tags: readonly (readonly [string, string])[],
): string {
  const lines = Object.entries(identity).map(([key, value]) => `${key}: ${scalar(value)}`);
  if (user.namespace !== 'default') lines.push(`namespace: ${scalar(user.namespace)}`);
  lines.push(`email: ${scalar(user.email)}`, `role: ${user.role}`);
  if (groups.length > 0) {
    lines.push(`groups: [${[...groups].sort(compare).map(scalar).join(', ')}]`);
  }
  if (user.customPermissionsName) lines.push(`customPermissionsName: ${scalar(user.customPermissionsName)}`);
  if (user.externalLogin) {
    const { type, providerUrl = '', loginId } = user.externalLogin;
    lines.push('externalLogin:');
    if (type === 'COGNITO') lines.push(`  cognito: { loginId: ${scalar(loginId)} }`);
    else lines.push('  customOidc:', `    providerUrl: ${scalar(providerUrl)}`, `    loginId: ${scalar(loginId)}`);
  }
  if (tags.length > 0) {
    lines.push('tags:');
    const declared = [...tags].sort(([a], [b]) => compare(a, b)).slice(0, MAX_TAGS);
    lines.push(...declared.map(([key, value]) => `  ${scalar(key)}: ${scalar(value)}`));
    // What is not declared stays as it is.
    if (tags.length > MAX_TAGS) lines.push(`  # and ${count(tags.length - MAX_TAGS, 'tag')} more than can be declared`);
  }
  return lines.map((line, index) => `${index === 0 ? '  - ' : '    '}${line}\n`).join('');
}

/** A text as YAML: plain where no reader can take it for anything else, in double quotes otherwise. */
function scalar(text: string): string {
  const isPlain = /^[A-Za-z_\u00c0-\u00ff]([\w .@+/\u00c0-\u00ff-]*[\w@+/\u00c0-\u00ff-])?$/.test(text);
  // Of YAML 1.1, too: other tools read the file as well.
  if (isPlain && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(text)) return text;
  return JSON.stringify(text).replaceAll(/[\x7f-\x9f]/g, (control) => `\\x${control.charCodeAt(0).toString(16)}`);
}
