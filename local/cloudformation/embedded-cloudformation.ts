import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { IamStore, type IamState } from '../iam/iam-store';
import { KeyStore, type KeyState } from '../kms/key-store';
import { EmbeddedLambda, type EmbeddedLambdaOptions, type FunctionConfiguration } from '../lambda/embedded-lambda';
import { Semaphore } from '../lambda/semaphore';
import { EmbeddedSecretsManager } from '../secrets-manager/embedded-secrets-manager';
import type { StoredSecret } from '../secrets-manager/secret-store';
import { readAssembly, selectStacks, type AssemblyStack } from './assembly';
import { AssetStore } from './asset-store';
import { checkTemplate } from './check-template';
import { Intrinsics } from './intrinsics';
import { parameterValues, typedParameter } from './parameters';
import { NothingDone, type ResourceProvider } from './resource-provider';
import { ResponseEndpoint } from './response-endpoint';
import { CustomResource, type CustomResourceAccidents } from './resources/custom-resource';
import { IamManagedPolicy, IamPolicy, IamPrincipal } from './resources/iam';
import { InertResource } from './resources/inert-resource';
import { KmsAlias, KmsKey } from './resources/kms';
import { LambdaFunction } from './resources/lambda-function';
import { LogGroup } from './resources/log-group';
import { NestedStack } from './resources/nested-stack';
import { QuickSightAccess, QuickSightCustomPermissions, QuickSightGroup } from './resources/quicksight';
import { Secret } from './resources/secret';
import { SsmParameter, type SsmParameters } from './resources/ssm-parameter';
import { StackExports } from './stack-exports';
import { StackLifecycle } from './stack-lifecycle';
import type { StackServices } from './stack-operation';
import { StacksEndpoint, type StackContents } from './stacks-endpoint';
import {
  STACK_TYPE,
  type ResourceEvent,
  type ResourceState,
  type ResourceStatus,
  type StackState,
  type StackStatus,
} from './stack-state';
import { StateFile } from '../state-file';
import type { Template } from './template';

export interface EmbeddedCloudFormationOptions {
  readonly accountId: string;
  /**
   * Where stacks run that do not say it themselves.
   * @default 'us-east-1'
   */
  readonly region?: string;
  /** @default 'aws' */
  readonly partition?: string;
  /**
   * JSON file that keeps everything between runs; assets are kept beside it, in `<file>.assets`.
   * @default - everything ends with this object
   */
  readonly stateFile?: string;
  /** @default - an IAM of its own */
  readonly iam?: IamStore;
  /**
   * Settings of the Lambda behind the functions, above all the `endpoints` that functions find AWS at. Resources of
   * QuickSight are made at its AWS_ENDPOINT_URL_QUICKSIGHT.
   */
  readonly lambda?: Omit<EmbeddedLambdaOptions, 'iam'>;
  /**
   * Resources worked on at the same time.
   * @default 20
   */
  readonly concurrency?: number;
  readonly onEvent?: (event: ResourceEvent) => void;
  /** @default - none */
  readonly accidents?: CustomResourceAccidents;
}

export interface DeployOptions {
  /**
   * Names of the stacks to deploy.
   * @default - all stacks of the assembly
   */
  readonly stacks?: readonly string[];
  readonly parameters?: Readonly<Record<string, string>>;
}

export interface DeployResult {
  readonly stackName: string;
  readonly stackId: string;
  readonly status: StackStatus;
  /** Whether the deployment did what was asked. */
  readonly succeeded: boolean;
  /** False when the stack was as declared already, and nothing was called. */
  readonly changed: boolean;
  readonly outputs: Readonly<Record<string, string>>;
  /** Why it failed: each failed resource with its reason, in order of time. */
  readonly reason?: string;
}

export interface OrderedFault {
  readonly logicalId: string;
  readonly action: 'create' | 'update' | 'delete';
  /**
   * Whether the resource is done or not when it fails.
   * @default 'before'
   */
  readonly when?: 'before' | 'after';
  /** @default - any stack */
  readonly stackName?: string;
}

interface State {
  readonly stacks: StackState[];
  readonly iam: IamState;
  readonly functions: FunctionConfiguration[];
  readonly logGroups: string[];
  readonly ssmParameters: [string, string][];
  /** Missing in what was kept before there were any, as secrets are. */
  readonly keys?: KeyState;
  readonly secrets?: StoredSecret[];
}

/** Most resources of a stack, with all that is nested in it, that CloudFormation creates, changes or deletes at once. */
const MAX_CHANGES = 2500;

const NO_RESOURCES: Template = { Resources: {} };

/** CloudFormation for synthesized cloud assemblies, with the Lambda, IAM, KMS and Secrets Manager that it needs. */
export class EmbeddedCloudFormation {
  readonly iam: IamStore;
  readonly lambda: EmbeddedLambda;
  /** What stacks are and hold, for the functions and the command line; listens from the first deployment on. */
  readonly stacksEndpoint: StacksEndpoint;
  /** The keys and secrets that stacks made; for the functions it listens from the first deployment on. */
  readonly secretsManager: EmbeddedSecretsManager;
  readonly #options: EmbeddedCloudFormationOptions;
  readonly #region: string;
  readonly #stacks = new Map<string, StackState>();
  readonly #deleted = new Map<string, StackState>();
  readonly #exports = new StackExports(this.#stacks);
  readonly #ssmParameters: SsmParameters = new Map();
  readonly #responses = new ResponseEndpoint();
  readonly #assets: AssetStore;
  readonly #state: StateFile<State>;
  readonly #lifecycle: StackLifecycle;
  readonly #providers: Readonly<Record<string, ResourceProvider>>;
  readonly #customResource: CustomResource;
  readonly #quickSight: QuickSightAccess;
  readonly #faults: OrderedFault[] = [];
  readonly #busy = new Set<string>();
  /** What failed in the deployment that a root stack is in, by the root's id. */
  readonly #failures = new Map<string, string[]>();

  constructor(options: EmbeddedCloudFormationOptions) {
    const { accountId, region = 'us-east-1', partition = 'aws' } = options;
    // Functions run in folders of their own, where a relative path leads elsewhere.
    const stateFile = options.stateFile && path.resolve(options.stateFile);
    this.#options = options;
    this.#region = region;
    this.iam = options.iam ?? new IamStore({ accountId, partition });
    this.lambda = new EmbeddedLambda({ ...options.lambda, iam: this.iam });
    this.stacksEndpoint = new StacksEndpoint({
      ...{ accountId, partition },
      find: (nameOrId) => this.describeStack(nameOrId),
      list: () => this.stacks(),
      contents: (stackId) => this.#contents(stackId),
      authorize: (request) => this.iam.authorize(request),
    });
    this.secretsManager = new EmbeddedSecretsManager({
      ...{ accountId, partition },
      keys: new KeyStore({ accountId, partition }),
      authorize: (request) => this.iam.authorize(request),
      onChange: () => this.#state.changed(),
    });
    const { keys, store: secrets } = this.secretsManager;
    this.#assets = new AssetStore(stateFile && `${stateFile}.assets`);
    this.#lifecycle = new StackLifecycle(this.#services());
    this.#customResource = new CustomResource(this.lambda, this.#responses, options.accidents ?? {});
    this.#quickSight = new QuickSightAccess(options.lambda?.endpoints?.AWS_ENDPOINT_URL_QUICKSIGHT);
    this.#providers = {
      'AWS::CDK::Metadata': new InertResource(),
      'AWS::CloudFormation::CustomResource': this.#customResource,
      [STACK_TYPE]: new NestedStack(this.#lifecycle, this.#stacks, this.#assets),
      'AWS::CloudFormation::WaitConditionHandle': new InertResource(),
      'AWS::IAM::ManagedPolicy': new IamManagedPolicy(this.iam),
      'AWS::IAM::Policy': new IamPolicy(this.iam),
      'AWS::IAM::Role': new IamPrincipal(this.iam, 'role'),
      'AWS::IAM::User': new IamPrincipal(this.iam, 'user'),
      'AWS::KMS::Alias': new KmsAlias(keys),
      'AWS::KMS::Key': new KmsKey(keys),
      'AWS::Lambda::Function': new LambdaFunction(this.lambda, this.iam, this.#assets),
      'AWS::Lambda::Permission': new InertResource(),
      'AWS::Logs::LogGroup': new LogGroup(this.lambda.logGroups, this.iam),
      'AWS::QuickSight::CustomPermissions': new QuickSightCustomPermissions(this.#quickSight),
      'AWS::QuickSight::Group': new QuickSightGroup(this.#quickSight, accountId),
      'AWS::SecretsManager::Secret': new Secret(secrets, keys),
      'AWS::SSM::Parameter': new SsmParameter(this.#ssmParameters),
    };
    this.#state = new StateFile(stateFile, () => this.#snapshot(), 500);
    this.#restore(this.#state.read());
  }

  /**
   * Deploys the stacks of a cloud assembly, each after those that it depends on, and stops at the first that fails.
   * Throws, with nothing touched, when one of them cannot be deployed here at all.
   */
  async deploy(
    assemblyDirectory: string,
    { stacks: names, parameters = {} }: DeployOptions = {},
  ): Promise<DeployResult[]> {
    await this.#listen();
    const selected = selectStacks(readAssembly(assemblyDirectory), names);
    for (const stack of selected) this.#prepare(stack, parameters);
    const results: DeployResult[] = [];
    for (const stack of selected) {
      const result = await this.#exclusively(stack.stackName, () => this.#deployStack(stack, parameters));
      results.push(result);
      if (!result.succeeded) break;
    }
    return results;
  }

  /** Deletes a stack with everything in it. A stack that is not there is deleted already. */
  async destroy(stackName: string): Promise<DeployResult | undefined> {
    const stack = this.#rootStack(stackName);
    if (!stack) return undefined;
    await this.#listen();
    return this.#exclusively(stackName, async () => {
      const importer = this.#exports.importerOf(stack);
      if (importer) {
        throw new Error(
          `the stack ${stackName} has exports that ${importer.stackName} imports: destroy that one first`,
        );
      }
      const changes = this.#changes(stack, NO_RESOURCES, () => '');
      refuseTooMany(stackName, changes);
      const succeeded = await this.#try(stack, () => this.#lifecycle.delete(stack));
      return this.#result(stack, succeeded, true);
    });
  }

  /** The stacks that exist, nested ones included. */
  stacks(): readonly StackState[] {
    return [...this.#stacks.values()];
  }

  /** A stack by name or id. By id, deleted ones are found too, until this process ends. */
  describeStack(nameOrId: string): StackState | undefined {
    return this.#findStack(nameOrId) ?? this.#deleted.get(nameOrId);
  }

  #contents(stackId: string): StackContents | undefined {
    const stack = this.describeStack(stackId);
    return stack && { template: stack.template, resources: Object.values(stack.resources) };
  }

  /** Makes the next such operation fail. */
  failNext(fault: OrderedFault): void {
    this.#faults.push(fault);
  }

  /** Ends every function process and keeps the state. */
  async stop(): Promise<void> {
    const services = [this.lambda, this.#responses, this.stacksEndpoint, this.secretsManager, this.#quickSight];
    await Promise.all(services.map((service) => service.stop()));
    this.#state.write();
    this.#assets.remove();
  }

  /** Not before there is work: whoever only looks at the state would have to stop it. */
  async #listen(): Promise<void> {
    await Promise.all([this.stacksEndpoint.listen(), this.secretsManager.listen()]);
    this.lambda.addEndpoints({
      AWS_ENDPOINT_URL_CLOUDFORMATION: this.stacksEndpoint.url,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: this.secretsManager.url,
    });
  }

  async #deployStack(declared: AssemblyStack, passed: Readonly<Record<string, string>>): Promise<DeployResult> {
    const { stackName, template } = declared;
    const unsettled = this.#rootStack(stackName);
    if (unsettled && !(await this.#try(unsettled, () => this.#settle(unsettled)))) {
      return this.#result(unsettled, false, true);
    }
    const existing = this.#rootStack(stackName);
    if (!existing) return this.#createStack(declared, passed);

    const parameters = parameterValues(template, passed, existing.parameters);
    if (isDeepStrictEqual(template, existing.template) && isDeepStrictEqual(parameters, existing.parameters)) {
      return this.#result(existing, true, false);
    }
    const updated = await this.#try(existing, () => this.#lifecycle.update(existing, template, parameters));
    const rollBack = () => this.#lifecycle.rollBackUpdate(existing, this.#failuresOf(existing).at(-1));
    const ready = updated || (await this.#try(existing, rollBack));
    if (ready) await this.#lifecycle.cleanUp(existing);
    return this.#result(existing, updated, true);
  }

  async #createStack(
    { stackName, template, region = this.#region }: AssemblyStack,
    parameters: Readonly<Record<string, string>>,
  ): Promise<DeployResult> {
    const stack = this.#lifecycle.newStack({ stackName, region, template, parameters });
    this.#stacks.set(stack.stackId, stack);
    const created = await this.#try(stack, () => this.#lifecycle.create(stack));
    const rollBack = () => this.#lifecycle.rollBackCreate(stack, this.#failuresOf(stack).at(-1));
    if (!created) await this.#try(stack, rollBack);
    return this.#result(stack, created, true);
  }

  /** Brings a stack that an earlier deployment left half-way to where a new one can begin. */
  async #settle(stack: StackState): Promise<void> {
    switch (stack.status) {
      case 'CREATE_IN_PROGRESS':
      case 'CREATE_FAILED':
      case 'ROLLBACK_IN_PROGRESS':
      case 'ROLLBACK_FAILED':
        await this.#lifecycle.rollBackCreate(stack);
        return this.#lifecycle.delete(stack);
      case 'ROLLBACK_COMPLETE':
      case 'DELETE_IN_PROGRESS':
        // What never came to be, or was to go, is deleted before it is made again: so does `cdk deploy`.
        return this.#lifecycle.delete(stack);
      case 'UPDATE_IN_PROGRESS':
      case 'UPDATE_FAILED':
      case 'UPDATE_ROLLBACK_IN_PROGRESS':
      case 'UPDATE_ROLLBACK_FAILED':
        await this.#lifecycle.rollBackUpdate(stack);
        return this.#lifecycle.cleanUp(stack);
      case 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS':
      case 'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS':
        return this.#lifecycle.cleanUp(stack);
      case 'DELETE_FAILED':
        throw new Error(`the stack ${stack.stackName} is half deleted (${stack.status}): destroy it first`);
    }
  }

  /** Checks a stack and those nested in it, and uploads its assets. */
  #prepare(
    { stackName, template, assets, accountId, region = this.#region }: AssemblyStack,
    parameters: Record<string, string>,
  ): void {
    const here = this.#options.accountId;
    if (accountId !== undefined && accountId !== here) {
      throw new Error(
        `the stack ${stackName} belongs to account ${accountId}, and this embedded AWS is account ${here}`,
      );
    }
    const { partition } = this.iam;
    const environment = { accountId: here, region, partition, stackId: '', stackName };
    this.#assets.publish(assets, environment);
    const passed = { ...this.#rootStack(stackName)?.parameters, ...parameters };
    const values = parameterValues(template, passed);
    const intrinsics = new Intrinsics(template, {
      environment,
      parameter: (name) =>
        typedParameter(template.Parameters?.[name]?.Type ?? '', values[name] ?? '', this.#ssmParameter),
      ref: () => '',
      attribute: () => '',
      importValue: () => '',
      stackOutput: () => '',
    });
    const resolve = (value: unknown) => String(intrinsics.resolve(value));
    this.#check(stackName, template, resolve);
    refuseTooMany(stackName, this.#changes(this.#rootStack(stackName), template, resolve));
  }

  /** How many resources an operation works on, as far as templates tell. */
  #changes(before: StackState | undefined, after: Template, resolve: (value: unknown) => string): number {
    const [old, declared] = [before?.template.Resources ?? {}, after.Resources];
    let changes = 0;
    for (const id of new Set([...Object.keys(old), ...Object.keys(declared)])) {
      const resource = declared[id];
      if (isDeepStrictEqual(old[id], resource)) continue;
      changes++;
      if ((resource ?? old[id])?.Type !== STACK_TYPE) continue;
      const nested = this.#stacks.get(before?.resources[id]?.physicalId ?? '');
      const inner = resource ? this.#assets.template(resolve(resource.Properties?.TemplateURL)) : NO_RESOURCES;
      changes += this.#changes(nested, inner, resolve);
    }
    return changes;
  }

  #check(stackName: string, template: Template, resolve: (value: unknown) => string): void {
    checkTemplate(stackName, template, (type) => this.#findProvider(type));
    for (const [id, { Type, Properties }] of Object.entries(template.Resources)) {
      if (Type !== STACK_TYPE) continue;
      this.#check(`${stackName}/${id}`, this.#assets.template(resolve(Properties?.TemplateURL)), resolve);
    }
  }

  #services(): StackServices {
    const { accountId, partition = 'aws', concurrency = 20 } = this.#options;
    return {
      accountId,
      partition,
      slots: new Semaphore(concurrency),
      provider: (type) => {
        const provider = this.#findProvider(type);
        if (provider) return provider;
        throw new NothingDone(`the embedded CloudFormation does not know resources of type ${type}`);
      },
      ssmParameter: this.#ssmParameter,
      importValue: (importer, name) => this.#exports.import(importer, name),
      stackOutput: (reference) => this.#exports.output(reference),
      checkExports: (exporter, outputs) => this.#exports.check(exporter, outputs),
      findStack: (nameOrId) => this.#findStack(nameOrId),
      inject: (stack, logicalId, action, when) => this.#inject(stack, logicalId, action, when),
      stackChanged: (stack) => this.#stackChanged(stack),
      resourceChanged: (stack, resource, status, reason) => this.#resourceChanged(stack, resource, status, reason),
    };
  }

  #findProvider(type: string): ResourceProvider | undefined {
    return type.startsWith('Custom::') ? this.#customResource : this.#providers[type];
  }

  #findStack(nameOrId: string): StackState | undefined {
    return this.#stacks.get(nameOrId) ?? this.#stacksOf(({ stackName }) => stackName === nameOrId)[0];
  }

  #rootStack(stackName: string): StackState | undefined {
    return this.#stacksOf((stack) => stack.stackName === stackName && stack.parentId === undefined)[0];
  }

  #stacksOf(predicate: (stack: StackState) => boolean): StackState[] {
    return [...this.#stacks.values()].filter(predicate);
  }

  readonly #ssmParameter = (name: string): string => {
    const value = this.#ssmParameters.get(name);
    if (value !== undefined) return value;
    throw new Error(`there is no SSM parameter ${name} in the embedded AWS: only stacks make them here`);
  };

  #inject(stack: StackState, logicalId: string, action: OrderedFault['action'], when: 'before' | 'after'): void {
    const index = this.#faults.findIndex(
      (fault) =>
        fault.logicalId === logicalId &&
        fault.action === action &&
        (fault.when ?? 'before') === when &&
        (fault.stackName ?? stack.stackName) === stack.stackName,
    );
    if (index === -1) return;
    this.#faults.splice(index, 1);
    const reason = `this ${action} of ${logicalId} was ordered to fail`;
    throw when === 'before' ? new NothingDone(reason) : new Error(reason);
  }

  #stackChanged(stack: StackState): void {
    const { stackId, stackName, status, statusReason: reason } = stack;
    if (status === 'DELETE_COMPLETE') {
      this.#stacks.delete(stackId);
      this.#deleted.set(stackId, stack);
    }
    this.#emit({ stackId, stackName, logicalId: stackName, physicalId: stackId, type: STACK_TYPE, status, reason });
  }

  #resourceChanged(
    stack: StackState,
    { logicalId, physicalId, type }: ResourceState,
    status: ResourceStatus,
    reason?: string,
  ): void {
    const { stackId, stackName } = stack;
    if (status.endsWith('_FAILED')) this.#failuresOf(stack).push(`${logicalId}: ${reason}`);
    this.#emit({ stackId, stackName, logicalId, physicalId, type, status, reason });
  }

  #emit(event: Omit<ResourceEvent, 'timestamp'>): void {
    this.#options.onEvent?.({ timestamp: new Date(), ...event });
    this.#state.changed();
  }

  async #exclusively<T>(stackName: string, work: () => Promise<T>): Promise<T> {
    if (this.#busy.has(stackName)) throw new Error(`the stack ${stackName} is being deployed: wait for that to end`);
    this.#busy.add(stackName);
    try {
      return await work();
    } finally {
      this.#busy.delete(stackName);
      this.#state.write();
    }
  }

  async #try(root: StackState, phase: () => Promise<void>): Promise<boolean> {
    try {
      await phase();
      return true;
    } catch (error) {
      this.#failuresOf(root).push((error as Error).message);
      return false;
    }
  }

  #failuresOf({ rootId, stackId }: StackState): string[] {
    const root = rootId ?? stackId;
    const failures = this.#failures.get(root) ?? [];
    this.#failures.set(root, failures);
    return failures;
  }

  #result(stack: StackState, succeeded: boolean, changed: boolean): DeployResult {
    const { stackName, stackId, status } = stack;
    const outputs = Object.fromEntries(Object.entries(stack.outputs).map(([name, { value }]) => [name, value]));
    const reason = succeeded ? undefined : this.#failuresOf(stack).join('\n');
    this.#failures.delete(stackId);
    return { stackName, stackId, status, succeeded, changed, outputs, reason };
  }

  #snapshot(): State {
    return {
      stacks: [...this.#stacks.values()],
      iam: this.iam.state(),
      functions: this.lambda.configurations(),
      logGroups: this.lambda.logGroups.names(),
      ssmParameters: [...this.#ssmParameters],
      keys: this.secretsManager.keys.state(),
      secrets: this.secretsManager.store.secrets,
    };
  }

  #restore(state: State | undefined): void {
    if (!state) return;
    for (const stack of state.stacks) this.#stacks.set(stack.stackId, stack);
    for (const [name, value] of state.ssmParameters) this.#ssmParameters.set(name, value);
    this.iam.restore(state.iam);
    if (state.keys) this.secretsManager.keys.restore(state.keys);
    this.secretsManager.store.secrets = state.secrets ?? [];
    this.lambda.restore(state.functions);
    this.lambda.logGroups.restore(state.logGroups);
  }
}

function refuseTooMany(stackName: string, changes: number): void {
  if (changes <= MAX_CHANGES) return;
  throw new Error(
    `the stack ${stackName}: Limit on the number of resources in a single stack operation exceeded: ${changes} with those ` +
      `of nested stacks, and CloudFormation allows ${MAX_CHANGES}`,
  );
}
