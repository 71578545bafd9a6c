import { attributeReference, intrinsicCall, isRecord, SUB_VARIABLE, type Template } from './template';

/** Where a stack runs: what the pseudo parameters answer. */
export interface StackEnvironment {
  readonly accountId: string;
  readonly region: string;
  readonly partition: string;
  readonly stackId: string;
  readonly stackName: string;
}

/** An output of another stack, which need not export it. */
export interface StackOutputReference {
  readonly stackName: string;
  readonly outputName: string;
  readonly region: string;
}

/** What a template's functions ask for outside the template. */
export interface ResolutionContext {
  readonly environment: StackEnvironment;
  /** Value of a declared parameter. */
  parameter(name: string): unknown;
  /** What Ref answers for a resource. */
  ref(logicalId: string): string;
  attribute(logicalId: string, name: string): unknown;
  importValue(exportName: string): string;
  stackOutput(reference: StackOutputReference): string;
}

export type Resolve = (value: unknown) => unknown;

const NO_VALUE = Symbol('AWS::NoValue');

/** The functions that this engine knows in resources and outputs, and those that only conditions may use. */
export const INTRINSICS: ReadonlySet<string> = new Set([
  ...['Ref', 'Fn::GetAtt', 'Fn::Sub', 'Fn::Join', 'Fn::Select', 'Fn::Split', 'Fn::If', 'Fn::FindInMap'],
  ...['Fn::ImportValue', 'Fn::GetStackOutput', 'Fn::GetAZs', 'Fn::Base64'],
  ...['Fn::Equals', 'Fn::And', 'Fn::Or', 'Fn::Not'],
]);

/** Replaces every intrinsic function call of a template's values by its result. */
export class Intrinsics {
  readonly #conditions = new Map<string, boolean>();

  constructor(
    private readonly template: Template,
    private readonly context: ResolutionContext,
  ) {}

  resolve(value: unknown): unknown {
    const resolved = this.#resolve(value);
    return resolved === NO_VALUE ? undefined : resolved;
  }

  /** Truth of a condition of the template; no condition at all holds. */
  condition(name: string | undefined): boolean {
    if (name === undefined) return true;
    const known = this.#conditions.get(name);
    if (known !== undefined) return known;
    const declared = this.template.Conditions?.[name];
    if (declared === undefined) throw new Error(`the template has no condition ${name}`);
    const value = this.#holds(declared);
    this.#conditions.set(name, value);
    return value;
  }

  /** Whether the resource exists in this deployment. */
  declares(logicalId: string): boolean {
    const resource = this.template.Resources[logicalId];
    return resource !== undefined && this.condition(resource.Condition);
  }

  #resolve(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.#resolve(item)).filter((item) => item !== NO_VALUE);
    const call = intrinsicCall(value);
    if (call) return this.#call(call.name, call.argument);
    if (isRecord(value)) {
      const entries = Object.entries(value).map(([key, item]) => [key, this.#resolve(item)] as const);
      return Object.fromEntries(entries.filter(([, item]) => item !== NO_VALUE));
    }
    if (typeof value === 'string' && value.includes('{{resolve:')) {
      throw new Error(
        `the dynamic reference ${value} is unknown to the embedded CloudFormation: pass the value itself`,
      );
    }
    return value;
  }

  #call(name: string, argument: unknown): unknown {
    switch (name) {
      case 'Ref':
        return this.#ref(String(argument));
      case 'Fn::GetAtt': {
        const [logicalId, attribute] = attributeReference(argument);
        return this.#attribute(logicalId, this.#text(attribute));
      }
      case 'Fn::Sub':
        return this.#sub(argument);
      case 'Fn::Join': {
        const [separator, values] = this.#arguments(name, argument);
        return this.#list(values).map(String).join(String(separator));
      }
      case 'Fn::Select': {
        const [index, values] = this.#arguments(name, argument);
        const list = this.#list(values);
        const selected = list[Number(index)];
        if (selected !== undefined) return selected;
        throw new Error(`Fn::Select cannot select index ${String(index)} of ${list.length} values`);
      }
      case 'Fn::Split': {
        const [separator, text] = this.#arguments(name, argument);
        return this.#text(text).split(String(separator));
      }
      case 'Fn::If': {
        const [condition, yes, no] = argument as [string, unknown, unknown];
        return this.#resolve(this.condition(condition) ? yes : no);
      }
      case 'Fn::FindInMap': {
        const [map, first, second] = this.#arguments(name, argument).map(String) as [string, string, string];
        const found = this.template.Mappings?.[map]?.[first]?.[second];
        if (found !== undefined) return found;
        throw new Error(`Fn::FindInMap finds nothing in the mapping ${map} at ${first}.${second}`);
      }
      case 'Fn::ImportValue':
        return this.context.importValue(this.#text(argument));
      case 'Fn::GetStackOutput':
        return this.context.stackOutput(this.#stackOutputReference(argument));
      case 'Fn::GetAZs': {
        const region = this.#text(argument) || this.context.environment.region;
        return ['a', 'b', 'c'].map((zone) => region + zone);
      }
      case 'Fn::Base64':
        return Buffer.from(this.#text(argument)).toString('base64');
      default:
        throw new Error(`the function ${name} is unknown to the embedded CloudFormation`);
    }
  }

  #holds(expression: unknown): boolean {
    if (isRecord(expression) && typeof expression.Condition === 'string') return this.condition(expression.Condition);
    const call = intrinsicCall(expression);
    const operands = Array.isArray(call?.argument) ? call.argument : [];
    switch (call?.name) {
      case 'Fn::Equals':
        return this.#text(operands[0]) === this.#text(operands[1]);
      case 'Fn::And':
        return operands.every((operand) => this.#holds(operand));
      case 'Fn::Or':
        return operands.some((operand) => this.#holds(operand));
      case 'Fn::Not':
        return !this.#holds(operands[0]);
      default:
        throw new Error(`${JSON.stringify(expression)} is no condition: use Fn::Equals, Fn::And, Fn::Or or Fn::Not`);
    }
  }

  #ref(name: string): unknown {
    const { environment } = this.context;
    switch (name) {
      case 'AWS::AccountId':
        return environment.accountId;
      case 'AWS::Region':
        return environment.region;
      case 'AWS::Partition':
        return environment.partition;
      case 'AWS::URLSuffix':
        return environment.partition === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com';
      case 'AWS::StackId':
        return environment.stackId;
      case 'AWS::StackName':
        return environment.stackName;
      case 'AWS::NotificationARNs':
        return [];
      case 'AWS::NoValue':
        return NO_VALUE;
    }
    if (this.template.Parameters?.[name]) return this.context.parameter(name);
    return this.context.ref(this.#existing(name));
  }

  #attribute(logicalId: string, attribute: string): unknown {
    return this.context.attribute(this.#existing(logicalId), attribute);
  }

  #existing(logicalId: string): string {
    if (this.declares(logicalId)) return logicalId;
    throw new Error(`unresolved resource dependencies [${logicalId}]: its condition does not hold`);
  }

  #sub(argument: unknown): string {
    const [text, own] = (Array.isArray(argument) ? argument : [argument, {}]) as [string, Record<string, unknown>];
    return text
      .replace(SUB_VARIABLE, (_, name: string) => {
        if (Object.hasOwn(own, name)) return this.#text(own[name]);
        if (!name.includes('.')) return this.#text({ Ref: name });
        return this.#text({ 'Fn::GetAtt': name });
      })
      .replaceAll('${!', '${');
  }

  #stackOutputReference(argument: unknown): StackOutputReference {
    if (!isRecord(argument)) throw new Error(`Fn::GetStackOutput wants an object, not ${JSON.stringify(argument)}`);
    const { StackName, OutputName, Region = this.context.environment.region, RoleArn } = argument;
    if (RoleArn !== undefined) {
      throw new Error(
        `Fn::GetStackOutput has the RoleArn ${JSON.stringify(RoleArn)}, and the embedded AWS is one account: leave it out`,
      );
    }
    return { stackName: this.#text(StackName), outputName: this.#text(OutputName), region: this.#text(Region) };
  }

  #arguments(name: string, argument: unknown): unknown[] {
    if (Array.isArray(argument)) return argument.map((item) => this.#resolve(item));
    throw new Error(`${name} wants a list of arguments, not ${JSON.stringify(argument)}`);
  }

  #list(value: unknown): unknown[] {
    if (!Array.isArray(value)) throw new Error(`a list was expected, not ${JSON.stringify(value)}`);
    return value.filter((item) => item !== NO_VALUE);
  }

  #text(value: unknown): string {
    const resolved = this.#resolve(value);
    if (['string', 'number', 'boolean'].includes(typeof resolved)) return String(resolved);
    throw new Error(`a string was expected, not ${JSON.stringify(resolved)}`);
  }
}
