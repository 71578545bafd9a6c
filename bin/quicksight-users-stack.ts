import { Annotations, ArnFormat, CfnOutput, RemovalPolicy, Stack, StackProps } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import {
  ExistingUserPolicy,
  ExternalLogin,
  QuickSightUser,
  QuickSightUserProvider,
  UserIdentity,
  UserRole,
} from '../lib/index';
import type { DeclaredIdentity, DeclaredUser } from './users-declaration';
import { Problem, readUsersFiles, UsersFileError } from './users-file';

/** Properties of `QuickSightUsersStack`. */
export interface QuickSightUsersStackProps extends StackProps {
  /** Path of the users file. */
  readonly usersFile: string;
}

// A stack holds 500 resources; the provider needs four and the CDK's metadata one. The rest is left for the future.
const MAX_USERS = 490;

// A stack holds 200 outputs, and each user has two.
const MAX_USERS_WITH_OUTPUTS = 100;

/** The users of one users file. Throws `UsersFileError` with all that is wrong with the file. */
export class QuickSightUsersStack extends Stack {
  constructor(scope: Construct, id: string, { usersFile, ...props }: QuickSightUsersStackProps) {
    super(scope, id, { description: 'Amazon QuickSight users, declared in a users file', ...props });

    // Even without users there is something to deploy, and what removed the last user outlives it.
    QuickSightUserProvider.getOrCreate(this);

    const { declaration, problems } = readUsersFiles([usersFile]);
    const { users } = declaration;
    const found: Problem[] = [...problems];
    if (users.length > MAX_USERS) {
      found.push({
        place: { file: usersFile },
        message: `${users.length} users do not fit into one stack, because CloudFormation allows 500 resources: keep at most ${MAX_USERS} in a file and deploy several files with -c users=<file> -c stackName=<name>`,
      });
    }
    const outputs = users.length <= MAX_USERS_WITH_OUTPUTS;
    if (!outputs) {
      Annotations.of(this).addWarningV2(
        'cdk-quicksight-users:outputsLeftOut',
        `${users.length} users have more outputs than the 200 that CloudFormation allows: their ARNs and invitation URLs are left out (up to ${MAX_USERS_WITH_OUTPUTS} users have them)`,
      );
    }
    for (const user of users) {
      try {
        this.declare(user, outputs);
      } catch (error) {
        // The library's own checks know nothing of files; the entry's place makes their findings useful.
        found.push({
          place: user.place,
          message: (error as Error).message.replace(/^QuickSightUser \S+: /, ''),
        });
      }
    }
    if (found.length) throw new UsersFileError(found);
  }

  private declare(user: DeclaredUser, outputs: boolean): void {
    const { name, namespace } = user;
    // The construct id becomes the logical id: it depends on nothing but the user itself, so that entries can be moved,
    // added and removed without touching others. A slash would be taken for a path and is encoded.
    const construct = new QuickSightUser(this, `${namespace}:${encodeURIComponent(name)}`, {
      identity: this.identity(user.identity),
      email: user.email,
      userRole: UserRole.of(user.role),
      namespace,
      groups: [...user.groups],
      customPermissionsName: user.customPermissionsName,
      externalLogin: externalLogin(user),
      tags: user.tags,
      onExisting: user.onExisting === 'adopt' ? ExistingUserPolicy.ADOPT : ExistingUserPolicy.FAIL,
      invitationVersion: user.invitationVersion,
      // Except on create: a deployment that fails takes back the user that it has just registered.
      removalPolicy: user.removalPolicy === 'retain' ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY,
    });
    if (!outputs) return;
    new CfnOutput(construct, 'Arn', { description: `ARN of ${name}`, value: construct.userArn });
    new CfnOutput(construct, 'InvitationUrl', {
      description: `Invitation URL of ${name}`,
      value: construct.invitationUrl,
    });
  }

  private identity(identity: DeclaredIdentity): UserIdentity {
    if ('userName' in identity) return UserIdentity.quickSight(identity.userName);
    if ('iamUser' in identity) return UserIdentity.iamArn(this.iamArn('user', identity.iamUser));
    return UserIdentity.iamArn(this.iamArn('role', identity.iamRole), identity.sessionName);
  }

  private iamArn(resource: 'user' | 'role', name: string): string {
    if (name.startsWith('arn:')) return name;
    const resourceName = name.replace(/^\//, '');
    return this.formatArn({
      service: 'iam',
      region: '',
      resource,
      resourceName,
      arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
    });
  }
}

function externalLogin({ externalLogin: login }: DeclaredUser): ExternalLogin | undefined {
  if (login?.cognito) return ExternalLogin.cognito(login.cognito.loginId);
  if (login?.customOidc) return ExternalLogin.customOidc(login.customOidc.providerUrl, login.customOidc.loginId);
  return undefined;
}
