/*
 * What users files say, with all defaults applied: what the app deploys and the command line compares with an account.
 */

/** Where something stands in a users file; line and column counted from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export type DeclaredIdentity =
  | { readonly userName: string } // identity type QUICKSIGHT
  | { readonly iamUser: string } // name, path/name or ARN
  | { readonly iamRole: string; readonly sessionName: string };

/** One user with all defaults applied. */
export interface DeclaredUser {
  readonly identity: DeclaredIdentity;
  /** What QuickSight will call the user. */
  readonly name: string;
  readonly namespace: string;
  readonly email: string;
  readonly role: string;
  /** Groups of the user's namespace, sorted. */
  readonly groups: readonly string[];
  readonly customPermissionsName?: string;
  readonly externalLogin?: {
    readonly cognito?: { readonly loginId: string };
    readonly customOidc?: { readonly providerUrl: string; readonly loginId: string };
  };
  readonly tags: Readonly<Record<string, string>>;
  readonly onExisting: 'fail' | 'adopt';
  readonly removalPolicy: 'destroy' | 'retain';
  readonly invitationVersion?: string;
  readonly place: Place;
}

/** A group that the files list. */
export interface DeclaredGroup {
  readonly name: string;
  readonly namespace: string;
  readonly description?: string;
  /** Nothing makes or deletes it here. */
  readonly existing: boolean;
  readonly place: Place;
}

/** A custom permissions profile that the files define, and the app makes. */
export interface DeclaredCustomPermissions {
  readonly name: string;
  readonly capabilities: Readonly<Record<string, 'DENY'>>;
  readonly place: Place;
}

export interface UsersDeclaration {
  readonly users: readonly DeclaredUser[];
  readonly groups: readonly DeclaredGroup[];
  readonly customPermissions: readonly DeclaredCustomPermissions[];
}
