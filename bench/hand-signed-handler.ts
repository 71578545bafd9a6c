/*
 * The floor: a Create with nothing but Node.js. The same two requests as the handler, signed by hand, and none of its
 * checks, retries, regions and rules. No real handler can be faster, and nobody should deploy this one.
 */
import { createHash, createHmac } from 'node:crypto';
import * as http from 'node:http';
import * as https from 'node:https';
import type { CloudFormationCustomResourceCreateEvent } from 'aws-lambda';

export async function handler(event: CloudFormationCustomResourceCreateEvent): Promise<void> {
  const { StackId, RequestId, LogicalResourceId, ResourceProperties } = event;
  const { ServiceToken: _, AwsAccountId, Namespace, RootStackId: root, Tags = [], ...input } = ResourceProperties;
  const holder = createHash('sha256').update(`${StackId}/${LogicalResourceId}`).digest('hex').slice(0, 16);
  const value = [Date.now(), RequestId, uuidOf(root as string), uuidOf(StackId), LogicalResourceId].join('/');
  const body = JSON.stringify({
    ...input,
    Tags: [...(Tags as object[]), { Key: `cdk-quicksight-users:held-by:${holder}`, Value: value }],
  });
  const url = new URL(
    `/accounts/${AwsAccountId}/namespaces/${Namespace}/users`,
    process.env.AWS_ENDPOINT_URL_QUICKSIGHT,
  );
  const { status, text } = await send(url, 'POST', sign(url, body), body);
  if (status !== 201) throw new Error(text);
  const { User, UserInvitationUrl } = JSON.parse(text);
  const answer = JSON.stringify({
    Status: 'SUCCESS',
    StackId,
    RequestId,
    LogicalResourceId,
    PhysicalResourceId: `${User.Arn};${User.PrincipalId}`,
    Data: { Arn: User.Arn, UserName: User.UserName, PrincipalId: User.PrincipalId, InvitationUrl: UserInvitationUrl },
  });
  await send(new URL(event.ResponseURL), 'PUT', { 'content-type': '' }, answer);
}

function uuidOf(stackId: string): string {
  return stackId.split('/').pop()!;
}

/** Signature version 4. */
function sign(url: URL, body: string): Record<string, string> {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION } = process.env;
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = [time.slice(0, 8), AWS_REGION!, 'quicksight', 'aws4_request'];
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    host: url.host,
    'x-amz-date': time,
    'x-amz-security-token': AWS_SESSION_TOKEN!,
  };
  const names = Object.keys(headers).sort();
  const lines = names.map((name) => `${name}:${headers[name]}\n`).join('');
  const request = ['POST', url.pathname, '', lines, names.join(';'), sha256(body)].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', time, scope.join('/'), sha256(request)].join('\n');
  const key = scope.reduce<string | Buffer>((secret, part) => hmac(secret, part), `AWS4${AWS_SECRET_ACCESS_KEY}`);
  const credential = `Credential=${AWS_ACCESS_KEY_ID}/${scope.join('/')}`;
  const signature = `Signature=${hmac(key, toSign).toString('hex')}`;
  headers.authorization = `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=${names.join(';')}, ${signature}`;
  return headers;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function send(url: URL, method: string, headers: Record<string, string>, body: string) {
  return new Promise<{ status?: number; text: string }>((resolve, reject) => {
    const options = { method, headers: { ...headers, 'content-length': Buffer.byteLength(body) } };
    const request = (url.protocol === 'http:' ? http : https).request(url, options, (response) => {
      let text = '';
      response.on('data', (chunk) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode, text }));
    });
    request.on('error', reject).end(body);
  });
}
