import { isMissingPermission, type QuickSightError } from './quicksight-api';

/** Texts by which QuickSight says that the account has no users of this kind at all. */
const IDENTITY_CENTER = /managed by IAM Identity Center/i;
const STANDARD_EDITION = /STANDARD Edition/i;
const NOT_SUBSCRIBED = /not signed up|(?:Directory|Account) information for account/i;

/**
 * Whether an answer to a Delete means that there is nothing to delete.
 *
 * @param neverKnown the user's ARN was never known: then an account that cannot have such users is an answer as well
 */
export function nothingThere(error: QuickSightError, neverKnown: boolean): boolean {
  return error.notFound || (neverKnown && cannotHaveUsers(error));
}

function cannotHaveUsers({ code, message }: QuickSightError): boolean {
  return (
    code === 'UnsupportedUserEditionException' ||
    [IDENTITY_CENTER, STANDARD_EDITION, NOT_SUBSCRIBED].some((text) => text.test(message))
  );
}

/** Whether the account or its policies keep us from registering, as far as every attempt of the call showed. */
export function isDenied({ code, ambiguous }: QuickSightError): boolean {
  return !ambiguous && (code === 'AccessDeniedException' || code === 'UnsupportedUserEditionException');
}

/** The error as a person meets it in the stack's events: operation, the service's own words, and the way out. */
export function explain(error: QuickSightError): string {
  const status = error.status === undefined ? '' : ` (status ${error.status})`;
  const said = `${error.operation} failed: ${error.code}${status}: ${error.message || 'no message'}`;
  const way = remedy(error);
  return way ? `${said.replace(/\.$/, '')}. ${way}` : said;
}

function remedy(error: QuickSightError): string | undefined {
  const { code, message } = error;
  if (IDENTITY_CENTER.test(message)) {
    return 'This account signs in through IAM Identity Center: give access by assigning groups to QuickSight roles, not by registering users';
  }
  if (code === 'UnsupportedUserEditionException' || STANDARD_EDITION.test(message)) {
    return 'QuickSight Standard edition cannot do this: upgrade the account to Enterprise edition';
  }
  if (NOT_SUBSCRIBED.test(message)) return 'Subscribe this account to QuickSight first, and check awsAccountId';
  if (/service control policy/i.test(message)) {
    return "A service control policy of the organization denies the call: it must allow QuickSight in the account's identity region";
  }
  if (/explicit deny/i.test(message))
    return "A policy denies the call explicitly: look at the provider's role, its permissions boundary and the organization's policies";
  if (isMissingPermission(error)) {
    return "The provider's role lacks the permission: check namespaces and identityRegion of QuickSightUserProvider, the permissions boundary, and a role of your own";
  }
  if (/(?:identity|capacity) region is/i.test(message)) {
    return 'Set identityRegion of QuickSightUserProvider to the identity region of the account, in the same partition';
  }
  if (error.notFound && /\bnamespace \S+ (?:was |is )?(?:not found|does not exist)/i.test(message))
    return 'Create the namespace first, or correct the name';
  if (code === 'LimitExceededException' && error.operation === 'TagResource') {
    return 'Take tags off the user: QuickSight allows 50, and this library needs some of them to mark who declares the user';
  }
  if (code === 'LimitExceededException') return 'Raise the QuickSight quota, or remove users that nobody needs';
  if (code === 'PreconditionNotMetException')
    return 'If the account was subscribed moments ago, deploy again in some minutes';
  return undefined;
}
