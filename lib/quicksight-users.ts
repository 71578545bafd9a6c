import { Annotations, ArnFormat, type CfnResource, CfnOutput, NestedStack, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { ExistingUserPolicy } from './existing-user-policy';
import { ExternalLogin } from './external-login';
import { cfnCustomPermissions, cfnGroup } from './private/quicksight-resources';
import { DEFAULT_SHARDS, MAX_IN_STACK, shardCount, shardOf } from './private/shards';
import type { DeclaredUser, UsersDeclaration } from './private/users-declaration';
import { usersFileReader, type UsersFileProblem } from './private/users-files';
import { QuickSightUser } from './quicksight-user';
import { QuickSightUserProvider } from './quicksight-user-provider';
import { UserIdentity } from './user-identity';
import { UserRole } from './user-role';

/** Properties of `QuickSightUsers`. */
export interface QuickSightUsersProps {
  /**
   * The users files: paths, or patterns such as `teams/*.yaml`, from the working directory of the app.
   *
   * `users.schema.json` in this package describes them, and gives completion in editors.
   */
  readonly files: string[];

  /**
   * Which of the variants under `environments` in the files applies, such as `dev` or `prod`.
   *
   * @default - none: what the files say outside of `environments`; files that list environments need one
   */
  readonly environment?: string;

  /**
   * How many nested stacks share the users, from 1 to 400. One holds 500 users at most, and they are not filled evenly:
   * count on 400.
   *
   * The nested stack of a user depends on the user's namespace and name alone, so nobody moves when others come and go.
   * With another number, users move from one nested stack to another, as few as possible; they stay as they are in
   * QuickSight, because the new resource takes the user over before the old one lets go. A user with removal policy
   * retain keeps the mark of the resource that it left, and so is never deleted by a later removal.
   *
   * @default - users, groups and custom permissions are in the stack itself, up to 490 of them; 32 nested stacks beyond
   */
  readonly shards?: number;

  /**
   * Leaves out the users of all nested stacks but the first so many.
   *
   * CloudFormation creates, changes or deletes at most 2500 resources in one deployment of a stack with all that is nested
   * in it. More users take several deployments, each with some nested stacks more than the one before, and the last
   * without this property; or some fewer, before the stack is deleted.
   *
   * Users of a nested stack that is left out are not declared: if they were deployed, they are deleted.
   *
   * @default - all users
   */
  readonly firstShards?: number;

  /**
   * Whether the ARN and the invitation URL of each user are outputs of the stack, which everybody can read who may
   * describe it. CloudFormation allows 200 outputs, so there are none beyond 100 users, which a warning tells, and none
   * with nested stacks.
   *
   * @default false
   */
  readonly outputs?: boolean;

  /**
   * The Lambda function behind the users. It can never change once they have been deployed.
   *
   * @default - the provider that all users of the stack share, see `QuickSightUserProvider.getOrCreate()`
   */
  readonly provider?: QuickSightUserProvider;
}

const MAX_IN_SHARD = 500;

/** More would leave the root stack no room for a provider and for groups. */
const MAX_SHARDS = 400;

/**
 * Nested stacks that are deployed at the same time. CloudFormation works on all users of one at once, and every one of them
 * has to get through QuickSight's limit of requests before its function ends. One more keeps QuickSight busy while the
 * other begins or ends.
 */
const LANES = 2;

/** CloudFormation's limit for the body of a template. */
const MAX_TEMPLATE_BYTES = 1024 * 1024;

/** A stack holds 200 outputs, and each user has two. */
const MAX_USERS_WITH_OUTPUTS = 100;

/**
 * The users, groups and custom permissions profiles that users files declare.
 *
 * Up to 490 are resources of the stack itself. More users are spread over nested stacks, which are deployed two at a time,
 * so that CloudFormation bounds how many registrations are under way; a change of one user touches one nested stack. All of
 * them share one provider, in the root stack.
 *
 * Groups and profiles are made before the users that need them, and deleted after them. A group or profile that no file
 * lists has to exist.
 *
 * Logical ids depend on namespaces and names only: the order of the files and of the entries in them does not matter.
 */
export class QuickSightUsers extends Construct {
  /** The users, in the order of the files. */
  public readonly users: QuickSightUser[] = [];

  private readonly byName = new Map<string, QuickSightUser>();

  /**
   * @throws with all problems of the files at once, one in a line that begins with file, line and column, for files
   * that are none, and for a number of shards that makes no sense
   */
  constructor(scope: Construct, id: string, props: QuickSightUsersProps) {
    super(scope, id);
    this.refuseProps(props);
    // Even without users there is something to deploy, and what removed the last user outlives it.
    const provider = props.provider ?? QuickSightUserProvider.getOrCreate(this);

    const reader = usersFileReader();
    const { declaration, problems } = reader.readUsersFiles(props.files, { environment: props.environment });
    const found = [...problems];
    const groups = declaration.groups.filter(({ existing }) => !existing);
    const inStack = declaration.users.length + groups.length + declaration.customPermissions.length;
    const shards = shardCount(inStack, props.shards);
    if (shards === undefined && props.firstShards !== undefined) {
      throw new Error(
        `QuickSightUsers ${this.node.path}: firstShards ${props.firstShards} does not apply: up to ${MAX_IN_STACK} users, ` +
          'groups and custom permissions are in no nested stack, unless shards is given',
      );
    }
    const prerequisites = this.prerequisites({ ...declaration, groups });
    if (shards === undefined) {
      for (const user of declaration.users) {
        const resource = this.declare(this, user, provider, found)?.node.defaultChild as CfnResource | undefined;
        for (const needed of prerequisites.of(user)) resource?.node.addDependency(needed);
      }
    } else {
      this.spread(declaration.users, { shards, firstShards: props.firstShards }, prerequisites.all, provider, found);
    }
    if (found.length > 0) throw new reader.UsersFileError(found);
    if (props.outputs && shards === undefined) this.addOutputs(declaration.users);
  }

  /**
   * One of the users.
   *
   * @param userName name of the user in QuickSight; for a role session this is `<role name>/<session name>`
   * @param namespace the user's namespace; without it: default
   * @throws when the files declare no such user, or `firstShards` leaves it out
   */
  public user(userName: string, namespace: string = 'default'): QuickSightUser {
    const user = this.byName.get(idOf({ namespace, name: userName }));
    if (user) return user;
    throw new Error(`QuickSightUsers ${this.node.path}: no user "${userName}" is declared in namespace "${namespace}"`);
  }

  private refuseProps({ files, shards, firstShards }: QuickSightUsersProps): void {
    const problems: string[] = [];
    // Computed by an app, an empty list is a mistake that would delete everybody.
    if (files.length === 0) problems.push('files is empty: name at least one users file or pattern');
    if (shards !== undefined && !isWithin(shards, MAX_SHARDS)) {
      problems.push(`shards ${shards} is not a whole number from 1 to ${MAX_SHARDS}`);
    }
    if (firstShards !== undefined && !isWithin(firstShards, shards ?? DEFAULT_SHARDS)) {
      problems.push(
        `firstShards ${firstShards} is not a whole number from 1 to ${shards ?? DEFAULT_SHARDS}, the shards`,
      );
    }
    if (problems.length > 0) throw new Error(`QuickSightUsers ${this.node.path}: ${problems.join('; ')}`);
  }

  /** Groups and profiles are always in the root stack's part: CloudFormation could not move them to another. */
  private prerequisites({ groups, customPermissions }: Pick<UsersDeclaration, 'groups' | 'customPermissions'>) {
    const groupScope = new Construct(this, 'Groups');
    const groupOf = new Map(groups.map((group) => [idOf(group), cfnGroup(groupScope, group)]));
    const profileScope = new Construct(this, 'CustomPermissions');
    const profileOf = new Map(customPermissions.map((one) => [one.name, cfnCustomPermissions(profileScope, one)]));
    const isMade = (resource: CfnResource | undefined): resource is CfnResource => resource !== undefined;
    return {
      all: [...groupOf.values(), ...profileOf.values()],
      of: ({ namespace, groups: names, customPermissionsName = '' }: DeclaredUser) =>
        [...names.map((name) => groupOf.get(idOf({ namespace, name }))), profileOf.get(customPermissionsName)].filter(
          isMade,
        ),
    };
  }

  private spread(
    users: readonly DeclaredUser[],
    { shards, firstShards = shards }: { shards: number; firstShards?: number },
    prerequisites: readonly CfnResource[],
    provider: QuickSightUserProvider,
    found: UsersFileProblem[],
  ): void {
    const members = Array.from({ length: shards }, (): DeclaredUser[] => []);
    for (const user of users) members[shardOf(user.namespace, user.name, shards)]!.push(user);
    const lanes: (CfnResource | undefined)[] = Array.from({ length: LANES });
    for (const [index, declared] of members.slice(0, firstShards).entries()) {
      // CloudFormation does not take a stack without resources.
      if (declared.length === 0) continue;
      refuseFullShard(index + 1, shards, declared, found);
      const shard = new NestedStack(this, `Shard${index + 1}`, {
        description: `Amazon QuickSight users, part ${index + 1}`,
      });
      for (const user of declared) this.declare(shard, user, provider, found);
      const before = lanes[index % LANES];
      for (const needed of before ? [before] : prerequisites) shard.nestedStackResource!.node.addDependency(needed);
      lanes[index % LANES] = shard.nestedStackResource;
    }
  }

  private declare(
    scope: Construct,
    user: DeclaredUser,
    provider: QuickSightUserProvider,
    found: UsersFileProblem[],
  ): QuickSightUser | undefined {
    try {
      // The construct id becomes the logical id: it depends on nothing but the user itself.
      const construct = new QuickSightUser(scope, idOf(user), {
        identity: this.identity(user),
        email: user.email,
        userRole: UserRole.of(user.role),
        namespace: user.namespace,
        groups: [...user.groups],
        customPermissionsName: user.customPermissionsName,
        externalLogin: externalLogin(user),
        tags: user.tags,
        onExisting: user.onExisting === 'adopt' ? ExistingUserPolicy.ADOPT : ExistingUserPolicy.FAIL,
        // Except on create: a deployment that fails takes back the user that it has just registered.
        removalPolicy:
          user.removalPolicy === 'retain' ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY,
        invitationVersion: user.invitationVersion,
        provider,
      });
      this.users.push(construct);
      this.byName.set(idOf(user), construct);
      return construct;
    } catch (error) {
      // The library's own checks know nothing of files; the entry's place makes their findings useful.
      found.push({ place: user.place, message: (error as Error).message.replace(/^QuickSightUser \S+: /, '') });
      return undefined;
    }
  }

  private identity({ identity }: DeclaredUser): UserIdentity {
    if ('userName' in identity) return UserIdentity.quickSight(identity.userName);
    if ('iamUser' in identity) return UserIdentity.iamArn(this.iamArn('user', identity.iamUser));
    return UserIdentity.iamArn(this.iamArn('role', identity.iamRole), identity.sessionName);
  }

  private iamArn(resource: 'user' | 'role', name: string): string {
    if (name.startsWith('arn:')) return name;
    const resourceName = name.replace(/^\//, '');
    const arnFormat = ArnFormat.SLASH_RESOURCE_NAME;
    return Stack.of(this).formatArn({ service: 'iam', region: '', resource, resourceName, arnFormat });
  }

  private addOutputs(users: readonly DeclaredUser[]): void {
    if (users.length > MAX_USERS_WITH_OUTPUTS) {
      Annotations.of(this).addWarningV2(
        'cdk-quicksight-users:outputsLeftOut',
        `${users.length} users have more outputs than the 200 that CloudFormation allows: their ARNs and invitation URLs ` +
          `are left out (up to ${MAX_USERS_WITH_OUTPUTS} users have them)`,
      );
      return;
    }
    for (const user of users) {
      const construct = this.byName.get(idOf(user))!;
      new CfnOutput(construct, 'Arn', { description: `ARN of ${user.name}`, value: construct.userArn });
      new CfnOutput(construct, 'InvitationUrl', {
        description: `Invitation URL of ${user.name}`,
        value: construct.invitationUrl,
      });
    }
  }
}

function refuseFullShard(
  number: number,
  shards: number,
  users: readonly DeclaredUser[],
  found: UsersFileProblem[],
): void {
  const bytes = users.reduce((sum, user) => sum + templateBytes(user), 0);
  const limit =
    users.length > MAX_IN_SHARD
      ? `${users.length} users, and CloudFormation allows ${MAX_IN_SHARD} resources in a stack`
      : bytes > MAX_TEMPLATE_BYTES && `a template of ${bytes} bytes, and CloudFormation takes ${MAX_TEMPLATE_BYTES}`;
  if (!limit) return;
  found.push({ message: `shard ${number} of ${shards} would have ${limit}: give more shards` });
}

/** What a user takes in a template, rather too much than too little. Tags that `Tags.of()` adds are not known yet. */
function templateBytes(user: DeclaredUser): number {
  return 1000 + JSON.stringify(user).length + 50 * Object.keys(user.tags).length + 10 * user.groups.length;
}

/** Unique, and without a slash, which would be taken for a path: a namespace has no colon. */
function idOf({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `${namespace}:${encodeURIComponent(name)}`;
}

function externalLogin({ externalLogin: login }: DeclaredUser): ExternalLogin | undefined {
  if (login?.cognito) return ExternalLogin.cognito(login.cognito.loginId);
  if (login?.customOidc) return ExternalLogin.customOidc(login.customOidc.providerUrl, login.customOidc.loginId);
  return undefined;
}

function isWithin(value: number, most: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= most;
}
