/*
 * Stands in for @aws-sdk/client-lambda, which Lambda's runtime has and this project has not: the SDK's own client,
 * protocol, signing and credentials (those of SSO OIDC, the smallest service at hand), with Invoke as its only
 * operation. The real one, with all of Lambda's operations in it, loads longer.
 */
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { SSOOIDCClient } from '@aws-sdk/nested-clients/sso-oidc';
import { makeBuilder } from '@smithy/core/client';
import { getEndpointPlugin } from '@smithy/core/endpoints';

const command = makeBuilder(
  {
    Endpoint: { type: 'builtInParams', name: 'endpoint' },
    Region: { type: 'builtInParams', name: 'region' },
    UseDualStack: { type: 'builtInParams', name: 'useDualstackEndpoint' },
    UseFIPS: { type: 'builtInParams', name: 'useFipsEndpoint' },
  },
  'AWSGirApiService',
  'LambdaClient',
  getEndpointPlugin,
);

const NAMESPACE = 'com.amazonaws.lambda';
const BLOB = 21;
const request = [
  3,
  NAMESPACE,
  'InvocationRequest',
  0,
  ['FunctionName', 'Payload'],
  [
    [0, 1],
    [BLOB, 16],
  ],
];
const response = [3, NAMESPACE, 'InvocationResponse', 0, ['Payload'], [[BLOB, 16]]];
const route = { http: ['POST', '/2015-03-31/functions/{FunctionName}/invocations', 200] };
const operation = [9, NAMESPACE, 'Invoke', route, () => request, () => response];
const InvokeCommand = command({}, () => [], 'Invoke', operation as never);

export class Lambda {
  private readonly client = new SSOOIDCClient({
    endpoint: process.env.AWS_ENDPOINT_URL_LAMBDA!,
    credentials: defaultProvider(),
  });

  invoke(input: object) {
    return this.client.send(new InvokeCommand(input as never) as never);
  }
}
