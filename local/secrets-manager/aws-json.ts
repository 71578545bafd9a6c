import type { Protocol } from '../service-server';

/** AWS JSON 1.1, as Secrets Manager writes its answers. */
export const AWS_JSON: Protocol = {
  contentType: 'application/x-amz-json-1.1',
  throttling: { code: 'ThrottlingException', status: 400 },
  internalFailure: 'InternalServiceError',
  statusOf: (code) => ({ InternalServiceError: 500, ServiceUnavailable: 503 })[code] ?? 400,
  answer: (_, members) => ({ body: JSON.stringify(members) }),
  error: ({ code, message }) => ({ body: JSON.stringify({ __type: code, Message: message }) }),
};
