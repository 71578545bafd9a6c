export type Properties = Readonly<Record<string, unknown>>;

export interface TemplateParameter {
  readonly Type: string;
  readonly Default?: string | number;
  readonly AllowedValues?: readonly unknown[];
  readonly AllowedPattern?: string;
}

export interface TemplateResource {
  readonly Type: string;
  readonly Properties?: Properties;
  readonly DependsOn?: string | readonly string[];
  readonly Condition?: string;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
  readonly Metadata?: unknown;
}

export interface TemplateOutput {
  readonly Value: unknown;
  readonly Condition?: string;
  readonly Export?: { readonly Name: unknown };
}

/** A CloudFormation template as CDK renders it. */
export interface Template {
  readonly Transform?: unknown;
  readonly Parameters?: Readonly<Record<string, TemplateParameter>>;
  readonly Mappings?: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>;
  readonly Conditions?: Readonly<Record<string, unknown>>;
  readonly Resources: Readonly<Record<string, TemplateResource>>;
  readonly Outputs?: Readonly<Record<string, TemplateOutput>>;
}

/** A function call in a template: an object whose only key is `Ref`, `Condition` or begins with `Fn::`. */
export interface IntrinsicCall {
  readonly name: string;
  readonly argument: unknown;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The call that this template value is; undefined for plain data. */
export function intrinsicCall(value: unknown): IntrinsicCall | undefined {
  if (!isRecord(value)) return undefined;
  const [name, ...more] = Object.keys(value);
  if (name === undefined || more.length > 0) return undefined;
  return name === 'Ref' || name.startsWith('Fn::') ? { name, argument: value[name] } : undefined;
}

/** Splits `LogicalId.Attribute`, the short form of Fn::GetAtt. */
export function attributeReference(argument: unknown): readonly [logicalId: string, attribute: unknown] {
  if (Array.isArray(argument) && typeof argument[0] === 'string') return [argument[0], argument[1]];
  const text = String(argument);
  const dot = text.indexOf('.');
  return [text.slice(0, dot), text.slice(dot + 1)];
}

/** The `${…}` of an Fn::Sub text, without the escaped ones. */
export const SUB_VARIABLE = /\$\{(?!!)\s*([^}]+?)\s*\}/g;

/** Every resource that the value refers to, whichever branch its conditions take. */
export function referencedNames(value: unknown): Set<string> {
  const names = new Set<string>();
  visit(value, (call) => {
    if (call.name === 'Ref') names.add(String(call.argument));
    if (call.name === 'Fn::GetAtt') names.add(attributeReference(call.argument)[0]);
    if (call.name === 'Fn::Sub') {
      const [text, own] = Array.isArray(call.argument) ? call.argument : [call.argument, {}];
      for (const [, name = ''] of String(text).matchAll(SUB_VARIABLE)) {
        if (!(isRecord(own) && name in own)) names.add(name.split('.')[0]!);
      }
    }
  });
  return names;
}

/** Calls back for every intrinsic function call anywhere in the value. */
export function visit(value: unknown, onCall: (call: IntrinsicCall) => void): void {
  const call = intrinsicCall(value);
  if (call) onCall(call);
  if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) visit(inner, onCall);
}
