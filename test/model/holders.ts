/** A holder of a user, as the design says a tag keeps it: `held-by:…` = `[leaving/]<since>/<request>/<root>/<stack>/<logical id>`. */
export interface Holder {
  readonly isLeaving: boolean;
  readonly since: number;
  readonly requestId: string;
  readonly root: string;
  readonly stack: string;
  readonly logicalId: string;
}

export const ADOPTED = 'cdk-quicksight-users:adopted';
export const BEFORE = 'cdk-quicksight-users:before';

export function holdersOf(tags: Readonly<Record<string, string>> = {}): Holder[] {
  return Object.entries(tags)
    .filter(([key]) => key.startsWith('cdk-quicksight-users:held-by:'))
    .map(([, value]) => {
      const isLeaving = value.startsWith('leaving/');
      const [since, requestId = '', root = '', stack = '', logicalId = ''] = value.replace('leaving/', '').split('/');
      return { isLeaving, since: Number(since), requestId, root, stack, logicalId };
    });
}

/** `arn:…:stack/name/uuid` → uuid. */
export function uuidOf(stackId: string | undefined): string {
  return stackId?.split('/').at(-1) ?? '';
}
