import type { Protocol } from '../service-server';

const NAMESPACE = 'http://cloudformation.amazonaws.com/doc/2010-05-15/';

/** The AWS query protocol as CloudFormation speaks it: forms in, XML out. */
export const AWS_QUERY: Protocol = {
  contentType: 'text/xml',
  throttling: { code: 'Throttling', status: 400, message: 'Rate exceeded' },
  internalFailure: 'InternalFailure',
  statusOf: (code) => STATUS[code] ?? 400,
  answer: (operation, members, RequestId) => ({
    body: document(`${operation}Response`, {
      [`${operation}Result`]: members as Members,
      ResponseMetadata: { RequestId },
    }),
  }),
  error: ({ code: Code, status, message: Message = '' }, RequestId) => ({
    body: document('ErrorResponse', {
      Error: { Type: status < 500 ? 'Sender' : 'Receiver', Code, Message },
      RequestId,
    }),
  }),
};

const STATUS: Readonly<Record<string, number>> = {
  AccessDenied: 403,
  InternalFailure: 500,
  InvalidClientTokenId: 403,
  ServiceUnavailable: 503,
};

/** What an element holds: text, other elements, or a list. */
type Content = string | number | boolean | undefined | readonly Content[] | Members;
interface Members {
  readonly [name: string]: Content;
}

function document(name: string, members: Members): string {
  return `<${name} xmlns="${NAMESPACE}">\n${elements(members, '  ')}</${name}>\n`;
}

function elements(members: Members, indent: string): string {
  return Object.entries(members)
    .map(([name, value]) => element(name, value, indent))
    .join('');
}

/** Lists have their items in `member` elements; what is undefined is left out. */
function element(name: string, value: Content, indent: string): string {
  if (value === undefined) return '';
  if (typeof value !== 'object') return `${indent}<${name}>${escape(String(value))}</${name}>\n`;
  const deeper = `${indent}  `;
  const inner = isList(value) ? value.map((item) => element('member', item, deeper)).join('') : elements(value, deeper);
  return inner === '' ? `${indent}<${name}/>\n` : `${indent}<${name}>\n${inner}${indent}</${name}>\n`;
}

function isList(value: readonly Content[] | Members): value is readonly Content[] {
  return Array.isArray(value);
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ENTITIES[character]!);
}
