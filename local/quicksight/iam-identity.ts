import { invalid } from './errors';

/** An IAM user, or a session of an IAM role, as QuickSight names it. */
export interface IamIdentity {
  readonly userName: string;
  /** The principal id that belongs to the unique id of the IAM user or role. */
  principalId(uniqueId: string): string;
}

/** What RegisterUser makes of IamArn and SessionName. A role's path is no part of the name. */
export function iamIdentityOf(iamArn: string, sessionName: string | undefined): IamIdentity {
  const [, kind, path] = /^arn:[\w-]+:iam::\d{12}:(user|role)\/(.+)$/.exec(iamArn) ?? [];
  if (!kind || !path) throw invalid(`Invalid value for parameter IamArn: ${iamArn}`);
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (kind === 'user') {
    if (sessionName !== undefined) throw invalid(`SessionName is not applicable to the IAM user ${iamArn}`);
    return { userName: name, principalId: (uniqueId) => `federated/iam/${uniqueId}` };
  }
  if (sessionName === undefined) throw invalid(`SessionName is required for the IAM role ${iamArn}`);
  return { userName: `${name}/${sessionName}`, principalId: (uniqueId) => `federated/iam/${uniqueId}:${sessionName}` };
}
