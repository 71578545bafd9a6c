import * as http from 'node:http';
import * as https from 'node:https';
import { INVITATION_UNAVAILABLE, type UserResourceAttributes } from '../lib/private/user-resource';
import { pause } from './execute';

/** The answer to one event: what CloudFormation reads from the body of the PUT. */
export interface Answer {
  readonly Status: 'SUCCESS' | 'FAILED';
  readonly Reason?: string;
  readonly PhysicalResourceId: string;
  readonly StackId: string;
  readonly RequestId: string;
  readonly LogicalResourceId: string;
  readonly Data?: UserResourceAttributes;
}

/** CloudFormation reads no more of an answer than this. */
const MAX_BODY_BYTES = 4096;

/**
 * The answer as JSON within 4096 bytes. The reason is cut, and an invitation URL that leaves no room is given up; the ids
 * never change, because CloudFormation matches them by their every byte.
 */
export function renderBody(answer: Answer): string {
  // Control characters in a reason have made CloudFormation refuse the whole answer.
  const reason = answer.Reason?.replace(/[\u0000-\u001f\u007f]+/g, ' ');
  const body = JSON.stringify({ ...answer, Reason: reason });
  const excess = Buffer.byteLength(body) - MAX_BODY_BYTES;
  if (excess <= 0) return body;
  if (!reason) return JSON.stringify({ ...answer, Data: { ...answer.Data, InvitationUrl: INVITATION_UNAVAILABLE } });

  // A character costs up to six bytes in JSON, so cut by the bytes that are written, one character at a time.
  const characters = [...reason];
  let saved = -Buffer.byteLength('…');
  while (saved < excess && characters.length > 0) {
    saved += Buffer.byteLength(JSON.stringify(characters.pop())) - 2;
  }
  return JSON.stringify({ ...answer, Reason: `${characters.join('')}…` });
}

/** The PUT was refused for good: a repetition could not help. */
class RefusedError extends Error {}

/**
 * Puts the answer to the response URL, again and again on 5xx and connection faults until `deadline` (epoch milliseconds).
 *
 * Never throws: an error out of the handler would make Lambda run the whole event again, and only the answer is lost.
 * Never logs the URL: whoever has it can answer in our name.
 *
 * @returns whether CloudFormation took the answer
 */
export async function respond(responseUrl: string, answer: Answer, deadline: number): Promise<boolean> {
  const body = renderBody(answer);
  for (let attempt = 0; ; attempt++) {
    try {
      await put(responseUrl, body, Math.max(1, deadline - Date.now()));
      return true;
    } catch (error) {
      const wait = Math.random() * Math.min(5_000, 100 * 2 ** attempt);
      const final = error instanceof RefusedError || Date.now() + wait >= deadline;
      const problem =
        error instanceof RefusedError ? error.message : ((error as NodeJS.ErrnoException).code ?? 'fault');
      console.log(JSON.stringify({ RequestId: answer.RequestId, answer: final ? 'given up' : 'again', problem }));
      if (final) return false;
      await pause(wait);
    }
  }
}

function put(responseUrl: string, body: string, timeLeft: number): Promise<void> {
  return new Promise((resolve, reject) => {
    if (!URL.canParse(responseUrl)) throw new RefusedError('not a URL');
    const url = new URL(responseUrl);
    const request = (url.protocol === 'http:' ? http : https).request(url, {
      method: 'PUT',
      // The URL is signed for an empty content type, and S3 takes no chunked body.
      headers: { 'content-type': '', 'content-length': Buffer.byteLength(body) },
      timeout: Math.min(10_000, timeLeft),
    });
    request.on('response', (response) => {
      response.resume();
      const status = response.statusCode ?? 0;
      if (status >= 200 && status < 300) resolve();
      else if (status >= 400 && status < 500 && status !== 429) reject(new RefusedError(`status ${status}`));
      else reject(Object.assign(new Error(), { code: `status ${status}` }));
    });
    request.on('timeout', () => request.destroy(Object.assign(new Error(), { code: 'timeout' })));
    request.on('error', reject);
    request.end(body);
  });
}
