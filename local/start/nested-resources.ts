import { readFileSync } from 'node:fs';
import type { AssemblyStack } from '../cloudformation/assembly';
import { STACK_TYPE, type StackState } from '../cloudformation/stack-state';
import type { Template, TemplateResource } from '../cloudformation/template';

type Resources = Record<string, TemplateResource>;

/** The resources of a synthesized stack and of those nested in it, whose logical ids are unique among all. */
export function withNested({ template, assets }: AssemblyStack): Template {
  const nested = Object.values(template.Resources)
    .filter(({ Type }) => Type === STACK_TYPE)
    .map(({ Properties }) => {
      const url = JSON.stringify(Properties?.TemplateURL);
      const asset = assets.find(({ destinations }) => destinations.some(({ objectKey }) => url.includes(objectKey)));
      return JSON.parse(readFileSync(asset!.sourcePath, 'utf8')) as Template;
    });
  return joined([template, ...nested]);
}

/** The same of a deployed stack, by what counts of each stack. */
export function deployedWithNested(
  stacks: readonly StackState[],
  root: StackState | undefined,
  standing: (stack: StackState) => Template,
): Template {
  const tree = stacks.filter(({ stackId, rootId }) => [stackId, rootId].includes(root?.stackId));
  return joined(tree.map(standing));
}

function joined(templates: readonly Template[]): Template {
  const resources: Resources = {};
  for (const { Resources } of templates) {
    for (const [id, resource] of Object.entries(Resources)) {
      if (resource.Type !== STACK_TYPE) resources[id] = withoutPlumbing(resource);
    }
  }
  return { ...templates[0], Resources: resources };
}

/** A user's way to its function is another in a nested stack, and always leads to the same. */
function withoutPlumbing(resource: TemplateResource): TemplateResource {
  const { ServiceToken: _, RootStackId: __, ...properties } = resource.Properties ?? {};
  const isCustom = resource.Type.startsWith('Custom::');
  return { ...resource, Properties: isCustom ? properties : resource.Properties, DependsOn: undefined };
}
