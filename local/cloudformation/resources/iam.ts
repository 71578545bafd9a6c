import type { IamStore, Principal, PrincipalKind } from '../../iam/iam-store';
import type { PolicyDocument } from '../../iam/policy-document';
import {
  generatedName,
  type DeleteRequest,
  type ResourceProvider,
  type ResourceRequest,
  type ResourceResult,
  type UpdateRequest,
} from '../resource-provider';
import type { Properties } from '../template';

interface NamedDocument {
  readonly PolicyName: string;
  readonly PolicyDocument: PolicyDocument;
}

const strings = (value: unknown) => (value as string[] | undefined) ?? [];

/** AWS::IAM::Role and AWS::IAM::User. */
export class IamPrincipal implements ResourceProvider {
  readonly properties: readonly string[];
  readonly replacedBy: readonly string[];
  readonly #nameProperty: string;

  constructor(
    private readonly iam: IamStore,
    private readonly kind: PrincipalKind,
  ) {
    this.#nameProperty = kind === 'role' ? 'RoleName' : 'UserName';
    this.replacedBy = [this.#nameProperty, 'Path'];
    const common = ['ManagedPolicyArns', 'PermissionsBoundary', 'Policies', 'Tags'];
    const own = kind === 'role' ? ['AssumeRolePolicyDocument', 'Description', 'MaxSessionDuration'] : [];
    this.properties = [...this.replacedBy, ...common, ...own];
  }

  create({ stack, logicalId, properties }: ResourceRequest): ResourceResult {
    const { name, path } = {
      name: (properties[this.#nameProperty] as string | undefined) ?? generatedName(stack.stackName, logicalId),
      path: properties.Path as string | undefined,
    };
    const principal = this.iam.create({ kind: this.kind, name, path, ...settings(properties) });
    try {
      this.#putPolicies(principal, properties, {});
    } catch (error) {
      this.iam.delete(this.kind, name);
      throw error;
    }
    return this.#result(principal);
  }

  update({ physicalId, properties, oldProperties }: UpdateRequest): ResourceResult {
    const principal = this.iam.get(this.kind, physicalId);
    this.iam.configure(principal, settings(properties));
    this.#putPolicies(principal, properties, oldProperties);
    return this.#result(principal);
  }

  delete({ physicalId }: DeleteRequest): void {
    if (physicalId !== undefined) this.iam.delete(this.kind, physicalId);
  }

  /** Policies that other resources attached to the principal stay. */
  #putPolicies(principal: Principal, properties: Properties, oldProperties: Properties): void {
    const inline = (of: Properties) => (of.Policies as NamedDocument[] | undefined) ?? [];
    for (const { PolicyName } of inline(oldProperties)) this.iam.deleteInlinePolicy(principal, PolicyName);
    for (const { PolicyName, PolicyDocument } of inline(properties)) {
      this.iam.putInlinePolicy(principal, PolicyName, PolicyDocument);
    }
    for (const arn of strings(oldProperties.ManagedPolicyArns)) this.iam.detachPolicy(principal, arn);
    for (const arn of strings(properties.ManagedPolicyArns)) this.iam.attachPolicy(principal, arn);
  }

  #result({ name, arn, id }: Principal): ResourceResult {
    return { physicalId: name, attributes: { Arn: arn, ...(this.kind === 'role' && { RoleId: id }) } };
  }
}

function settings(properties: Properties) {
  return {
    trustPolicy: properties.AssumeRolePolicyDocument as PolicyDocument | undefined,
    permissionsBoundary: properties.PermissionsBoundary as string | undefined,
  };
}

function targets(iam: IamStore, properties: Properties): Principal[] {
  return [
    ...strings(properties.Roles).map((name) => iam.get('role', name)),
    ...strings(properties.Users).map((name) => iam.get('user', name)),
  ];
}

/** Those that still exist: a roll-back may come after the principals are gone. */
function survivingTargets(iam: IamStore, properties: Properties): Principal[] {
  return [
    ...strings(properties.Roles).flatMap((name) => iam.find('role', name) ?? []),
    ...strings(properties.Users).flatMap((name) => iam.find('user', name) ?? []),
  ];
}

/** AWS::IAM::Policy: an inline policy of roles and users. */
export class IamPolicy implements ResourceProvider {
  readonly properties = ['PolicyName', 'PolicyDocument', 'Roles', 'Users'];

  constructor(private readonly iam: IamStore) {}

  create({ stack, logicalId, properties }: ResourceRequest): ResourceResult {
    this.#put(properties);
    return { physicalId: generatedName(stack.stackName, logicalId) };
  }

  update({ physicalId, properties, oldProperties }: UpdateRequest): ResourceResult {
    this.#remove(oldProperties);
    this.#put(properties);
    return { physicalId };
  }

  delete({ physicalId, properties }: DeleteRequest): void {
    if (physicalId !== undefined) this.#remove(properties);
  }

  #put(properties: Properties): void {
    for (const principal of targets(this.iam, properties)) {
      this.iam.putInlinePolicy(principal, String(properties.PolicyName), properties.PolicyDocument as PolicyDocument);
    }
  }

  #remove(properties: Properties): void {
    for (const principal of survivingTargets(this.iam, properties)) {
      this.iam.deleteInlinePolicy(principal, String(properties.PolicyName));
    }
  }
}

/** AWS::IAM::ManagedPolicy. */
export class IamManagedPolicy implements ResourceProvider {
  readonly properties = ['ManagedPolicyName', 'Path', 'Description', 'PolicyDocument', 'Roles', 'Users'];
  readonly replacedBy = ['ManagedPolicyName', 'Path', 'Description'];

  constructor(private readonly iam: IamStore) {}

  create({ stack, logicalId, properties }: ResourceRequest): ResourceResult {
    const name = (properties.ManagedPolicyName as string | undefined) ?? generatedName(stack.stackName, logicalId);
    const arn = this.iam.managedPolicyArn(name, properties.Path as string | undefined);
    this.#put(arn, properties);
    return result(arn);
  }

  update({ physicalId, properties, oldProperties }: UpdateRequest): ResourceResult {
    for (const principal of survivingTargets(this.iam, oldProperties)) this.iam.detachPolicy(principal, physicalId);
    this.#put(physicalId, properties);
    return result(physicalId);
  }

  delete({ physicalId }: DeleteRequest): void {
    if (physicalId !== undefined) this.iam.deleteManagedPolicy(physicalId);
  }

  #put(arn: string, properties: Properties): void {
    const principals = targets(this.iam, properties);
    this.iam.putManagedPolicy(arn, properties.PolicyDocument as PolicyDocument);
    for (const principal of principals) this.iam.attachPolicy(principal, arn);
  }
}

function result(policyArn: string): ResourceResult {
  return { physicalId: policyArn, attributes: { PolicyArn: policyArn } };
}
