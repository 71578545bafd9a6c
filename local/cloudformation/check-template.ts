import { findCycle } from './dependency-order';
import { INTRINSICS } from './intrinsics';
import type { ResourceProvider } from './resource-provider';
import { dependencies } from './stack-operation';
import { isRecord, referencedNames, visit, type Template } from './template';

/** Finds what this engine cannot deploy, all of it, before anything is created. */
export function checkTemplate(
  stackName: string,
  template: Template,
  providerOf: (type: string) => ResourceProvider | undefined,
): void {
  const problems: string[] = [];
  if (template.Transform !== undefined) {
    problems.push(`the transform ${JSON.stringify(template.Transform)} is unknown to the embedded CloudFormation`);
  }
  const known = new Set([...Object.keys(template.Resources), ...Object.keys(template.Parameters ?? {})]);

  const checkFunctions = (value: unknown, where: string) => {
    visit(value, ({ name }) => {
      if (!INTRINSICS.has(name))
        problems.push(`the function ${name} in ${where} is unknown to the embedded CloudFormation`);
    });
    for (const name of referencedNames(value)) {
      if (!known.has(name) && !name.startsWith('AWS::')) {
        problems.push(unresolved(name, where));
      }
    }
  };

  for (const [id, resource] of Object.entries(template.Resources)) {
    checkFunctions(resource.Properties, `resource ${id}`);
    const provider = providerOf(resource.Type);
    if (!provider) {
      problems.push(`the resource ${id} has type ${resource.Type}, which the embedded CloudFormation does not know`);
    } else if (provider.properties && isRecord(resource.Properties)) {
      for (const name of Object.keys(resource.Properties)) {
        if (provider.properties.includes(name)) continue;
        problems.push(
          `the property ${name} of resource ${id} (${resource.Type}) is unknown to the embedded CloudFormation`,
        );
      }
    }
    for (const dependency of [resource.DependsOn ?? []].flat()) {
      if (!(dependency in template.Resources)) problems.push(unresolved(dependency, `DependsOn of resource ${id}`));
    }
  }
  checkFunctions(template.Outputs, 'outputs');
  visit(template.Conditions, ({ name }) => {
    if (!INTRINSICS.has(name))
      problems.push(`the function ${name} in conditions is unknown to the embedded CloudFormation`);
  });
  const cycle = findCycle(Object.keys(template.Resources), (id) =>
    dependencies(template.Resources[id]!).filter((name) => name in template.Resources),
  );
  if (cycle) problems.push(`circular dependency between resources: [${cycle.join(', ')}]`);
  if (problems.length > 0)
    throw new Error(`the stack ${stackName} cannot be deployed here:\n  ${problems.join('\n  ')}`);
}

function unresolved(name: string, where: string): string {
  return `unresolved dependency [${name}] in ${where}: the template has no such resource or parameter`;
}
