import { resourceOfArn, userNameOf } from './user-arn';
import { MAX_TAGS, TAG_PREFIX, type Tag, type UserResourceProperties } from './user-resource';

/*
 * What can be known to be wrong with a user before QuickSight is asked. Pure, and free of aws-cdk-lib: the construct
 * checks what is known at synth, and the handler checks the rest, which was tokens then.
 */

/** One thing that is wrong with a user, with the property it is about. */
export interface Problem {
  readonly property: keyof UserResourceProperties;
  /** Value, reason and way out, to be read after the property's name. */
  readonly text: string;
}

/** Whether a value can be judged: at synth a token cannot, in the handler everything can. */
export type IsKnown = (value: string) => boolean;

type Declared = Partial<UserResourceProperties>;
type Problems = Generator<Problem, void, undefined>;

/** All that is wrong with the properties of a user. Of a property that is missing, only what others require is said. */
export function userProblems(properties: Declared, isKnown: IsKnown = () => true): Problem[] {
  return [
    ...formProblems(properties, isKnown),
    ...identityProblems(properties, isKnown),
    ...nameProblems(properties, isKnown),
    ...loginProblems(properties),
    ...invitationProblems(properties, isKnown),
    ...groupProblems(properties.GroupNames ?? [], isKnown),
    ...tagProblems(properties.Tags ?? [], isKnown),
  ];
}

const FORMS: readonly [
  property: Exclude<keyof UserResourceProperties, 'Tags' | 'GroupNames'>,
  form: RegExp,
  text: string,
][] = [
  ['AwsAccountId', /^\d{12}$/, 'is not the id of an AWS account: give its 12 digits'],
  [
    'Namespace',
    /^(?!\.{1,2}$)[a-zA-Z0-9._-]{1,64}$/,
    'is not a namespace: use 1 to 64 of a-z A-Z 0-9 . _ -, and neither . nor ..',
  ],
  ['SessionName', /^[\w+=.@-]{2,64}$/, 'is not a role session name: use 2 to 64 of a-z A-Z 0-9 _ + = . @ -'],
  ['Email', /^[^\x00-\x1f\x7f]+$/, 'is not an e-mail address: QuickSight requires one, without control characters'],
  ['UserRole', /^[A-Z][A-Z_]*$/, 'is not spelled as QuickSight spells roles: use capital letters, as in AUTHOR_PRO'],
  [
    'UserRole',
    /^(?!RESTRICTED_)/,
    'is in the API of QuickSight, but is not available for use: use READER or AUTHOR, with custom permissions',
  ],
  [
    'CustomPermissionsName',
    /^[a-zA-Z0-9+=,.@_-]{1,64}$/,
    'is not the name of custom permissions: use 1 to 64 of a-z A-Z 0-9 + = , . @ _ -',
  ],
  [
    'CustomFederationProviderUrl',
    /^https:\/\/[^\s/]+\S*$/,
    'is not an https address: give one like https://login.example.com',
  ],
  ['OnExisting', /^(FAIL|ADOPT)$/, 'is not one of FAIL and ADOPT'],
  ['InvitationVersion', /^.{1,256}$/s, 'is not an invitation version: use 1 to 256 characters'],
  [
    'InvitationSecretArn',
    /^arn:[a-z-]+:secretsmanager:[a-z]+(-[a-z]+)+-\d+:\d{12}:secret:[\w/+=.@-]+$/,
    'is not the ARN of a secret: give one like arn:aws:secretsmanager:us-east-1:111122223333:secret:invitation-AbCdEf',
  ],
];

/** What is wrong with the form of properties that can be judged each by itself. */
export function* formProblems(properties: Declared, isKnown: IsKnown = () => true): Problems {
  for (const [property, form, text] of FORMS) {
    const value = properties[property];
    if (value !== undefined && isKnown(value) && !form.test(value)) yield { property, text: `${quote(value)} ${text}` };
  }
}

function* identityProblems({ IdentityType, UserName, IamArn, SessionName }: Declared, isKnown: IsKnown): Problems {
  if (IdentityType === 'IAM') {
    if (UserName !== undefined) {
      yield surplus('UserName', UserName, 'QuickSight derives the name of an IAM user from the ARN');
    }
    if (IamArn === undefined) yield missing('IamArn', 'identity type IAM needs the ARN of an IAM user or role');
    else yield* iamArnProblems(IamArn, SessionName, isKnown);
  } else if (IdentityType === 'QUICKSIGHT' || IdentityType === 'IAM_IDENTITY_CENTER') {
    if (UserName === undefined) yield missing('UserName', `identity type ${IdentityType} needs a user name`);
    if (IamArn !== undefined) yield surplus('IamArn', IamArn, `identity type ${IdentityType} has a user name only`);
    if (SessionName !== undefined) {
      yield surplus('SessionName', SessionName, `identity type ${IdentityType} has a user name only`);
    }
  } else {
    const text = `${quote(IdentityType ?? '')} is not one of IAM, QUICKSIGHT and IAM_IDENTITY_CENTER`;
    yield { property: 'IdentityType', text };
  }
}

function* iamArnProblems(arn: string, sessionName: string | undefined, isKnown: IsKnown): Problems {
  const wrong = (text: string): Problem => ({ property: 'IamArn', text: `${quote(arn)} ${text}` });
  const parsed = resourceOfArn(arn);
  if (!parsed) {
    if (isKnown(arn)) yield wrong('is not an ARN: give one like arn:aws:iam::111122223333:user/ana');
    return;
  }
  // Partition and account of an ARN are often tokens when the rest is known.
  const { service, resource } = parsed;
  const [kind = '', ...path] = resource.split('/');
  if (!isKnown(service) || !isKnown(kind)) return;
  if (service === 'sts' && kind === 'assumed-role') {
    const remedy = `give the ARN of the IAM role ${path[0]}, and ${quote(path[1] ?? '')} as session name`;
    yield wrong(`is the ARN of a session: ${remedy}`);
  } else if (resource === 'root') {
    yield wrong('is the root of an account, which QuickSight does not register: give an IAM user or role');
  } else if (service !== 'iam' || (kind !== 'user' && kind !== 'role') || !path.at(-1)) {
    yield wrong('is neither an IAM user nor an IAM role: give an ARN that ends in user/<name> or role/<name>');
  } else if (kind === 'user' && sessionName !== undefined) {
    yield surplus('SessionName', sessionName, `${quote(arn)} is an IAM user, and only roles have sessions`);
  } else if (kind === 'role' && sessionName === undefined) {
    yield missing(
      'SessionName',
      `${quote(arn)} is an IAM role, and QuickSight registers one user for each session of it`,
    );
  }
}

/** The rules for the name that the user will have in QuickSight, wherever it comes from. */
function* nameProblems({ IdentityType, UserName, IamArn, SessionName }: Declared, isKnown: IsKnown): Problems {
  const isIam = IdentityType === 'IAM';
  const name = isIam ? IamArn && userNameOf({ IamArn, SessionName }) : UserName;
  if (name === undefined || !isKnown(name)) return;
  const wrong = (text: string): Problem =>
    isIam
      ? { property: 'IamArn', text: `makes the user name ${quote(name)}, which ${text}` }
      : { property: 'UserName', text: `${quote(name)} ${text}` };
  for (const text of nameFaults(name)) if (name !== '' || !isIam) yield wrong(text);
}

function* groupProblems(groups: readonly string[], isKnown: IsKnown): Problems {
  const wrong = (name: string, text: string): Problem => ({ property: 'GroupNames', text: `${quote(name)} ${text}` });
  const seen = new Set<string>();
  for (const name of groups) {
    if (!isKnown(name)) continue;
    for (const text of nameFaults(name)) yield wrong(name, text);
    if (seen.has(name)) yield wrong(name, 'is given twice: keep one');
    seen.add(name);
  }
}

/** What is wrong with the name of a user or a group, to be read after it. */
export function* nameFaults(name: string): Generator<string> {
  if (name === '') yield 'is empty: give it at least one character';
  if (name.length > 256) yield `has ${name.length} characters: use at most 256`;
  // `DELETE …/users/..` is one path normalisation away from deleting the namespace with all its users.
  if (/(^|\/)\.{1,2}(\/|$)/.test(name)) yield 'has "." or ".." for a path segment: use another name';
  if (name.includes(';')) yield 'has a ";" that QuickSight does not support: use another name';
  if (/[^\x20-\x7e\xa0-\uffff]/.test(name)) yield 'has a control character: leave it out';
  if (/[^\x00-\xff]/.test(name)) yield 'has a character beyond Latin-1 (U+00FF) that QuickSight does not support';
}

function* loginProblems(properties: Declared): Problems {
  const {
    ExternalLoginFederationProviderType: type,
    CustomFederationProviderUrl: url,
    ExternalLoginId: id,
  } = properties;
  if (type === undefined && url === undefined && id === undefined) return;
  if (type !== 'COGNITO' && type !== 'CUSTOM_OIDC') {
    const text = `${quote(type ?? '')} is not one of COGNITO and CUSTOM_OIDC`;
    yield { property: 'ExternalLoginFederationProviderType', text };
  }
  if (!id) yield missing('ExternalLoginId', 'an external login needs the id of the user at the provider');
  if (type === 'CUSTOM_OIDC' && url === undefined) {
    yield missing('CustomFederationProviderUrl', 'CUSTOM_OIDC needs the address of the provider');
  }
  if (type === 'COGNITO' && url !== undefined) {
    yield surplus('CustomFederationProviderUrl', url, 'only CUSTOM_OIDC has it');
  }
}

function* invitationProblems(properties: Declared, isKnown: IsKnown): Problems {
  const { IdentityType } = properties;
  if (IdentityType !== 'IAM' && IdentityType !== 'IAM_IDENTITY_CENTER') return;
  for (const property of ['InvitationVersion', 'InvitationSecretArn'] as const) {
    const value = properties[property];
    if (value === undefined) continue;
    const why = `a user of identity type ${IdentityType} has no invitation`;
    // The ARN of a secret made in the app is a token, which says nothing to a person.
    yield isKnown(value) ? surplus(property, value, why) : { property, text: `does not apply: ${why}` };
  }
}

/** All that is wrong with a user's tags, by the rules of QuickSight and of this library. */
export function* tagProblems(tags: readonly Tag[], isKnown: IsKnown = () => true): Problems {
  const wrong = (text: string): Problem => ({ property: 'Tags', text });
  if (tags.length > MAX_TAGS) {
    yield wrong(
      `are ${tags.length}: use at most ${MAX_TAGS}, as QuickSight allows 50 and this library needs 6 of them`,
    );
  }
  const seen = new Map<string, string>();
  for (const { Key, Value } of tags) {
    if (isKnown(Value) && (Value.length < 1 || Value.length > 256)) {
      yield wrong(`${quote(Key)} has a value of ${Value.length} characters: use 1 to 256`);
    }
    if (!isKnown(Key)) continue;
    if (Key.length < 1 || Key.length > 128) yield wrong(`${quote(Key)} has ${Key.length} characters: use 1 to 128`);
    const lowerCase = Key.toLowerCase();
    const reserved = [TAG_PREFIX, 'aws:'].find((prefix) => lowerCase.startsWith(prefix));
    if (reserved) yield wrong(`${quote(Key)} begins with "${reserved}", which is reserved: use another key`);
    const twin = seen.get(lowerCase);
    if (twin === Key) yield wrong(`${quote(Key)} is given twice: keep one`);
    else if (twin !== undefined) yield wrong(`${quote(twin)} and ${quote(Key)} differ only in case: keep one`);
    seen.set(lowerCase, Key);
  }
}

/** What is wrong with an identity region, to be read after the word; undefined when nothing is. */
export function regionProblem(region: string): string | undefined {
  return /^[a-z]+(-[a-z]+)+-\d+$/.test(region)
    ? undefined
    : `${quote(region)} is not the name of a region: give one like us-east-1`;
}

/** Whether an e-mail address has an unusual form: QuickSight takes any, but a misspelt one helps nobody. */
export function isOddEmail(email: string): boolean {
  return !/^[^\s@]+@[^\s@.]+(\.[^\s@.]+)+$/.test(email);
}

function missing(property: Problem['property'], why: string): Problem {
  return { property, text: `is missing: ${why}` };
}

function surplus(property: Problem['property'], value: string, why: string): Problem {
  return { property, text: `${quote(value)} does not apply: ${why}` };
}

/** Quoted for a person, with whatever cannot be seen made visible. */
function quote(value: string): string {
  const shown = value.length > 300 ? `${value.slice(0, 300)}…` : value;
  return JSON.stringify(shown).replace(/[\x7f-\x9f]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);
}
