import { userNameOf } from '../lib/private/user-arn';
import type { UserResourceProperties } from '../lib/private/user-resource';
import { isOddEmail, userProblems } from '../lib/private/validate';
import { didYouMean } from './did-you-mean';
import type { DeclaredIdentity, DeclaredUser, Place, UsersDeclaration } from './users-declaration';
import { type Path, placeText, type Problem, type YamlFile } from './users-file-yaml';

/*
 * From the sections of users files to users with all defaults applied.
 *
 * What a user has is laid in layers, the weakest first: defaults of the file, of its environment, of the namespace, of the
 * namespace in the environment; then the user's entry, the session in it, and both again from the environment. Groups and
 * tags of all layers add up, of anything else the strongest layer counts.
 */

/** A users file, and the paths at which it breaks the schema. */
export interface WellFormedFile extends Pick<YamlFile, 'content' | 'placeOf'> {
  readonly broken: readonly Path[];
}

/** What an entry, a session or defaults can say, as users.schema.json describes it. */
interface Values {
  readonly userName?: string;
  readonly iamUser?: string;
  readonly iamRole?: string;
  readonly sessionName?: string;
  readonly sessions?: readonly (string | Values)[];
  readonly email?: string;
  readonly role?: string;
  readonly namespace?: string;
  readonly groups?: readonly string[];
  readonly customPermissionsName?: string | false;
  readonly externalLogin?: {
    readonly cognito?: { readonly loginId: string };
    readonly customOidc?: { readonly providerUrl?: string; readonly loginId: string };
  };
  readonly tags?: Readonly<Record<string, string>>;
  readonly onExisting?: 'fail' | 'adopt';
  readonly removalPolicy?: 'destroy' | 'retain';
  readonly invitationVersion?: string;
  readonly onlyIn?: readonly string[];
}

interface GroupValues {
  readonly description?: string;
  readonly role?: string;
  readonly existing?: boolean;
}

/** Part of a file: values, and where they stand. */
interface Part<Value> {
  readonly values: Value;
  readonly path: Path;
}

type Section = Part<Readonly<Record<string, unknown>>>;
type Layer = Part<Values>;

/** A user before its layers are laid on each other. */
interface Entry {
  readonly source: Source;
  readonly identity: DeclaredIdentity;
  readonly name: string;
  readonly namespace: string;
  readonly own: readonly Layer[];
}

interface ListedGroup {
  readonly name: string;
  readonly namespace: string;
  readonly values: GroupValues;
}

interface Profile {
  readonly name: string;
  readonly denied: readonly string[];
}

/** Something with its place, and where the environment has varied it. */
interface Known<Item> {
  readonly item: Item;
  readonly place: Place;
  readonly varied?: Place;
}

interface Findings {
  readonly declaration: UsersDeclaration;
  readonly problems: readonly Problem[];
  readonly environments: readonly string[];
}

/** What the files declare in an environment. When not all could be read, nothing is missed that may stand in the rest. */
export function declarationOf(
  files: readonly WellFormedFile[],
  environment: string | undefined,
  incomplete: boolean,
): Findings {
  const sources = files.map((file) => new Source(file, environment));
  const environments = [...new Set(sources.flatMap((source) => source.environments))].sort();
  const unchosen = environmentProblem(sources, environment, environments);
  // Judged without variants, users of different environments would seem to be the same.
  if (unchosen) {
    return { declaration: { users: [], groups: [], customPermissions: [] }, problems: [unchosen], environments };
  }
  const reading = new Reading(environment, environments, incomplete || sources.some((source) => source.isIncomplete));
  for (const source of sources) reading.collect(source);
  return { declaration: reading.declaration(), problems: reading.problems, environments };
}

function environmentProblem(
  sources: readonly Source[],
  environment: string | undefined,
  environments: readonly string[],
): Problem | undefined {
  const names = environments.join(', ');
  if (environment === undefined) {
    const first = sources.find((source) => source.environments.length > 0);
    return (
      first && {
        place: first.file.placeOf(['environments'], 'key'),
        message: `no environment is chosen: give one of ${names} with -c environment=<name> (cdk) or --environment <name> (quicksight-users)`,
      }
    );
  }
  if (environments.includes(environment)) return undefined;
  if (!names) {
    return { message: `environment '${environment}' is chosen, and no users file lists environments: leave it out` };
  }
  const meant = didYouMean(environment, environments) || ': choose one of them, or list it under environments';
  return { message: `environment '${environment}' is not one of ${names}${meant}` };
}

/** One file, as far as it keeps to the schema, in one environment. */
class Source {
  /** The file as a whole, and the section of the environment. */
  readonly tops: readonly Section[];
  readonly environments: readonly string[];
  /** Whether something is broken that users of other entries may depend on. */
  readonly isIncomplete: boolean;
  /** How much is broken at each path and below it. */
  private readonly breaches = new Map<string, number>();
  private readonly defaults = new Map<string, readonly Layer[]>();

  constructor(
    readonly file: WellFormedFile,
    environment: string | undefined,
  ) {
    const top = { values: mapping(file.content), path: [] };
    const environments = this.sections(top, 'environments');
    this.environments = environments.map(nameOf);
    this.tops = [top, ...environments.filter((section) => nameOf(section) === environment)];
    for (const path of file.broken) {
      for (let length = 0; length <= path.length; length++) {
        const key = pathText(path.slice(0, length));
        this.breaches.set(key, (this.breaches.get(key) ?? 0) + 1);
      }
    }
    this.isIncomplete = file.broken.some((path) => !/^\d+$/.test(path[path.indexOf('users') + 1]!));
  }

  breachesAt(path: Path): number {
    return this.breaches.get(pathText(path)) ?? 0;
  }

  isSound({ path }: { readonly path: Path }): boolean {
    return this.breachesAt(path) === 0;
  }

  /** What stands in a list or a mapping of the section, each with its path. */
  parts(section: Section, key: string): Part<unknown>[] {
    const value = section.values[key];
    if (typeof value !== 'object' || value === null) return [];
    return Object.entries(value).map(([name, values]) => ({ values, path: [...section.path, key, name] }));
  }

  /** The same, of mappings. */
  sections(section: Section, key: string): Section[] {
    // A list in their place breaks the schema, and its indexes are no names.
    if (Array.isArray(section.values[key])) return [];
    return this.parts(section, key).map(({ values, path }) => ({ values: mapping(values), path }));
  }

  /** The defaults for users of a namespace, the weakest first. */
  defaultsOf(namespace: string): readonly Layer[] {
    let defaults = this.defaults.get(namespace);
    if (!defaults) {
      const inNamespaces = this.tops.flatMap((top) => this.sections(top, 'namespaces'));
      const sections = [...this.tops, ...inNamespaces.filter((section) => nameOf(section) === namespace)];
      defaults = sections
        .map(({ values, path }) => ({ values: mapping(values.defaults), path: [...path, 'defaults'] }))
        .filter((layer) => this.isSound(layer));
      this.defaults.set(namespace, defaults);
    }
    return defaults;
  }
}

class Reading {
  readonly problems: Problem[] = [];
  private readonly entries = new Map<string, Known<Entry>>();
  private readonly groups = new Map<string, Known<ListedGroup>>();
  private readonly profiles = new Map<string, Known<Profile>>();
  /** Namespaces whose users may only be in listed groups, and where that is said. */
  private readonly closed = new Map<string, Place>();

  constructor(
    private readonly environment: string | undefined,
    private readonly environments: readonly string[],
    private readonly incomplete: boolean,
  ) {}

  /** Takes in a file: first what it says for all environments, then how the chosen one differs. */
  collect(source: Source): void {
    source.tops.forEach((top, index) => {
      const isVariant = index > 0;
      this.collectProfiles(source, top, isVariant);
      this.collectSection(source, top, undefined, isVariant);
      for (const section of source.sections(top, 'namespaces')) {
        this.collectSection(source, section, nameOf(section), isVariant);
      }
    });
  }

  declaration(): UsersDeclaration {
    const users = [...this.entries.values()].flatMap(({ item, place }) => this.userOf(item, place) ?? []);
    const groups = [...this.groups.values()].map(({ item: { name, namespace, values }, place }) => ({
      name,
      namespace,
      description: values.description,
      existing: values.existing === true,
      place,
    }));
    const customPermissions = [...this.profiles.values()].map(({ item: { name, denied }, place }) => ({
      name,
      capabilities: Object.fromEntries(denied.map((capability) => [capability, 'DENY' as const])),
      place,
    }));
    return { users, groups, customPermissions };
  }

  private collectProfiles(source: Source, top: Section, isVariant: boolean): void {
    for (const part of source.parts(top, 'customPermissions').filter((one) => source.isSound(one))) {
      const name = nameOf(part);
      const { deny } = part.values as { deny: readonly string[] };
      const added = { item: { name, denied: deny }, place: source.file.placeOf(part.path, 'key') };
      const vary = (base: Profile) => ({ name, denied: [...base.denied, ...deny] });
      this.add(this.profiles, name, added, isVariant && vary, `custom permissions '${name}' are defined twice`);
    }
  }

  /** A section without a namespace holds groups of the default one, and users of any. */
  private collectSection(source: Source, section: Section, inNamespace: string | undefined, isVariant: boolean): void {
    const namespace = inNamespace ?? 'default';
    if (section.values.listedGroupsOnly === true) {
      this.closed.set(namespace, source.file.placeOf([...section.path, 'listedGroupsOnly'], 'key'));
    }
    for (const part of source.parts(section, 'groups').filter((one) => source.isSound(one))) {
      const name = nameOf(part);
      const said = part.values as string | GroupValues | null;
      const values = typeof said === 'string' ? { description: said } : (said ?? {});
      const added = { item: { name, namespace, values }, place: source.file.placeOf(part.path, 'key') };
      const vary = (base: ListedGroup) => ({ ...base, values: { ...base.values, ...values } });
      const message = `group '${name}' is listed twice in namespace '${namespace}'`;
      this.add(this.groups, keyOf(added.item), added, isVariant && vary, message);
    }
    for (const { values, path } of source.parts(section, 'users')) {
      const entry: Layer = { values: mapping(values), path };
      const given = entry.values.namespace;
      if (source.isSound(entry) && inNamespace !== undefined && (given ?? inNamespace) !== inNamespace) {
        this.problems.push({
          place: source.file.placeOf([...path, 'namespace']),
          message: `namespace '${given}' in the section of namespace '${inNamespace}': remove it, or move the entry there`,
        });
      }
      const people = this.peopleOf(source, entry);
      if (!people && !isVariant) this.missingFromBroken(source, entry, inNamespace);
      for (const own of people ?? []) this.collectUser(source, inNamespace ?? given ?? 'default', own, isVariant);
    }
  }

  /** The layers of each person whom an entry stands for, without broken sessions; undefined for a broken entry. */
  private peopleOf(source: Source, entry: Layer): Layer[][] | undefined {
    const sessions = source.parts(entry as Section, 'sessions') as Part<string | Values>[];
    const inSessions = sessions.reduce((sum, { path }) => sum + source.breachesAt(path), 0);
    if (source.breachesAt(entry.path) > inSessions) return undefined;
    if (!entry.values.sessions) return [[entry]];
    return sessions
      .filter((session) => source.isSound(session))
      .map(({ values, path }) => [
        entry,
        { values: typeof values === 'string' ? { sessionName: values } : values, path },
      ]);
  }

  /** What a broken entry lacks besides, so that its author need not come back for it. */
  private missingFromBroken(source: Source, { values, path }: Layer, inNamespace: string | undefined): void {
    const keys = Object.keys(values);
    const lacks = (key: string) => !keys.some((given) => given === key || didYouMean(given, [key]));
    const place = source.file.placeOf(path);
    if (keys.length === 0) return;
    if (lacks('email') && lacks('sessionName') && lacks('sessions')) {
      this.problems.push({ place, message: 'email is missing from this user' });
    }
    const defaults = source.defaultsOf(inNamespace ?? String(values.namespace ?? 'default'));
    if (lacks('role') && lacks('groups') && lacks('sessions') && !strongest(defaults, 'role') && !this.incomplete) {
      this.problems.push({ place, message: 'role is missing from this user' });
    }
  }

  private collectUser(source: Source, namespace: string, own: readonly Layer[], isVariant: boolean): void {
    const limit = own.findLast(({ values }) => values.onlyIn);
    const onlyIn = limit?.values.onlyIn;
    onlyIn?.forEach((environment, index) => {
      if (this.environments.includes(environment)) return;
      const names = this.environments.join(', ');
      const known = names ? `is not one of ${names}` : 'is not listed: list it under environments';
      this.problems.push({
        place: source.file.placeOf([...limit!.path, 'onlyIn', String(index)]),
        message: `environment '${environment}' ${known}${didYouMean(environment, this.environments)}`,
      });
    });
    if (onlyIn && this.environment !== undefined && !onlyIn.includes(this.environment)) return;

    const identity = identityOf(own);
    const name = userNameOf(wireIdentity(identity));
    const added = { item: { source, identity, name, namespace, own }, place: source.file.placeOf(own.at(-1)!.path) };
    const vary = (base: Entry) => ({
      ...base,
      identity: variedIdentity(base.identity, identity),
      own: [...base.own, ...own],
    });
    const message = `user '${name}' is declared twice in namespace '${namespace}'`;
    this.add(this.entries, keyOf(added.item), added, isVariant && vary, message);
  }

  /** Adds what is new, varies what the same file has outside of its environments, and refuses any other repetition. */
  private add<Item>(
    known: Map<string, Known<Item>>,
    key: string,
    added: Known<Item>,
    vary: false | ((base: Item) => Item),
    message: string,
  ): void {
    const earlier = known.get(key);
    if (!earlier) {
      known.set(key, vary ? { ...added, varied: added.place } : added);
    } else if (vary && !earlier.varied && earlier.place.file === added.place.file) {
      known.set(key, { item: vary(earlier.item), place: earlier.place, varied: added.place });
    } else {
      const first = placeText((vary && earlier.varied) || earlier.place);
      this.problems.push({ place: added.place, message: `${message}, first at ${first}: remove one of them` });
    }
  }

  /** A user with all its layers laid on each other; undefined when something is wrong with it. */
  private userOf({ source, identity, name, namespace, own }: Entry, place: Place): DeclaredUser | undefined {
    const before = this.problems.length;
    const wrong = (message: string, at: Place = place) => this.problems.push({ place: at, message });
    const defaults = source.defaultsOf(namespace);
    const layers = [...defaults, ...own];

    const groups = [...new Set(layers.flatMap(({ values }) => values.groups ?? []))].sort();
    for (const group of groups) {
      const closed = this.closed.get(namespace);
      if (!closed || this.incomplete || this.groups.has(keyOf({ namespace, name: group }))) continue;
      wrong(this.unlisted(group, namespace, closed), placeOfGroup(source, layers, group));
    }
    const role = strongest(own, 'role') ?? this.roleOf(groups, namespace, wrong) ?? strongest(defaults, 'role');
    const email = strongest(own, 'email') ?? addressOf(identity);
    if (email === undefined) {
      const isSession = own.at(-1)!.path.at(-2) === 'sessions' && 'sessionName' in identity;
      wrong(
        isSession
          ? `session '${identity.sessionName}' is no e-mail address, so the user needs one: write { sessionName: ${identity.sessionName}, email: … }`
          : 'email is missing from this user',
      );
    }
    if (role === undefined && !this.incomplete) wrong('role is missing from this user');
    const login = own.findLast(({ values }) => values.externalLogin);
    const externalLogin = completeLogin(login?.values.externalLogin, layers);
    if (login && !externalLogin) {
      const at = source.file.placeOf([...login.path, 'externalLogin', 'customOidc']);
      wrong('providerUrl is missing from this customOidc', at);
    }
    // Nobody but a user with userName has an invitation: defaults are for those, an entry of its own is a mistake.
    const invitationVersion = strongest('userName' in identity ? layers : own, 'invitationVersion');
    const customPermissionsName = strongest(layers, 'customPermissionsName') || undefined;
    const tags = Object.fromEntries(layers.flatMap(({ values }) => Object.entries(values.tags ?? {})));

    const found = userProblems({
      ...wireIdentity(identity),
      Namespace: namespace,
      Email: email,
      UserRole: role,
      CustomPermissionsName: customPermissionsName,
      InvitationVersion: invitationVersion,
      GroupNames: groups,
      Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
    });
    for (const { property, text } of found) wrong(`${keyOfProperty(property, identity)} ${text}`);

    if (this.problems.length > before || email === undefined || role === undefined) return undefined;
    return {
      identity,
      name,
      namespace,
      email,
      role,
      groups,
      customPermissionsName,
      externalLogin,
      tags,
      onExisting: strongest(layers, 'onExisting') ?? 'fail',
      removalPolicy: strongest(layers, 'removalPolicy') ?? 'destroy',
      invitationVersion,
      place,
    };
  }

  /** The role that the user's groups give to members who have none of their own. */
  private roleOf(groups: readonly string[], namespace: string, wrong: (message: string) => void): string | undefined {
    const giving = groups.flatMap((name) => this.groups.get(keyOf({ namespace, name })) ?? []);
    const [first, ...others] = giving.filter(({ item }) => item.values.role !== undefined);
    const other = others.find(({ item }) => item.values.role !== first!.item.values.role);
    if (other) {
      const said = ({ item, place }: Known<ListedGroup>) => `'${item.name}' (${item.values.role}, ${placeText(place)})`;
      wrong(`the groups ${said(first!)} and ${said(other)} give this user different roles: give it one of its own`);
    }
    return first?.item.values.role;
  }

  private unlisted(group: string, namespace: string, closed: Place): string {
    const listed = [...this.groups.values()].map(({ item }) => item).filter((item) => item.namespace === namespace);
    const meant = didYouMean(
      group,
      listed.map(({ name }) => name),
    );
    return `group '${group}' is listed in no users file, as listedGroupsOnly at ${placeText(closed)} demands${meant || ': list it under groups, with existing: true if it exists already'}`;
  }
}

function placeOfGroup(source: Source, layers: readonly Layer[], group: string): Place {
  const layer = layers.find(({ values }) => values.groups?.includes(group))!;
  return source.file.placeOf([...layer.path, 'groups', String(layer.values.groups!.indexOf(group))]);
}

function strongest<Key extends keyof Values>(layers: readonly Layer[], key: Key): Values[Key] {
  return layers.findLast(({ values }) => values[key] !== undefined)?.values[key];
}

/** An external login with the address of its provider, which defaults may give; undefined when nothing does. */
function completeLogin(login: Values['externalLogin'], layers: readonly Layer[]): DeclaredUser['externalLogin'] {
  if (!login?.customOidc) return login?.cognito && { cognito: login.cognito };
  const urls = layers.map(({ values }) => values.externalLogin?.customOidc?.providerUrl);
  const providerUrl = urls.findLast((url) => url !== undefined);
  return providerUrl === undefined ? undefined : { customOidc: { providerUrl, loginId: login.customOidc.loginId } };
}

function identityOf(own: readonly Layer[]): DeclaredIdentity {
  const [userName, iamUser] = [strongest(own, 'userName'), strongest(own, 'iamUser')];
  if (userName !== undefined) return { userName };
  if (iamUser !== undefined) return { iamUser };
  return { iamRole: strongest(own, 'iamRole')!, sessionName: strongest(own, 'sessionName')! };
}

/** Of a variant, an ARN or a path counts; a name alone only tells which user is meant. */
function variedIdentity(base: DeclaredIdentity, variant: DeclaredIdentity): DeclaredIdentity {
  const [before, after] = [wireIdentity(base), wireIdentity(variant)];
  const isSameKind = before.IdentityType === after.IdentityType && before.SessionName === after.SessionName;
  return isSameKind && !iamEntity(variant)?.includes('/') ? base : variant;
}

function iamEntity(identity: DeclaredIdentity): string | undefined {
  if ('iamUser' in identity) return identity.iamUser;
  return 'iamRole' in identity ? identity.iamRole : undefined;
}

/** What a file calls a property of the wire. */
function keyOfProperty(property: keyof UserResourceProperties, identity: DeclaredIdentity): string {
  if (property === 'GroupNames') return 'groups';
  if (property === 'UserRole') return 'role';
  if (property === 'IamArn') return 'iamUser' in identity ? 'iamUser' : 'iamRole';
  return property.charAt(0).toLowerCase() + property.slice(1);
}

/** As the library's checks want it. The account that is deployed to is not known here, and of no importance to them. */
export function wireIdentity(identity: DeclaredIdentity): Partial<UserResourceProperties> {
  if ('userName' in identity) return { IdentityType: 'QUICKSIGHT', UserName: identity.userName };
  const [kind, entity] = 'iamUser' in identity ? ['user', identity.iamUser] : ['role', identity.iamRole];
  return {
    IdentityType: 'IAM',
    IamArn: entity.startsWith('arn:') ? entity : `arn:aws:iam::111122223333:${kind}/${entity.replace(/^\//, '')}`,
    SessionName: 'sessionName' in identity ? identity.sessionName : undefined,
  };
}

/** Where people assume a role by their e-mail address, the name of the session says it. */
function addressOf(identity: DeclaredIdentity): string | undefined {
  return 'sessionName' in identity && !isOddEmail(identity.sessionName) ? identity.sessionName : undefined;
}

function keyOf({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `${namespace}/${name}`;
}

function nameOf({ path }: { readonly path: Path }): string {
  return path.at(-1)!;
}

function pathText(path: Path): string {
  return path.join('\0');
}

function mapping(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
