import type { Template } from './template';

/** Raw parameter values of a stack: what was passed, else the deployed value, else the default. */
export function parameterValues(
  template: Template,
  passed: Readonly<Record<string, string>>,
  deployed: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const values: Record<string, string> = {};
  const problems: string[] = [];
  for (const [name, declared] of Object.entries(template.Parameters ?? {})) {
    const value = passed[name] ?? deployed[name] ?? declared.Default?.toString();
    if (value === undefined) {
      problems.push(`the parameter ${name} has no value and no default: pass one`);
      continue;
    }
    values[name] = value;
    if (declared.AllowedValues && !declared.AllowedValues.map(String).includes(value)) {
      problems.push(`the parameter ${name} is ${value}: it must be one of ${declared.AllowedValues.join(', ')}`);
    }
    if (declared.AllowedPattern && !new RegExp(`^(?:${declared.AllowedPattern})$`).test(value)) {
      problems.push(`the parameter ${name} is ${value}: it must match ${declared.AllowedPattern}`);
    }
  }
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return values;
}

/**
 * What Ref answers for a parameter. SSM parameters are looked up only here, when something refers to them: nothing
 * refers to the bootstrap version but a rule.
 */
export function typedParameter(type: string, raw: string, ssmParameter: (name: string) => string): unknown {
  const ssmType = /^AWS::SSM::Parameter::Value<(.+)>$/.exec(type)?.[1];
  if (ssmType !== undefined) return typedParameter(ssmType, ssmParameter(raw), ssmParameter);
  return type === 'CommaDelimitedList' || type.startsWith('List<') ? raw.split(',').map((item) => item.trim()) : raw;
}
