import { createHash, randomBytes } from 'node:crypto';
import {
  checkPolicyDocument,
  evaluate,
  list,
  statementsAbout,
  type PolicyDocument,
  type PolicyRequest,
  type RequestContext,
  type Verdict,
} from './policy-document';

export type PrincipalKind = 'role' | 'user';

/** An IAM role or user and everything that decides what it may do. */
export interface Principal {
  readonly kind: PrincipalKind;
  readonly name: string;
  readonly arn: string;
  /** AROA… or AIDA…: new at each creation, which is how services notice that a principal was made anew. */
  readonly id: string;
  trustPolicy?: PolicyDocument;
  permissionsBoundary?: string;
  readonly inlinePolicies: Record<string, PolicyDocument>;
  managedPolicyArns: string[];
}

export interface NewPrincipal {
  readonly kind: PrincipalKind;
  readonly name: string;
  readonly path?: string;
  readonly trustPolicy?: PolicyDocument;
  readonly permissionsBoundary?: string;
}

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

export interface AuthorizationRequest {
  readonly accessKeyId: string;
  readonly action: string;
  readonly resource: string;
  readonly context?: RequestContext;
  /** Policy of a KMS key: what IAM allows counts only as far as it lets the account decide. */
  readonly keyPolicy?: PolicyDocument;
}

/** What is kept between runs. Sessions are not: the containers that hold them end with the process. */
export interface IamState {
  readonly principals: Record<string, Principal>;
  readonly managedPolicies: Record<string, PolicyDocument>;
  readonly missing: string[];
}

export interface IamStoreOptions {
  readonly accountId: string;
  readonly partition?: string;
}

interface Session {
  readonly principal: Principal;
  readonly name: string;
}

const ACCESS_KEY_PREFIX = 'ASIAEMBEDDED';

/** The IAM of the embedded AWS: roles, users and policies that stacks make, and the decision on each call. */
export class IamStore {
  readonly accountId: string;
  readonly partition: string;
  #principals: Record<string, Principal> = {};
  #managedPolicies: Record<string, PolicyDocument> = {};
  #missing = new Set<string>();
  readonly #sessions = new Map<string, Session>();

  constructor({ accountId, partition = 'aws' }: IamStoreOptions) {
    this.accountId = accountId;
    this.partition = partition;
  }

  /** Creates a role or a user, with a fresh unique id. */
  create({ kind, name, path = '/', trustPolicy, permissionsBoundary }: NewPrincipal): Principal {
    if (this.find(kind, name)) throw new Error(`${kind} with name ${name} already exists`);
    const arn = `${this.#arnPrefix()}${kind}${path}${name}`;
    const id = (kind === 'role' ? 'AROA' : 'AIDA') + base32(randomBytes(32));
    const principal: Principal = { kind, name, arn, id, inlinePolicies: {}, managedPolicyArns: [] };
    this.configure(principal, { trustPolicy, permissionsBoundary });
    this.#missing.delete(arn);
    this.#principals[key(kind, name)] = principal;
    return principal;
  }

  configure(principal: Principal, settings: Pick<Principal, 'trustPolicy' | 'permissionsBoundary'>): void {
    if (settings.permissionsBoundary !== undefined) this.managedPolicy(settings.permissionsBoundary);
    principal.trustPolicy = settings.trustPolicy;
    principal.permissionsBoundary = settings.permissionsBoundary;
  }

  /** Deletes a role or user; its ARN stays known as one whose principal is gone. */
  delete(kind: PrincipalKind, name: string): void {
    const principal = this.find(kind, name);
    if (!principal) return;
    this.#missing.add(principal.arn);
    delete this.#principals[key(kind, name)];
  }

  find(kind: PrincipalKind, name: string): Principal | undefined {
    return this.#principals[key(kind, name)];
  }

  get(kind: PrincipalKind, name: string): Principal {
    const principal = this.find(kind, name);
    if (principal) return principal;
    throw new Error(`the ${kind} with name ${name} cannot be found: only ${kind}s made in the embedded IAM exist here`);
  }

  findByArn(arn: string): Principal | undefined {
    return Object.values(this.#principals).find((principal) => principal.arn === arn);
  }

  putInlinePolicy(principal: Principal, policyName: string, document: PolicyDocument): void {
    checkPolicyDocument(document);
    principal.inlinePolicies[policyName] = document;
  }

  deleteInlinePolicy(principal: Principal, policyName: string): void {
    delete principal.inlinePolicies[policyName];
  }

  attachPolicy(principal: Principal, policyArn: string): void {
    this.managedPolicy(policyArn);
    if (!principal.managedPolicyArns.includes(policyArn)) principal.managedPolicyArns.push(policyArn);
  }

  detachPolicy(principal: Principal, policyArn: string): void {
    principal.managedPolicyArns = principal.managedPolicyArns.filter((arn) => arn !== policyArn);
  }

  managedPolicyArn(name: string, path = '/'): string {
    return `${this.#arnPrefix()}policy${path}${name}`;
  }

  putManagedPolicy(arn: string, document: PolicyDocument): void {
    checkPolicyDocument(document);
    this.#managedPolicies[arn] = document;
  }

  deleteManagedPolicy(arn: string): void {
    for (const principal of Object.values(this.#principals)) this.detachPolicy(principal, arn);
    delete this.#managedPolicies[arn];
  }

  /** The document of a managed policy: one that a stack made, or one of the few of AWS that are known here. */
  managedPolicy(arn: string): PolicyDocument {
    const awsManaged = /^arn:[\w-]+:iam::aws:policy\/(.+)$/.exec(arn)?.[1];
    const document = awsManaged === undefined ? this.#managedPolicies[arn] : AWS_MANAGED_POLICIES[awsManaged];
    if (document) return document;
    throw new Error(
      awsManaged === undefined
        ? `policy ${arn} does not exist or is not attachable`
        : `the embedded IAM does not know the AWS managed policy ${awsManaged}: it knows ` +
            Object.keys(AWS_MANAGED_POLICIES).join(', '),
    );
  }

  /**
   * Unique id of the user or role behind an ARN; undefined when there is none. An ARN that no stack here made gets an id
   * of its own that never changes, because samples name IAM users that already exist in the reader's account.
   */
  uniqueId(arn: string): string | undefined {
    const principal = this.findByArn(arn);
    if (principal) return principal.id;
    const kind = /^arn:[\w-]+:iam::\d{12}:(user|role)\/./.exec(arn)?.[1];
    if (kind === undefined || this.#missing.has(arn)) return undefined;
    return (kind === 'role' ? 'AROA' : 'AIDA') + base32(createHash('sha256').update(arn).digest());
  }

  /** Makes an ARN that no stack made one without a principal behind it. */
  markMissing(arn: string): void {
    this.#missing.add(arn);
  }

  /** Credentials of a new session of a role. */
  assumeRole(roleArn: string, sessionName: string): Credentials {
    const principal = this.findByArn(roleArn);
    if (principal?.kind !== 'role') {
      throw new Error(`the role ${roleArn} cannot be assumed: only roles made in the embedded IAM exist here`);
    }
    const credentials = {
      accessKeyId: ACCESS_KEY_PREFIX + base32(randomBytes(32)),
      secretAccessKey: randomBytes(30).toString('base64'),
      sessionToken: randomBytes(60).toString('base64'),
    };
    this.#sessions.set(credentials.accessKeyId, { principal, name: sessionName });
    return credentials;
  }

  /** Whether the role's trust policy lets this service assume it. */
  trusts(role: Principal, service: string): boolean {
    return list(role.trustPolicy?.Statement).some(
      ({ Effect, Action, Principal }) =>
        Effect === 'Allow' &&
        list(Action).includes('sts:AssumeRole') &&
        list((Principal as { Service?: string | string[] } | undefined)?.Service).includes(service),
    );
  }

  /**
   * Why a call is denied, in IAM's own words; undefined when it is allowed. A key that this store did not hand out
   * belongs to the person at the keyboard, who may do everything.
   */
  authorize({ accessKeyId, action, resource, context, keyPolicy }: AuthorizationRequest): string | undefined {
    const session = this.#sessions.get(accessKeyId);
    if (!session && !accessKeyId.startsWith(ACCESS_KEY_PREFIX)) return undefined;
    if (!session || this.find('role', session.principal.name)?.id !== session.principal.id) {
      return 'The security token included in the request is invalid.';
    }
    const { principal } = session;
    const sessionArn = `arn:${this.partition}:sts::${this.accountId}:assumed-role/${principal.name}/${session.name}`;
    const request = {
      action,
      resource,
      context: {
        'aws:PrincipalArn': principal.arn,
        'aws:PrincipalAccount': this.accountId,
        'aws:userid': `${principal.id}:${session.name}`,
        ...context,
      },
    };
    const denial = `User: ${sessionArn} is not authorized to perform: ${action} on resource: ${resource}`;
    const identity = evaluate(
      [
        ...Object.values(principal.inlinePolicies),
        ...principal.managedPolicyArns.map((arn) => this.managedPolicy(arn)),
      ],
      request,
    );
    const boundary = principal.permissionsBoundary
      ? evaluate([this.managedPolicy(principal.permissionsBoundary)], request)
      : 'allow';
    const key = keyPolicy ? this.#ofKey(keyPolicy, [principal.arn, sessionArn, '*'], request) : 'account';
    if (key === 'deny') return `${denial} with an explicit deny in a resource-based policy`;
    if (identity === 'deny') return `${denial} with an explicit deny in an identity-based policy`;
    if (boundary === 'deny') return `${denial} with an explicit deny in a permissions boundary`;
    if (key === 'silent') return `${denial} because no resource-based policy allows the ${action} action`;
    if (identity === 'silent' && key === 'account') {
      return `${denial} because no identity-based policy allows the ${action} action`;
    }
    if (boundary === 'silent') return `${denial} because no permissions boundary allows the ${action} action`;
    return undefined;
  }

  state(): IamState {
    return {
      principals: this.#principals,
      managedPolicies: this.#managedPolicies,
      missing: [...this.#missing],
    };
  }

  restore(state: IamState): void {
    this.#principals = state.principals;
    this.#managedPolicies = state.managedPolicies;
    this.#missing = new Set(state.missing);
  }

  /** What a key's policy says: a word of its own, or that the account's policies decide. */
  #ofKey(policy: PolicyDocument, caller: readonly string[], request: PolicyRequest): Verdict | 'account' {
    const account = [`${this.#arnPrefix()}root`, this.accountId];
    const direct = evaluate([statementsAbout(policy, (principal) => caller.includes(principal))], request);
    const delegated = evaluate([statementsAbout(policy, (principal) => account.includes(principal))], request);
    if (direct === 'deny' || delegated === 'deny') return 'deny';
    if (direct === 'allow') return 'allow';
    return delegated === 'allow' ? 'account' : 'silent';
  }

  #arnPrefix(): string {
    return `arn:${this.partition}:iam::${this.accountId}:`;
  }
}

const allow = (...actions: string[]): PolicyDocument => ({
  Statement: { Effect: 'Allow', Action: actions, Resource: '*' },
});

const LOGS = ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'];

const AWS_MANAGED_POLICIES: Readonly<Record<string, PolicyDocument>> = {
  'service-role/AWSLambdaBasicExecutionRole': allow(...LOGS),
  'service-role/AWSLambdaVPCAccessExecutionRole': allow(
    ...LOGS,
    'ec2:CreateNetworkInterface',
    'ec2:DescribeNetworkInterfaces',
    'ec2:DescribeSubnets',
    'ec2:DeleteNetworkInterface',
    'ec2:AssignPrivateIpAddresses',
    'ec2:UnassignPrivateIpAddresses',
  ),
  AdministratorAccess: allow('*'),
};

// IAM names are unique without regard to case.
function key(kind: PrincipalKind, name: string): string {
  return `${kind}/${name.toLowerCase()}`;
}

function base32(bytes: Uint8Array): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  return Array.from(bytes.subarray(0, 17), (byte) => alphabet[byte & 31]).join('');
}
