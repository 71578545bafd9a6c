import { Intrinsics, type ResolutionContext } from '../../../local/cloudformation/intrinsics';
import type { Template } from '../../../local/cloudformation/template';

const context: ResolutionContext = {
  environment: {
    accountId: '111122223333',
    region: 'eu-west-1',
    partition: 'aws-cn',
    stackId: 'arn:stack',
    stackName: 'Users',
  },
  parameter: (name) => ({ Names: ['ana', 'ben'], Stage: 'prod' })[name],
  ref: (logicalId) => `${logicalId}-ref`,
  attribute: (logicalId, name) => `${logicalId}-${name}`,
  importValue: (name) => `imported ${name}`,
  stackOutput: ({ stackName, outputName, region }) => `${outputName} of ${stackName} in ${region}`,
};

const template: Template = {
  Parameters: { Names: { Type: 'CommaDelimitedList' }, Stage: { Type: 'String' } },
  Mappings: { Runtimes: { 'eu-west-1': { node: 'nodejs22.x' } } },
  Conditions: {
    IsProd: { 'Fn::Equals': [{ Ref: 'Stage' }, 'prod'] },
    IsTest: { 'Fn::Not': [{ Condition: 'IsProd' }] },
    Both: { 'Fn::And': [{ Condition: 'IsProd' }, { Condition: 'IsTest' }] },
    Either: { 'Fn::Or': [{ Condition: 'IsProd' }, { Condition: 'IsTest' }] },
  },
  Resources: { Ana: { Type: 'Custom::Thing' }, Gone: { Type: 'Custom::Thing', Condition: 'IsTest' } },
};

const resolve = (value: unknown) => new Intrinsics(template, context).resolve(value);

test.each([
  ['plain data', { a: [1, true, null, 'x'] }, { a: [1, true, null, 'x'] }],
  ['Ref to a resource', { Ref: 'Ana' }, 'Ana-ref'],
  ['Ref to a parameter', { Ref: 'Names' }, ['ana', 'ben']],
  [
    'Ref to pseudo parameters',
    [{ Ref: 'AWS::AccountId' }, { Ref: 'AWS::URLSuffix' }],
    ['111122223333', 'amazonaws.com.cn'],
  ],
  ['Ref to no value', { a: { Ref: 'AWS::NoValue' }, b: [{ Ref: 'AWS::NoValue' }, 1] }, { b: [1] }],
  ['GetAtt as a list', { 'Fn::GetAtt': ['Ana', 'Outputs.Url'] }, 'Ana-Outputs.Url'],
  ['GetAtt as a text', { 'Fn::GetAtt': 'Ana.Arn' }, 'Ana-Arn'],
  ['Join', { 'Fn::Join': ['-', ['a', 1, { Ref: 'AWS::NoValue' }, { Ref: 'Ana' }]] }, 'a-1-Ana-ref'],
  ['Join of a list', { 'Fn::Join': [',', { Ref: 'Names' }] }, 'ana,ben'],
  ['Split and Select', { 'Fn::Select': ['1', { 'Fn::Split': ['/', 'a/b/c'] }] }, 'b'],
  [
    'Sub',
    { 'Fn::Sub': '${AWS::Region} ${Ana} ${Ana.Arn} ${!Ana} ${ Stage }' },
    'eu-west-1 Ana-ref Ana-Arn ${Ana} prod',
  ],
  ['Sub with values', { 'Fn::Sub': ['${Own} ${Stage}', { Own: { Ref: 'Ana' } }] }, 'Ana-ref prod'],
  ['If that holds', { 'Fn::If': ['Either', 'yes', { Ref: 'Gone' }] }, 'yes'],
  ['If that does not', { 'Fn::If': ['Both', { Ref: 'Gone' }, 'no'] }, 'no'],
  ['FindInMap', { 'Fn::FindInMap': ['Runtimes', { Ref: 'AWS::Region' }, 'node'] }, 'nodejs22.x'],
  ['ImportValue', { 'Fn::ImportValue': { 'Fn::Sub': '${Stage}-url' } }, 'imported prod-url'],
  ['GetStackOutput', { 'Fn::GetStackOutput': { StackName: 'A', OutputName: 'Url' } }, 'Url of A in eu-west-1'],
  [
    'GetStackOutput of another region',
    { 'Fn::GetStackOutput': { StackName: { Ref: 'Stage' }, OutputName: 'Url', Region: 'us-east-1' } },
    'Url of prod in us-east-1',
  ],
  ['GetAZs', { 'Fn::GetAZs': '' }, ['eu-west-1a', 'eu-west-1b', 'eu-west-1c']],
  ['Base64', { 'Fn::Base64': 'hi' }, 'aGk='],
  [
    'a condition key of a policy',
    { Condition: { StringEquals: { a: 'b' } } },
    { Condition: { StringEquals: { a: 'b' } } },
  ],
])('%s is resolved', (_, value, expected) => {
  expect(resolve(value)).toEqual(expected);
});

test.each([
  [{ 'Fn::Transform': {} }, 'the function Fn::Transform is unknown'],
  [{ Ref: 'Gone' }, 'unresolved resource dependencies [Gone]: its condition does not hold'],
  [{ 'Fn::Select': [2, ['a']] }, 'Fn::Select cannot select index 2 of 1 values'],
  [{ 'Fn::FindInMap': ['Runtimes', 'mars', 'node'] }, 'finds nothing in the mapping Runtimes at mars.node'],
  [
    { 'Fn::GetStackOutput': { StackName: 'A', OutputName: 'Url', RoleArn: 'arn:role' } },
    'Fn::GetStackOutput has the RoleArn "arn:role", and the embedded AWS is one account: leave it out',
  ],
  [{ 'Fn::GetStackOutput': ['A', 'Url'] }, 'Fn::GetStackOutput wants an object, not ["A","Url"]'],
  [{ 'Fn::Sub': '${Names}' }, 'a string was expected, not ["ana","ben"]'],
  [{ 'Fn::If': ['Nope', 1, 2] }, 'the template has no condition Nope'],
  ['{{resolve:ssm:/a}}', 'the dynamic reference {{resolve:ssm:/a}} is unknown'],
])('%j is refused with the reason', (value, message) => {
  expect(() => resolve(value)).toThrow(message);
});
