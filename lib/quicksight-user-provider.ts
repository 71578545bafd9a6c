import * as fs from 'node:fs';
import * as path from 'node:path';
import { ArnFormat, Duration, RemovalPolicy, Stack, Token } from 'aws-cdk-lib';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { INVITATION_SECRET_TAG } from './private/invitation-secret';
import { rootStackOf } from './private/root-stack';
import { formProblems, regionProblem } from './private/validate';

/** Properties of `QuickSightUserProvider`. */
export interface QuickSightUserProviderProps {
  /**
   * The identity region of the QuickSight account, such as `us-east-1`: where QuickSight keeps users, whatever region
   * the stack is in.
   *
   * @default - the function starts in its own region and follows the region that QuickSight names, and its permissions
   * cover every region
   */
  readonly identityRegion?: string;

  /**
   * Namespaces whose users the function may manage; `*` stands for all.
   *
   * Permissions come from this list only, never from the users declared: CloudFormation changes policies before it
   * deletes what was removed, so a list that shrinks together with its last user could not delete that user. Remove the
   * users first, and the namespace from this list in a second deployment.
   *
   * @default - ['*']
   */
  readonly namespaces?: string[];

  /**
   * The secrets that the function may write: those of the `invitationSecret` props of all its users.
   *
   * Permissions come from this list only, as with `namespaces`: add a secret together with its user, and remove it in a
   * later deployment than the user. A secret that was made with a key, or imported with it, brings the permission for
   * that key along. The provider is deployed after these secrets and before its users, so a nested stack cannot have both:
   * make the secrets in the root stack. An empty list takes all permissions for secrets away.
   *
   * @default - all secrets of the account that carry the tag `cdk-quicksight-users:invitation-secret` with the value
   * `true`, which `QuickSightUser` gives to its own, with whatever keys of the account they are encrypted with
   */
  readonly invitationSecrets?: ISecret[];

  /**
   * The function's role. Its trust policy must let `lambda.amazonaws.com` assume it.
   *
   * The permissions are added to it. For a role that nothing may be added to, pass `role.withoutPolicyUpdates()`, or
   * import it with `mutable: false`, and grant it what the role that is made by default may do.
   *
   * @default - a role with just the permissions needed
   */
  readonly role?: iam.IRole;

  /**
   * The VPC of the function. It needs a way to QuickSight in the identity region, to Amazon S3 in the stack's region,
   * where CloudFormation takes the answers, and to CloudFormation there; with an `invitationSecret`, to AWS Secrets
   * Manager in the secret's region.
   *
   * @default - the function runs outside of any VPC of yours
   */
  readonly vpc?: ec2.IVpc;

  /**
   * Where in the VPC the function runs.
   *
   * @default - the private subnets with egress, if `vpc` is given
   */
  readonly vpcSubnets?: ec2.SubnetSelection;

  /**
   * The function's security groups.
   *
   * @default - a security group is created that allows all outbound traffic, if `vpc` is given
   */
  readonly securityGroups?: ec2.ISecurityGroup[];

  /**
   * Where the function logs to. The log names no person: neither e-mail addresses, nor invitation URLs, nor events.
   *
   * @default - a log group is created, and deleted with the provider
   */
  readonly logGroup?: logs.ILogGroup;

  /**
   * How long the log group that is created keeps its entries. Not to be used together with `logGroup`.
   *
   * @default - one month
   */
  readonly logRetention?: logs.RetentionDays;

  /**
   * Memory of the function in MiB. Lambda gives CPU in proportion to it.
   *
   * @default - 256
   */
  readonly memorySize?: number;
}

/** All that the function does in QuickSight. */
const ACTIONS = [
  'quicksight:DeleteUser',
  'quicksight:DeleteUserByPrincipalId',
  'quicksight:DescribeUser',
  'quicksight:ListTagsForResource',
  'quicksight:ListUserGroups',
  'quicksight:ListUsers',
  'quicksight:RegisterUser',
  'quicksight:TagResource',
  'quicksight:UntagResource',
  'quicksight:UpdateUser',
];

/** All that it does with groups: membership, and whether one exists. */
const GROUP_ACTIONS = [
  'quicksight:CreateGroupMembership',
  'quicksight:DeleteGroupMembership',
  'quicksight:DescribeGroup',
];

/** What Lambda itself does in the name of a function that is in a VPC. These actions take no resource. */
const VPC_ACTIONS = [
  'ec2:AssignPrivateIpAddresses',
  'ec2:CreateNetworkInterface',
  'ec2:DeleteNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:UnassignPrivateIpAddresses',
];

/** Part of the logical ids of deployed resources: it can never change. */
const DEFAULT_ID = 'QuickSightUserProvider';

/** The bundle, at the same place beside the sources and in the npm package. */
const CODE = path.join(__dirname, '..', 'lambda', 'dist');

/**
 * The Lambda function, role and log group behind the QuickSight users of a stack.
 *
 * A stack gets one by itself with its first user, and nested stacks share that of their root stack. To set any of its
 * properties, make one by hand and pass it to every user; or make it directly in the root stack, with the id
 * `QuickSightUserProvider` and before the first user, and all users of the stack find it.
 *
 * The provider can never change for a deployed user: CloudFormation refuses another service token. So keep its scope and
 * id as they are once users have been deployed.
 *
 * Its role can register users of any role, because QuickSight has no condition key for it: whoever may deploy the stack
 * may make QuickSight administrators.
 */
export class QuickSightUserProvider extends Construct {
  /**
   * The provider of a stack: the root stack's for nested ones. Created when there is none yet.
   *
   * @param scope any construct in the stack
   * @throws when the root stack has another construct at the provider's place
   */
  public static getOrCreate(scope: Construct): QuickSightUserProvider {
    const root = rootStackOf(scope);
    const existing = root.node.tryFindChild(DEFAULT_ID);
    if (!existing) return new QuickSightUserProvider(root, DEFAULT_ID);
    if (existing instanceof QuickSightUserProvider) return existing;
    throw new Error(
      `${existing.node.path} is not a QuickSightUserProvider, and that id is the provider's: give the construct another id`,
    );
  }

  /** What `Custom::QuickSightUser` resources name as their ServiceToken: the ARN of the function. */
  public readonly serviceToken: string;

  /** The function that registers, changes and deletes users, for alarms and the like. */
  public readonly handler: lambda.IFunction;

  /** The function's role. */
  public readonly role: iam.IRole;

  /** Where the function logs to. */
  public readonly logGroup: logs.ILogGroup;

  /**
   * The only secrets that the function may write; undefined when their tag decides.
   *
   * @internal
   */
  public readonly _invitationSecrets?: readonly ISecret[];

  private readonly namespaces: string[];

  /**
   * @throws for a malformed identity region, namespace or ARN of a secret, an empty list of namespaces, and a retention
   * for a log group of your own
   */
  constructor(scope: Construct, id: string, props: QuickSightUserProviderProps = {}) {
    super(scope, id);
    this.namespaces = props.namespaces ?? ['*'];
    this._invitationSecrets = props.invitationSecrets;
    const problems = providerProblems(props, this.namespaces);
    if (problems.length > 0) throw new Error(`QuickSightUserProvider ${this.node.path}: ${problems.join('; ')}`);
    if (!fs.existsSync(path.join(CODE, 'index.js'))) {
      throw new Error(`the code of the Lambda function is missing from ${CODE}: run 'npm run build' in a checkout`);
    }

    this.logGroup =
      props.logGroup ??
      new logs.LogGroup(this, 'LogGroup', {
        retention: props.logRetention ?? logs.RetentionDays.ONE_MONTH,
        removalPolicy: RemovalPolicy.DESTROY,
      });

    const permissions = new iam.PolicyDocument();
    this.role =
      props.role ??
      // Inline: in place before the first event and until after the last, because the function depends on its role.
      new iam.Role(this, 'Role', {
        description: 'Registers, changes and deletes the QuickSight users of a stack',
        assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
        inlinePolicies: { QuickSightUsers: permissions },
      });

    const handler = new lambda.Function(this, 'Function', {
      description: 'Custom::QuickSightUser: registers, changes and deletes QuickSight users',
      runtime: lambda.determineLatestNodeRuntime(this),
      code: lambda.Code.fromAsset(CODE),
      handler: 'index.handler',
      timeout: Duration.minutes(5),
      memorySize: props.memorySize ?? 256,
      role: this.role,
      logGroup: this.logGroup,
      vpc: props.vpc,
      vpcSubnets: props.vpcSubnets,
      securityGroups: props.securityGroups,
      environment: props.identityRegion ? { QUICKSIGHT_IDENTITY_REGION: props.identityRegion } : undefined,
    });
    this.handler = handler;
    this.serviceToken = handler.functionArn;

    const statements = this.statements(props.identityRegion);
    // Asked of the function rather than the props: an organization's property injector may have put it into a VPC.
    if (handler.isBoundToVpc) {
      statements.push(new iam.PolicyStatement({ actions: VPC_ACTIONS, resources: ['*'] }));
    }
    if (props.role) {
      // A policy of this stack: one in the role's own stack would name our log group, and the two stacks would need each other.
      const policy = new iam.Policy(this, 'Policy', { statements });
      props.role.attachInlinePolicy(policy);
      handler.node.addDependency(policy);
    } else {
      permissions.addStatements(...statements);
    }
  }

  /**
   * Whether the function may manage users of a namespace.
   *
   * @internal
   */
  public _covers(namespace: string): boolean {
    return this.namespaces.some((name) => name === '*' || name === namespace || Token.isUnresolved(name));
  }

  /** @internal */
  public _describeNamespaces(): string {
    return this.namespaces.join(', ');
  }

  private statements(identityRegion = '*'): iam.PolicyStatement[] {
    const stack = Stack.of(this);
    const inNamespaces = (resource: string) =>
      this.namespaces.map((namespace) =>
        stack.formatArn({
          service: 'quicksight',
          region: identityRegion,
          resource,
          resourceName: `${namespace}/*`,
        }),
      );
    return [
      new iam.PolicyStatement({ actions: ACTIONS, resources: inNamespaces('user') }),
      new iam.PolicyStatement({ actions: GROUP_ACTIONS, resources: inNamespaces('group') }),
      // Whether a stack rolls back or removes what it was told to tells whether an adopted user may go.
      new iam.PolicyStatement({
        actions: ['cloudformation:DescribeStacks'],
        resources: [stack.formatArn({ service: 'cloudformation', resource: 'stack', resourceName: '*' })],
      }),
      ...this.secretStatements(),
      new iam.PolicyStatement({
        actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        resources: [this.logGroup.logGroupArn],
      }),
    ];
  }

  private secretStatements(): iam.PolicyStatement[] {
    const stack = Stack.of(this);
    const inAccount = (service: string, resource: string, arnFormat: ArnFormat) =>
      stack.formatArn({ service, region: '*', resource, resourceName: '*', arnFormat });
    const listed = this._invitationSecrets;
    // The ARN of a secret known by name only lacks the six characters that Secrets Manager adds.
    const secrets = listed?.map(({ secretFullArn, secretArn }) => secretFullArn ?? `${secretArn}-??????`);
    const keys = listed?.flatMap(({ encryptionKey }) => encryptionKey?.keyArn ?? []);
    return [
      new iam.PolicyStatement({
        actions: ['secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue'],
        resources: secrets ?? [inAccount('secretsmanager', 'secret', ArnFormat.COLON_RESOURCE_NAME)],
        conditions: listed ? undefined : { StringEquals: { [`aws:ResourceTag/${INVITATION_SECRET_TAG}`]: 'true' } },
      }),
      new iam.PolicyStatement({
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        resources: keys ?? [inAccount('kms', 'key', ArnFormat.SLASH_RESOURCE_NAME)],
        // KMS writes the name of a service like this in every partition.
        conditions: { StringLike: { 'kms:ViaService': 'secretsmanager.*.amazonaws.com' } },
      }),
    ].filter(({ resources }) => resources.length > 0);
  }
}

function providerProblems(
  { identityRegion, invitationSecrets = [], logGroup, logRetention }: QuickSightUserProviderProps,
  namespaces: string[],
) {
  const problems: string[] = [];
  const wrong = identityRegion !== undefined && !Token.isUnresolved(identityRegion) && regionProblem(identityRegion);
  if (wrong) problems.push(`identity region ${wrong}`);
  if (namespaces.length === 0) problems.push('namespaces is empty: name at least one, or leave it out for all');
  const isListToken = Token.isUnresolved(namespaces);
  if (isListToken) problems.push('namespaces is a list known at deployment only: name each, a name may be a token');
  for (const name of namespaces) {
    if (isListToken || name === '*' || Token.isUnresolved(name)) continue;
    problems.push(...[...formProblems({ Namespace: name })].map(({ text }) => `namespace ${text}`));
  }
  for (const { secretArn } of invitationSecrets) {
    if (Token.isUnresolved(secretArn)) continue;
    problems.push(
      ...[...formProblems({ InvitationSecretArn: secretArn })].map(({ text }) => `invitation secret ${text}`),
    );
  }
  if (logGroup && logRetention !== undefined) {
    problems.push('logRetention cannot be set for a log group of your own: set it there, or leave out logGroup');
  }
  return problems;
}
