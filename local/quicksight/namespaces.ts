import { exists, invalid } from './errors';
import type { Input } from './input';
import { namespaceStatus, type QuickSightState, type StoredNamespace } from './state';
import { checkTagCount } from './tags';

const NAMESPACE = /[a-zA-Z0-9._\-]{1,64}/;

/** Answers at once and works on for a while, as the service does. */
export function createNamespace(state: QuickSightState, input: Input) {
  const name = input.matching('Namespace', NAMESPACE);
  input.oneOf('IdentityStore', ['QUICKSIGHT']);
  const tags = input.tags('Tags') ?? [];
  checkTagCount(tags);
  if (state.namespaces().some((namespace) => namespace.name === name)) {
    throw exists('NAMESPACE', `Namespace ${name} already exists in account ${state.account.accountId}.`);
  }
  const namespace = { name, readyAt: Date.now() + state.account.namespaceDelayMs, tags };
  state.contents.namespaces.push(namespace);
  return { Status: 201, ...render(state, namespace) };
}

export function describeNamespace(state: QuickSightState, input: Input) {
  return { Namespace: render(state, state.namespace(input.text('Namespace'))) };
}

export function listNamespaces(state: QuickSightState, input: Input) {
  const { items, nextToken } = input.page(state.namespaces(), ({ name }) => name);
  return { Namespaces: items.map((namespace) => render(state, namespace)), NextToken: nextToken };
}

/** Takes all users and groups of the namespace with it. */
export function deleteNamespace(state: QuickSightState, input: Input) {
  const namespace = state.namespace(input.text('Namespace'));
  if (namespace.name === 'default') throw invalid('The default namespace cannot be deleted.');
  namespace.goneAt ??= Date.now() + state.account.namespaceDelayMs;
  return {};
}

function render(state: QuickSightState, namespace: StoredNamespace) {
  return {
    Arn: state.arn(`namespace/${namespace.name}`),
    Name: namespace.name,
    CapacityRegion: state.account.identityRegion,
    CreationStatus: namespaceStatus(namespace),
    IdentityStore: 'QUICKSIGHT',
  };
}
