import { exists } from './errors';
import type { Input } from './input';
import type { QuickSightState, StoredCustomPermissions } from './state';
import { checkTagCount } from './tags';

const NAME = /[a-zA-Z0-9+=,.@_\-]{1,64}/;

export function createCustomPermissions(state: QuickSightState, input: Input) {
  const name = input.matching('CustomPermissionsName', NAME);
  const capabilities = input.optionalObject('Capabilities') ?? {};
  const tags = input.tags('Tags') ?? [];
  checkTagCount(tags);
  if (state.findCustomPermissions(name)) {
    throw exists('CUSTOM_PERMISSIONS', `Custom permissions profile ${name} already exists.`);
  }
  state.contents.customPermissions.push({ name, capabilities, tags });
  return { Status: 201, Arn: arn(state, name) };
}

export function describeCustomPermissions(state: QuickSightState, input: Input) {
  return { CustomPermissions: render(state, named(state, input)) };
}

export function listCustomPermissions(state: QuickSightState, input: Input) {
  const { items, nextToken } = input.page(state.contents.customPermissions, ({ name }) => name);
  return { CustomPermissionsList: items.map((profile) => render(state, profile)), NextToken: nextToken };
}

/** Capabilities that are not given are unrestricted from then on. */
export function updateCustomPermissions(state: QuickSightState, input: Input) {
  const profile = named(state, input);
  profile.capabilities = input.optionalObject('Capabilities') ?? {};
  return { Arn: arn(state, profile.name) };
}

export function deleteCustomPermissions(state: QuickSightState, input: Input) {
  const profile = named(state, input);
  state.contents.customPermissions = state.contents.customPermissions.filter((candidate) => candidate !== profile);
  return { Arn: arn(state, profile.name) };
}

function named(state: QuickSightState, input: Input): StoredCustomPermissions {
  return state.customPermissions(input.text('CustomPermissionsName'));
}

function render(state: QuickSightState, profile: StoredCustomPermissions) {
  return { Arn: arn(state, profile.name), CustomPermissionsName: profile.name, Capabilities: profile.capabilities };
}

function arn(state: QuickSightState, name: string): string {
  return state.arn(`custompermissions/${name}`);
}
