import type { Protocol } from '../service-server';
import { statusOf } from './errors';

/** How QuickSight writes its answers. */
export const REST_JSON: Protocol = {
  contentType: 'application/json',
  throttling: { code: 'ThrottlingException', status: 429 },
  internalFailure: 'InternalFailureException',
  statusOf,
  answer: (_, { Status = 200, ...members }, requestId) => ({
    status: Status as number,
    // The SDK takes Status from the HTTP status, other clients from the body.
    body: JSON.stringify({ Status, RequestId: requestId, ...members }),
  }),
  error: ({ code, message, members }, requestId) => ({
    body: JSON.stringify({ __type: code, Message: message, ...members, RequestId: requestId }),
    headers: { 'x-amzn-errortype': code },
  }),
};
