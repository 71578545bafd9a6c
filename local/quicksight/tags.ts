import { accessDenied, invalid, ServiceError } from './errors';
import type { Input, Tag } from './input';
import type { QuickSightState } from './state';

const MAX_TAGS = 50;

export function tagResource(state: QuickSightState, input: Input) {
  const resource = tagged(state, input.text('ResourceArn'));
  const given = input.tags('Tags');
  if (!given) throw invalid('Tags must not be empty.');
  const kept = resource.tags.filter(({ Key }) => !given.some((tag) => tag.Key === Key));
  checkTagCount([...kept, ...given]);
  resource.tags = [...kept, ...given];
  return {};
}

export function untagResource(state: QuickSightState, input: Input) {
  const resource = tagged(state, input.text('ResourceArn'));
  const keys = input.keys('TagKeys');
  resource.tags = resource.tags.filter(({ Key }) => !keys.includes(Key));
  return {};
}

export function listTagsForResource(state: QuickSightState, input: Input) {
  return { Tags: tagged(state, input.text('ResourceArn')).tags };
}

export function checkTagCount(tags: readonly Tag[]): void {
  if (tags.length > MAX_TAGS) {
    throw new ServiceError(
      'LimitExceededException',
      `A resource can have at most ${MAX_TAGS} tags, not ${tags.length}.`,
    );
  }
}

/** What an ARN names: a user (whose name may contain slashes), a namespace or a custom-permissions profile. */
export function tagged(state: QuickSightState, arn: string): { tags: Tag[] } {
  const { account } = state;
  const [, partition, region, accountId, kind, path = ''] =
    /^arn:([\w-]+):quicksight:([\w-]+):(\d{12}):(\w+)\/(.+)$/s.exec(arn) ?? [];
  if (partition !== account.partition) throw invalid(`Malformed ARN: ${arn}`);
  if (accountId !== account.accountId) throw accessDenied(`Account ${account.accountId} may not access ${arn}`);
  if (region !== account.identityRegion) throw invalid(`Resource ${arn} is not in region ${account.identityRegion}.`);
  const slash = path.indexOf('/');
  if (kind === 'user' && slash > 0) return state.user(path.slice(0, slash), path.slice(slash + 1));
  if (kind === 'namespace') return state.namespace(path);
  if (kind === 'custompermissions') return state.customPermissions(path);
  throw invalid(`Tagging is not supported for ${arn}`);
}
