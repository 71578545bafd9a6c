import { SignedCallError } from '../../lambda/signed-call';
import { ReadError } from './quicksight-reader';

/** Texts by which QuickSight says what kind of account this is; lambda/remedy.ts knows them, too. */
const STANDARD_EDITION = /STANDARD Edition/i;
const NOT_SUBSCRIBED = /not signed up|(?:Directory|Account) information for account/i;

/** An error as a person meets it: what was asked, the service's own words, and the way out. */
export function explain(error: unknown, accountId: string | undefined): string {
  if (error instanceof SignedCallError) {
    const told = `CloudFormation failed: ${error.code}: ${error.message || 'no message'}`;
    if (error.status !== undefined) return told;
    return `${told.replace(/\.$/, '')}. Look whether the network, a proxy or AWS_ENDPOINT_URL_CLOUDFORMATION is in the way`;
  }
  if (!(error instanceof ReadError)) return (error as Error).message;
  const { operation, code, status, region } = error;
  const account = accountId ?? 'of these credentials';
  const told = error.message || 'no message';
  const said = `${operation} in account ${account}, region ${region}, failed: ${code}${status ? ` (status ${status})` : ''}: ${told}`;
  return `${said.replace(/\.$/, '')}. ${remedy(error)}`;
}

function remedy(error: ReadError): string {
  const { code, message, operation, region } = error;
  if (code === 'CredentialsProviderError' || code === 'TokenProviderError') {
    return 'Sign in again, for example with aws sso login';
  }
  if (/^(ExpiredToken|UnrecognizedClient|InvalidClientTokenId|InvalidSignature|SignatureDoesNotMatch)/.test(code)) {
    return 'The credentials are expired or wrong: sign in again, and look whether AWS_PROFILE or --profile names the right ones';
  }
  if (error.throttled) {
    return 'QuickSight answers no faster for now: run this again later, or while no deployment runs';
  }
  if (code === 'UnsupportedUserEditionException' || STANDARD_EDITION.test(message)) {
    return 'QuickSight Standard edition has no such users: upgrade the account to Enterprise edition, or name another with --account or --profile';
  }
  if (NOT_SUBSCRIBED.test(message)) {
    return 'The account has no QuickSight in this region: subscribe it, or name another with --account, --profile or --region';
  }
  if (/(?:identity|capacity) region is/i.test(message)) {
    return 'Name the identity region of the account with --region, with credentials of the same partition';
  }
  if (/not authorized to access account/i.test(message)) {
    return 'The credentials belong to another account: leave --account out, or choose other ones with --profile';
  }
  if (code === 'AccessDeniedException') {
    return `The credentials need quicksight:${operation}, also in the identity region, and no policy of the organization may deny it`;
  }
  if (code === 'ENOTFOUND') {
    return `QuickSight has no endpoint in region ${region}, or there is no network: name another region with --region`;
  }
  if (error.faulty)
    return 'Look whether the network, a proxy or AWS_ENDPOINT_URL_QUICKSIGHT is in the way, and run this again';
  return 'Check the names, and --account and --region';
}
