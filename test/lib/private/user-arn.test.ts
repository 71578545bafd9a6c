import * as fc from 'fast-check';
import { formatPhysicalId, parsePhysicalId, parseUserArn, userNameOf } from '../../../lib/private/user-arn';

const arnOf = (name: string) => `arn:aws:quicksight:us-east-1:111122223333:user/default/${name}`;

test('an ARN tells namespace and name, and names may contain slashes', () => {
  expect(parseUserArn(arnOf('Data/ana/x'))).toEqual({
    accountId: '111122223333',
    namespace: 'default',
    userName: 'Data/ana/x',
  });
});

test.each([
  '',
  'N/A',
  'ana',
  'arn:aws:quicksight:us-east-1:111122223333:user/default',
  'arn:aws:quicksight:us-east-1:111122223333:user/default/',
  'arn:aws:quicksight:us-east-1:111122223333:user//ana',
  'arn:aws:quicksight:us-east-1:111122223333:group/default/ana',
  'arn:aws:iam::111122223333:user/default/ana',
])('"%s" is not the ARN of a QuickSight user', (arn) => {
  expect(parseUserArn(arn)).toBeUndefined();
});

test('a physical id is readable: the ARN and the principal id', () => {
  expect(formatPhysicalId(arnOf('ana'), 'user/d-90/1f')).toBe(`${arnOf('ana')};user/d-90/1f`);
});

test('a physical id holds ASCII only, because CloudFormation hands other characters back as question marks', () => {
  expect(formatPhysicalId(arnOf('José 100%'), 'p')).toBe(`${arnOf('Jos%E9 100%25')};p`);
});

test('a physical id gives back every name that QuickSight allows, and its principal', () => {
  const latin1 = fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code));
  const name = fc.string({ unit: latin1, minLength: 1, maxLength: 256 }).filter((text) => !text.includes(';'));
  fc.assert(
    fc.property(name, name, (userName, principalId) => {
      fc.pre(userName.length + principalId.length <= 256);
      const arn = arnOf(userName);
      expect(parsePhysicalId(formatPhysicalId(arn, principalId))).toEqual({
        arn,
        accountId: '111122223333',
        namespace: 'default',
        userName,
        principalId,
      });
    }),
  );
});

test('the longest name in the longest namespace fits with the longest principal', () => {
  const arn = `arn:aws-us-gov:quicksight:us-gov-west-1:111122223333:user/${'n'.repeat(64)}/${'é'.repeat(256)}`;
  const id = formatPhysicalId(arn, `federated/iam/AROA${'A'.repeat(17)}:${'s'.repeat(64)}`);
  expect(Buffer.byteLength(id)).toBeLessThanOrEqual(1024);
  expect(parsePhysicalId(id)?.userName).toBe('é'.repeat(256));
});

test('a physical id that CloudFormation would not keep is an error', () => {
  expect(() => formatPhysicalId(arnOf('a'), 'p'.repeat(1024))).toThrow(
    /has 1\d\d\d bytes, and CloudFormation keeps 1024/,
  );
});

test.each([
  '',
  'none:1f0e',
  'maybe:1f0e',
  'Stack-Ana-1ABCDEFG',
  arnOf('ana'),
  `${arnOf('ana')};`,
  `${arnOf('ana')};p;q`,
  ';p',
  'arn:aws:quicksight:us-east-1:none:user/default/ana;p',
])('"%s" is not a physical id of ours', (id) => {
  expect(parsePhysicalId(id)).toBeUndefined();
});

test.each([
  [{ UserName: 'a/b' }, 'a/b'],
  [{ IamArn: 'arn:aws:iam::111122223333:user/bruno' }, 'bruno'],
  [{ IamArn: 'arn:aws:iam::111122223333:user/path/of/bruno' }, 'bruno'],
  [{ IamArn: 'arn:aws:iam::111122223333:role/path/Data', SessionName: 'carla' }, 'Data/carla'],
])('%j is registered as %s', (properties, name) => {
  expect(userNameOf(properties)).toBe(name);
});
